"""`upsctl data show`: what a dataset is."""

from upsctl.options import AsJson, DatasetReference


def data_show(reference: DatasetReference, as_json: AsJson = False) -> None:
    """Show a dataset: equation, grid, fields and parameters with units, splits, source, and where it is now.

    Example: upsctl data show burgers1d_subset_v1
    """
    from upsctl import console
    from upsctl.data.dataset_view import view_dataset

    console.show(view_dataset(reference), as_json)

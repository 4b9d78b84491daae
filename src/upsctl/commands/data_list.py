"""`upsctl data list`: the datasets there are."""

from upsctl.options import AsJson


def data_list(as_json: AsJson = False) -> None:
    """List the datasets: how each is made, its size, and for those in the cache where they came from and when used.

    An entry that is `outdated` was made by an earlier card or recipe; `upsctl data prune` frees it when it is old.

    Example: upsctl data list
    """
    from upsctl import console
    from upsctl.data.dataset_list import list_datasets

    console.show(list_datasets(), as_json)

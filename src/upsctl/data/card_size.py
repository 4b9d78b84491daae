"""What a dataset costs, from its card alone."""

import math

from upsctl.dataset_card import DatasetCard, RecipeSource


def artifact_bytes(card: DatasetCard) -> int:
    """Bytes of all fields of all trajectories in float32."""
    cells = math.prod(axis.num_cells for axis in card.axes)
    variable = sum(card.num_components(name) for name in card.variable_fields) * card.time.num_frames
    constant = sum(card.num_components(name) for name in card.constant_fields)
    return 4 * cells * (variable + constant) * num_trajectories(card)


def download_bytes(card: DatasetCard) -> int:
    """Bytes of the vendor's files; none for a recipe."""
    return 0 if isinstance(card.source, RecipeSource) else sum(file.num_bytes for file in card.source.files)


def num_trajectories(card: DatasetCard) -> int:
    """Of all splits."""
    return card.splits.train + card.splits.valid + card.splits.test


def maker(card: DatasetCard) -> str:
    """`recipe burgers`, or `converter pdebench`."""
    source = card.source
    return f"recipe {source.recipe}" if isinstance(source, RecipeSource) else f"converter {source.converter}"

"""Where each thing stands in an artifact's HDF5 file: The Well's published layout, and the little that we add to it.

Added: `extent` on each axis (the domain's ends, which cell centres do not say), `boundary_kind` on each boundary (The
Well knows three types, we know six kinds) and `trajectory_ids` on the root.
"""

from pathlib import Path

from upsctl.dataset_card import DatasetCard
from upsctl.sample import BoundaryKind, SplitName

FIELD_GROUPS = ("t0_fields", "t1_fields", "t2_fields")
WELL_BOUNDARY_TYPES: dict[BoundaryKind, str] = {
    "periodic": "periodic",
    "open": "open",
    "wall": "wall",
    "dirichlet": "wall",
    "neumann": "wall",
    "robin": "wall",
}
"""Our kinds in The Well's three types: a condition that is set at the end of the domain is a wall to it."""


def split_file(folder: Path, name: str, split: SplitName) -> Path:
    """The HDF5 file of one split of an artifact's folder."""
    return folder / "data" / split / f"{name}.hdf5"


def field_path(card: DatasetCard, field: str) -> str:
    """Path of a field's dataset: the group says its tensor order."""
    return f"{FIELD_GROUPS[card.fields[field].tensor_order]}/{field}"


def field_shape(card: DatasetCard, field: str) -> tuple[int, ...]:
    """Shape of one trajectory's values on disk: (T, *space, *tensor), without T for a constant field."""
    description = card.fields[field]
    time = (card.time.num_frames,) if description.role == "variable" else ()
    space = tuple(axis.num_cells for axis in card.axes)
    return time + space + (card.num_dimensions,) * description.tensor_order


def boundary_groups(axis: str, kinds: tuple[BoundaryKind, BoundaryKind]) -> dict[str, tuple[BoundaryKind, list[int]]]:
    """Groups of one axis' ends: name -> its kind and the cells (first 0, last -1) that it marks."""
    if kinds[0] == kinds[1]:
        return {f"{axis}_ends": (kinds[0], [0, -1])}
    return {f"{axis}_low": (kinds[0], [0]), f"{axis}_high": (kinds[1], [-1])}

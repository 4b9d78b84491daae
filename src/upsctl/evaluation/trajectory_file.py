"""What `upsctl predict` writes: `times` (T,) and one array per variable field.

At the grid's nodes (T, *space, C), the given state first; at points `points` (N, D) and the predicted frames (T, N, C).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from upsctl.errors import UsageError
from upsctl.whole_file import whole_file


def refuse_target(path: Path, source: Path) -> None:
    """Before a rollout is made that could not be written.

    Raises:
        UsageError: when the path ends otherwise than in .npz or .h5, or is the initial state's.
    """
    if path.suffix not in (".npz", ".h5"):
        raise UsageError(f"{path}: unknown kind of file", expected="a path ending in .npz or .h5")
    if path.resolve() == source.resolve():
        raise UsageError(f"{path}: is the initial state", expected="another path for the rollout")


def write_trajectory(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to `.npz` or `.h5`, as the path says; a reader never sees half a file.

    Raises:
        DiskError: when the disk is full or not writable.
    """
    with whole_file(path) as partial:
        if path.suffix == ".npz":
            np.savez(partial, **dict[str, Any](arrays))
        else:
            with h5py.File(partial, "w", track_order=True) as file:
                for name, values in arrays.items():
                    file[name] = values

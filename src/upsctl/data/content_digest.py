"""Which bytes these are: the digest over an artifact's decoded arrays."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

import h5py
import numpy as np

from upsctl.sample import SplitName

_BLOCK = 1 << 22


def content_digest(files: Mapping[SplitName, Path]) -> str:
    """SHA-256 over names, dtypes, shapes and bytes of all decoded arrays, split by split.

    Compression, chunks and the HDF5 library's version do not change it.
    """
    lines: list[str] = []
    for split in sorted(files):
        with h5py.File(files[split], "r") as file:
            lines += [f"{split}/{line}" for line in _array_lines(file)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _array_lines(file: h5py.File) -> Iterable[str]:
    paths: list[str] = []
    file.visititems(lambda path, item: paths.append(path) if isinstance(item, h5py.Dataset) else None)
    for path in sorted(paths):
        array = file[path]
        assert isinstance(array, h5py.Dataset)
        yield f"{path} {array.dtype.str} {array.shape} {_array_digest(array)}"


def _array_digest(array: h5py.Dataset) -> str:
    digest = hashlib.sha256()
    rows = array.shape[0] if array.shape else 1
    per_block = max(1, _BLOCK // max(1, array.nbytes // max(1, rows)))
    for start in range(0, rows, per_block):
        block = array[start : start + per_block] if array.shape else array[()]
        digest.update(np.ascontiguousarray(block).tobytes())
    return digest.hexdigest()

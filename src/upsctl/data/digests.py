"""Which bytes these are (content digest), and which physics and code make them (source digest)."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import h5py
import numpy as np

from upsctl.dataset_card import DatasetCard, RecipeSource
from upsctl.sample import SplitName
from upsctl.source_digest import files_digest

_PROSE = ("title", "description", "licence", "citation")
_NOT_PHYSICS = (*_PROSE, "artifacts", "probes", "checks", "frame")
_BLOCK = 1 << 22


def card_digest(card: DatasetCard) -> str:
    """SHA-256 over the card without its `artifacts`."""
    return _json_digest(card.model_dump(mode="json", exclude={"artifacts"}))


def source_digest(card: DatasetCard, source_files: Mapping[str, str] | None = None) -> str:
    """SHA-256 over what decides the content: the card's physics, the recipe's or converter's source, and the seed.

    Prose, probes, checks and the normaliser's frame are left out: they describe the content and do not make it.

    Args:
        card: any card.
        source_files: raw file name -> SHA-256, for converted sets.
    """
    physics = card.model_dump(mode="json", exclude=set(_NOT_PHYSICS))
    for group in ("fields", "parameters"):
        for entry in physics[group].values():
            entry.pop("description")
    return _json_digest([physics, files_digest(_part_sources(card)), dict(source_files or {})])


def _part_sources(card: DatasetCard) -> list[str]:
    if isinstance(card.source, RecipeSource):
        return [f"upsctl/recipes/{card.source.recipe}.py", "upsctl/recipe_card.py"]
    return [f"upsctl/converters/{card.source.converter}.py"]


def file_digest(path: Path, algorithm: str = "sha256") -> str:
    """Hexadecimal hash over a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


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


def _json_digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

"""Which physics and code make a content (source digest), and the hashes of cards and files. Loads no HDF5."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from upsctl.dataset_card import DatasetCard, RecipeSource
from upsctl.source_digest import files_digest

_PROSE = ("title", "description", "licence", "citation")
_NOT_PHYSICS = (*_PROSE, "artifacts", "probes", "checks", "frame")


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


def _json_digest(values: object) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

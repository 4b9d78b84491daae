"""The manifest of an artifact: what made it, which files it has, which trajectories are in which split."""

from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from upsctl.dataset_card import Frozen
from upsctl.errors import IntegrityError
from upsctl.sample import SplitName
from upsctl.whole_file import write_json

MANIFEST_NAME, CARD_NAME, STATISTICS_NAME = "manifest.json", "card.yaml", "stats.yaml"
SCHEMA_VERSION: Literal[1] = 1


class FileRecord(Frozen):
    """One file of the artifact: its path inside the folder, its size and its SHA-256."""

    path: str
    num_bytes: int
    sha256: str


class Provenance(Frozen):
    """What made the content.

    Attributes:
        kind, part: a recipe or a converter, and which.
        source_digest: of the card's physics and the part's source; with a recipe, the recipe digest. For a converter,
            of the raw files too.
        source_files: raw file name -> its SHA-256; empty for a recipe.
        upsctl_version, commit: of the code; the commit is None where the code is not in a checkout.
    """

    kind: Literal["recipe", "converter"]
    part: str
    source_digest: str
    source_files: dict[str, str] = Field(default_factory=dict)
    upsctl_version: str
    commit: str | None = None


class ProbeMiss(Frozen):
    """A stored value that differs from the card's probe by more than 1e-5 of the field's rms."""

    trajectory_id: str
    field: str
    index: tuple[int, ...]
    expected: float
    got: float


class Manifest(Frozen):
    """Written last: its presence means that the artifact is complete.

    Attributes:
        card_digest: of the card without `artifacts`.
        content_digest: over names, dtypes, shapes and bytes of the decoded arrays.
        trajectories: split -> ids, in the order of the arrays' first axis.
        files: every other file.
        probe_misses: probes of the card that the content does not reproduce.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    name: str
    version: int
    card_digest: str
    content_digest: str
    provenance: Provenance
    trajectories: dict[SplitName, tuple[str, ...]]
    files: tuple[FileRecord, ...]
    probe_misses: tuple[ProbeMiss, ...] = ()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the artifact in `folder`.

    Raises:
        IntegrityError: when there is none (the artifact is not complete), or it is of another schema.
    """
    path = folder / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise IntegrityError(
            f"{folder}: no {MANIFEST_NAME}", expected="a complete artifact", next_step="`upsctl data fetch` makes one"
        ) from None
    except (ValidationError, UnicodeDecodeError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "not text"
        raise IntegrityError(f"{path}: {reason}", expected=f"a manifest of schema {SCHEMA_VERSION}") from None


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write the manifest in one step: no reader sees half of it."""
    write_json(manifest.model_dump(mode="json"), folder / MANIFEST_NAME)

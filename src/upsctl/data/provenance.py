"""What this code would say made the content: part, digest, version and commit."""

import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import upsctl
from upsctl.data.manifest import Provenance
from upsctl.dataset_card import DatasetCard


def build_provenance(card: DatasetCard, digest: str, source_files: Mapping[str, str] | None = None) -> Provenance:
    """What makes the content of `card`, with the version and commit of this code."""
    source = card.source.model_dump()
    kind = "recipe" if "recipe" in source else "converter"
    return Provenance(
        kind=kind,
        part=source[kind],
        source_digest=digest,
        source_files=dict(source_files or {}),
        upsctl_version=version("upsctl"),
        commit=_commit(),
    )


def _commit() -> str | None:
    package = Path(upsctl.__file__).parent
    if not (package.parents[1] / ".git").exists():
        return None
    command = ["git", "-C", str(package), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (FileNotFoundError, subprocess.CalledProcessError):  # no git here, or one that does not trust the folder
        return None

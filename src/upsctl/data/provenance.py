"""What this code would say made the content: part, digest, version and commit."""

from collections.abc import Mapping
from importlib.metadata import version

from upsctl.checkout import checkout_commit
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
        commit=checkout_commit(),
    )

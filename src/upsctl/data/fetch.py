"""A dataset by name: from the cache, else from a store that has it, else made by its recipe or from the vendor's files."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from upsctl.console import warn
from upsctl.data.artifact import Artifact
from upsctl.data.cache import Cache, CacheRecord
from upsctl.data.digests import source_digest
from upsctl.data.manifest import Manifest, read_manifest
from upsctl.data.recipe_run import make_artifact
from upsctl.dataset_card import DatasetCard, RecipeSource
from upsctl.profile_reader import load_profile
from upsctl.sample import SplitName


@dataclass(frozen=True)
class FetchResult:
    """Where a dataset is now and which source answered.

    Attributes:
        answered_by: `cache`, `store <name>`, `recipe <name>` or `converter <name>`.
        warnings: sentences about probes that the content misses, or stores that did not answer.
    """

    name: str
    path: Path
    answered_by: str
    num_bytes: int
    content_digest: str
    source_digest: str
    warnings: tuple[str, ...] = ()


def fetch_dataset(name: str, num_processes: int | None = None) -> FetchResult:
    """Bring the dataset `name` into the cache and say which source answered.

    Args:
        name: of a card, or a card's path.
        num_processes: solvers of a recipe at a time; as many as there are processors when None.

    Raises:
        ProfileError: when there is no such card.
        StoreError: when only the vendor has it and does not answer.
        IntegrityError, DiskError, ResourcesError: as the source's own work raises them.
    """
    return _fetch(load_profile("datasets", name).profile, Cache.default(), num_processes or os.cpu_count() or 1)


def open_dataset(name: str, splits: Sequence[SplitName]) -> Artifact:
    """Fetch if needed, mark as used by this process until it ends, and open for `splits`.

    The card is the present one: the artifact's own differs from it at most in what does not make the content (prose,
    probes, the normaliser's frame), or the digests would differ.
    """
    card, cache = load_profile("datasets", name).profile, Cache.default()
    result = _fetch(card, cache, os.cpu_count() or 1)
    for line in result.warnings:
        warn(line)
    record = cache.find(card.name, result.source_digest)
    assert record is not None
    cache.hold(record)
    artifact = Artifact.open(result.path, splits)
    return replace(artifact, card=card) if isinstance(card.source, RecipeSource) else artifact


def _fetch(card: DatasetCard, cache: Cache, num_processes: int) -> FetchResult:
    digest = source_digest(card)
    with cache.lock(card.name):
        record = cache.find(card.name, digest)
        if record is not None:
            return _result(cache, record, "cache")
        return _make(card, cache, digest, num_processes)


def _make(card: DatasetCard, cache: Cache, digest: str, num_processes: int) -> FetchResult:
    assert isinstance(card.source, RecipeSource)
    origin = f"recipe {card.source.recipe}"
    with cache.new_folder() as folder:
        make_artifact(card, folder, cache.root / "scratch" / f"{card.name}-{digest[:16]}", num_processes)
        return _result(cache, cache.adopt(folder, origin), origin)


def _result(cache: Cache, record: CacheRecord, answered_by: str) -> FetchResult:
    path = cache.path(record)
    warnings = tuple(_probe_warnings(read_manifest(path)))
    return FetchResult(
        record.name, path, answered_by, record.num_bytes, record.content_digest, record.source_digest, warnings
    )


def _probe_warnings(manifest: Manifest) -> list[str]:
    return [
        f"{manifest.name}: probe {miss.trajectory_id} {miss.field}{list(miss.index)}: expected {miss.expected:.9g}, "
        f"got {miss.got:.9g}: not the content that the card means"
        for miss in manifest.probe_misses
    ]

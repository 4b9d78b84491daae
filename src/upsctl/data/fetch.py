"""A dataset by name: from the cache, else from a store, else made by its recipe or from the vendor's files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from upsctl.console import warn
from upsctl.cores import count_cores
from upsctl.data.artifact import Artifact
from upsctl.data.cache import Cache, CacheRecord
from upsctl.data.checker import check_artifact
from upsctl.data.digests import source_digest
from upsctl.data.disk import reported_disk_errors
from upsctl.data.manifest import MANIFEST_NAME, Manifest, read_manifest
from upsctl.data.recipe_run import make_artifact
from upsctl.data.store_source import fetch_archive
from upsctl.data.vendor_source import fetch_from_vendor
from upsctl.dataset_card import ArtifactRecord, DatasetCard, RecipeSource
from upsctl.errors import IntegrityError, ProfileError, ResourcesError, StoreError
from upsctl.profile_reader import load_profile
from upsctl.sample import SplitName


@dataclass(frozen=True)
class FetchResult:
    """Where a dataset is now and which source answered.

    Attributes:
        answered_by: `cache`, `store <name>`, `recipe <name>` or `converter <name>`.
        warnings: sentences about probes that the content misses, and stores that did not answer.
    """

    name: str
    path: Path
    answered_by: str
    num_bytes: int
    content_digest: str
    source_digest: str
    warnings: tuple[str, ...] = ()


def fetch_dataset(name: str, num_processes: int | None = None, is_checked: bool = False) -> FetchResult:
    """Bring the dataset `name` into the cache and say which source answered.

    Args:
        name: of a card, or a card's path.
        num_processes: solvers of a recipe at a time; as many as there are processors when None.
        is_checked: hold every rule against an entry that the cache has; a damaged one is removed and fetched anew.

    Raises:
        ProfileError: when there is no such card.
        StoreError: when only the vendor has it and does not answer.
        DiskError: when there is no space.
        DataError, IntegrityError, ResourcesError: as the source's own work raises them.
    """
    card, cache = load_profile("datasets", name).profile, Cache.default()
    with cache.lock(card.name), reported_disk_errors(f"fetching {card.name}"):
        if is_checked:
            remove_broken(cache, card)
        return _fetch(card, cache, num_processes or count_cores())


def open_dataset(name: str, splits: Sequence[SplitName]) -> Artifact:
    """Fetch if needed, keep from being pruned until this process ends, and open for `splits`.

    The card is the present one: an artifact's own differs from it at most in what does not make the content (prose,
    probes, the normaliser's frame), or the digests would differ.

    Args:
        name: of a card, a card's path, or the folder of an artifact.
        splits: the only splits that can be read.

    Raises:
        UpsctlError: as `fetch_dataset` and `Artifact.open` do.
    """
    if (Path(name) / MANIFEST_NAME).is_file():
        return Artifact.open(Path(name), splits)
    artifact = Artifact.open(hold_dataset(name).path, splits)
    card = load_profile("datasets", name).profile
    return replace(artifact, card=card) if isinstance(card.source, RecipeSource) else artifact


def hold_dataset(name: str) -> FetchResult:
    """Fetch if needed, and keep the cache's entry from being pruned until this process ends."""
    card, cache = load_profile("datasets", name).profile, Cache.default()
    with cache.lock(card.name), reported_disk_errors(f"fetching {card.name}"):
        result = _fetch(card, cache, count_cores())
        record = cache.find(card.name, result.source_digest)
        assert record is not None
        cache.hold(record)
    for line in result.warnings:
        warn(line)
    return result


def _fetch(card: DatasetCard, cache: Cache, num_processes: int) -> FetchResult:
    digest = source_digest(card)
    cache.remove_damaged(card.name)
    record = cache.find(card.name, digest)
    if record is not None:
        return _result(cache, record, "cache")
    warnings: list[str] = []
    for stored in card.artifacts:
        answer = _fetch_stored(cache, card.name, stored, digest, warnings)
        if answer is not None:
            return _result(cache, answer, f"store {stored.store}", warnings)
    record = _make(card, cache, digest, num_processes)
    return _result(cache, record, record.origin, warnings)


def _fetch_stored(
    cache: Cache, name: str, stored: ArtifactRecord, digest: str, warnings: list[str]
) -> CacheRecord | None:
    """From one store; None, and a sentence, where it cannot serve, since the next source can."""
    if stored.source_digest != digest:
        warnings.append(f"store {stored.store}: holds what an earlier card or recipe made; not used")
        return None
    downloads = cache.scratch(name) / f"archive-{stored.archive_digest[:16]}"
    try:
        with cache.new_folder() as folder:
            return cache.adopt(fetch_archive(stored, folder, downloads), f"store {stored.store}")
    except (IntegrityError, ProfileError, ResourcesError, StoreError) as error:
        warnings.append(error.line)
        return None


def _make(card: DatasetCard, cache: Cache, digest: str, num_processes: int) -> CacheRecord:
    scratch = cache.scratch(card.name) / digest[:16]
    with cache.new_folder() as folder:
        if isinstance(card.source, RecipeSource):
            make_artifact(card, folder, scratch, num_processes)
            return cache.adopt(folder, f"recipe {card.source.recipe}")
        fetch_from_vendor(card, folder, scratch)
        return cache.adopt(folder, f"converter {card.source.converter}")


def remove_broken(cache: Cache, card: DatasetCard) -> None:
    """Hold every rule of the format against the entry of a card, if there is one, and remove it if it breaks any."""
    cache.remove_damaged(card.name)
    record = cache.find(card.name, source_digest(card))
    violations = check_artifact(cache.path(record)) if record is not None else []
    if record is not None and violations:
        warn(f"{cache.path(record)}: {violations[0].line}; removed")
        cache.remove(record)


def _result(cache: Cache, record: CacheRecord, answered_by: str, warnings: Sequence[str] = ()) -> FetchResult:
    path = cache.path(record)
    return FetchResult(
        name=record.name,
        path=path,
        answered_by=answered_by,
        num_bytes=record.num_bytes,
        content_digest=record.content_digest,
        source_digest=record.source_digest,
        warnings=(*warnings, *_probe_warnings(read_manifest(path))),
    )


def _probe_warnings(manifest: Manifest) -> list[str]:
    return [
        f"{manifest.name}: probe {miss.trajectory_id} {miss.field}{list(miss.index)}: expected {miss.expected:.9g}, "
        f"got {miss.got:.9g}: not the content that the card means"
        for miss in manifest.probe_misses
    ]

"""Every rule of the format, held against an artifact wherever it is: `upsctl data verify`."""

from dataclasses import dataclass
from pathlib import Path

from upsctl.data.archive import archive_parts, unpack_archive
from upsctl.data.cache import Cache
from upsctl.data.checker import check_artifact
from upsctl.data.digests import source_digest
from upsctl.data.disk import reported_disk_errors
from upsctl.data.manifest import MANIFEST_NAME
from upsctl.data.violation import Violation
from upsctl.errors import DataError, ProfileError
from upsctl.profile_reader import load_profile


@dataclass(frozen=True)
class Verification:
    """What was looked at, the rules that it breaks, and what to do if it does."""

    path: Path
    violations: tuple[Violation, ...]
    next_step: str


def verify_data(reference: str) -> Verification:
    """Check an unpacked artifact's folder, an archive (or one of its parts), or the cache's entry of a name.

    Raises:
        ProfileError: when it is no path, and no card has that name.
        DataError: when the cache does not hold the dataset.
        IntegrityError: when an archive is altered or truncated.
    """
    path = Path(reference)
    if path.is_file() and path.suffix not in (".yaml", ".yml"):
        return _verify_archive(path)
    if (path / MANIFEST_NAME).is_file() or (path.is_dir() and not _is_name(reference)):
        return Verification(path, tuple(check_artifact(path)), "make or copy it again")
    entry = _cached(reference)
    next_step = f"`upsctl data fetch {reference} --verify` fetches it anew"
    return Verification(entry, tuple(check_artifact(entry)), next_step)


def _verify_archive(path: Path) -> Verification:
    with reported_disk_errors(f"unpacking {path}"), Cache.default().new_folder() as folder:
        violations = check_artifact(unpack_archive(archive_parts(path), folder))
    return Verification(path, tuple(violations), "pack it again from a sound artifact")


def _is_name(reference: str) -> bool:
    try:
        return bool(load_profile("datasets", reference).name)
    except ProfileError:
        return False


def _cached(name: str) -> Path:
    card, cache = load_profile("datasets", name).profile, Cache.default()
    records = [record for record in cache.records() if record.name == card.name]
    current = [record for record in records if record.source_digest == source_digest(card)]
    if not current:
        raise DataError(f"{name}: not in the cache", next_step=f"`upsctl data fetch {name}`")
    return cache.path(current[-1])

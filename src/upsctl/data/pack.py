"""An artifact as an archive in a folder, and back from there into the cache."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from upsctl.data.archive import PART_BYTES, Archive, archive_parts, unpack_archive, write_archive
from upsctl.data.cache import Cache
from upsctl.data.checker import check_artifact
from upsctl.data.digests import source_digest
from upsctl.data.disk import reported_disk_errors
from upsctl.data.fetch import FetchResult, fetch_dataset, hold_dataset, remove_broken
from upsctl.data.fetch_plan import plan_fetch
from upsctl.data.manifest import MANIFEST_NAME, read_manifest
from upsctl.data.working_folder import working_folder
from upsctl.errors import DataError, IntegrityError, UsageError
from upsctl.profile_reader import load_profile


@dataclass(frozen=True)
class PackPlan:
    """What would be packed, and its size before compression, as far as its card or manifest says it."""

    name: str
    num_bytes: int
    is_fetched_first: bool


def plan_pack(reference: str) -> PackPlan:
    """What `pack_dataset` would pack; nothing is fetched.

    Raises:
        ProfileError: when there is no such dataset.
    """
    if (Path(reference) / MANIFEST_NAME).is_file():
        manifest = read_manifest(Path(reference))
        return PackPlan(manifest.name, sum(record.num_bytes for record in manifest.files), is_fetched_first=False)
    plan = plan_fetch(reference)
    return PackPlan(plan.name, plan.num_bytes, is_fetched_first=plan.first_source != "cache")


def pack_dataset(reference: str, output: Path, part_bytes: int = PART_BYTES) -> Archive:
    """Pack an artifact into `output`; all parts appear together, the same artifact gives the same bytes.

    Args:
        reference: a dataset's name, fetched first if the cache lacks it; or an unpacked artifact's folder.
        output: a folder, made if it is not there.
        part_bytes: a part's largest size.

    Raises:
        UsageError: when the folder has parts of that archive that were cut to another size.
        DiskError: when there is no space.
    """
    artifact = Path(reference) if (Path(reference) / MANIFEST_NAME).is_file() else hold_dataset(reference).path
    name = read_manifest(artifact).name
    with reported_disk_errors(f"packing {name}"), working_folder(output, f".packing-{name}-") as folder:
        archive = write_archive(artifact, folder, _rename_part, part_bytes)
        keys = [part.key for part in archive.parts]
        _refuse_other_parts(output, f"{name}.tar.zst", keys)
        for key in keys:
            (folder / key).replace(output / key)
    return archive


def import_archive(name: str, path: Path) -> FetchResult:
    """Bring a packed artifact of the dataset `name` into the cache, in place of an entry that is damaged.

    Args:
        name: of a card, or a card's path.
        path: the archive, or one of its parts.

    Raises:
        IntegrityError: when the archive is altered or truncated, or its artifact breaks a rule.
        DataError: when it holds another dataset, or what an earlier card or recipe made.
        DiskError: when there is no space.
    """
    card, cache = load_profile("datasets", name).profile, Cache.default()
    parts = archive_parts(path)
    with cache.lock(card.name), reported_disk_errors(f"unpacking {path}"), cache.new_folder() as folder:
        artifact = unpack_archive(parts, folder)
        manifest = read_manifest(artifact)
        if manifest.name != card.name:
            raise DataError(f"{path}: dataset", expected=card.name, got=manifest.name)
        if manifest.provenance.source_digest != source_digest(card):
            raise DataError(f"{path}: what an earlier card, recipe or other files made", expected=f"the present {name}")
        violations = check_artifact(artifact)
        if violations:
            raise IntegrityError(f"{path}: {violations[0].line}")
        remove_broken(cache, card)
        cache.adopt(artifact, f"archive {path.name}")
    return replace(fetch_dataset(name), answered_by=f"archive {path.name}")


def _rename_part(part: Path, name: str) -> None:
    part.replace(part.with_name(name))


def _refuse_other_parts(output: Path, name: str, keys: Sequence[str]) -> None:
    others = sorted(path.name for path in output.glob(f"{name}*") if path.name not in keys)
    if others:
        raise UsageError(
            f"{output}: has {others[0]}, cut to another size", expected="one archive of a name in a folder",
            next_step="remove it, or choose another --output",
        )  # fmt: skip

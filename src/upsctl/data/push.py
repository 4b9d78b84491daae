"""An artifact into a store, and the record of it into the card: `upsctl data push`."""

import os
import shutil
from pathlib import Path

import platformdirs
from ruamel.yaml import YAML

from upsctl.data.archive import PART_BYTES, write_archive
from upsctl.data.cache import Cache
from upsctl.data.disk import reported_disk_errors
from upsctl.data.fetch import hold_dataset
from upsctl.data.manifest import read_manifest
from upsctl.data.open_store import open_writable_store
from upsctl.dataset_card import ArtifactRecord
from upsctl.profile_reader import find_profile, load_profile, shipped_profiles
from upsctl.whole_file import whole_file


def push_dataset(name: str, store_name: str, part_bytes: int = PART_BYTES) -> tuple[ArtifactRecord, Path]:
    """Pack the dataset part by part straight into the store, and write where it is into its card.

    Args:
        name: of a card, or a card's path; fetched first if the cache does not hold it.
        store_name: a profile of stores/, by name or path.
        part_bytes: a part's largest size; no more than one part stands on the local disk.

    Returns:
        The record, and the card file that holds it now.

    Raises:
        StoreError, DiskError: when the store is read-only or refuses.
    """
    store = open_writable_store(store_name)
    result = hold_dataset(name)
    prefix = f"{result.name}-{result.content_digest[:16]}"

    def deliver(part: Path, part_name: str) -> None:
        store.put(part, f"{prefix}/{part_name}")
        part.unlink()

    with Cache.default().new_folder() as folder, reported_disk_errors(f"packing {result.name}"):
        archive = write_archive(result.path, folder, deliver, part_bytes)
    parts = tuple(part.model_copy(update={"key": f"{prefix}/{part.key}"}) for part in archive.parts)
    record = ArtifactRecord(
        store=store_name,
        parts=parts,
        archive_digest=archive.digest,
        content_digest=result.content_digest,
        source_digest=read_manifest(result.path).provenance.source_digest,
    )
    with Cache.default().lock(result.name):
        return record, write_record(name, record)


def write_record(name: str, record: ArtifactRecord) -> Path:
    """Put `record` into the card's file, in place of an older one of the same store; comments stay.

    A card inside the installed package, or one that cannot be written, is copied to the user's config folder first.
    """
    path = _writable_card(name)
    yaml = YAML(typ="rt")
    yaml.width, yaml.preserve_quotes = 120, True
    yaml.indent(mapping=2, sequence=4, offset=2)
    card = yaml.load(path.read_text(encoding="utf-8"))
    others = [entry for entry in card.get("artifacts") or [] if entry["store"] != record.store]
    card["artifacts"] = [*others, record.model_dump(mode="json")]
    with whole_file(path) as partial, partial.open("w", encoding="utf-8") as stream:
        yaml.dump(card, stream)
    return path


def card_to_write(name: str) -> Path:
    """The file that `write_record` would write."""
    path = find_profile("datasets", name)
    is_packaged = (Path(__file__).parents[1] / "shipped_profiles") == shipped_profiles() and path.is_relative_to(
        shipped_profiles()
    )
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) and not is_packaged:
        return path
    return Path(platformdirs.user_config_dir("upsctl")) / "profiles" / "datasets" / path.name


def _writable_card(name: str) -> Path:
    source, target = find_profile("datasets", name), card_to_write(name)
    with reported_disk_errors(str(target)):
        if not target.exists():
            with whole_file(target) as partial:
                shutil.copyfile(source, partial)
    load_profile("datasets", str(target))  # refuse to write into a card that does not hold
    return target


"""An artifact from a store: parts downloaded one by one, each checked by its hash, unpacked, held against the rules."""

import shutil
from pathlib import Path

from upsctl.console import progress_bar
from upsctl.data.archive import unpack_archive
from upsctl.data.checker import check_artifact
from upsctl.data.digests import file_digest
from upsctl.data.manifest import read_manifest
from upsctl.data.open_store import open_store
from upsctl.dataset_card import ArchivePart, ArtifactRecord
from upsctl.errors import IntegrityError
from upsctl.interfaces import AbstractStore


def fetch_archive(record: ArtifactRecord, target: Path, downloads: Path) -> Path:
    """Bring one pushed artifact into `target`; returns its folder inside.

    Args:
        record: from the card.
        target: an empty folder.
        downloads: keeps whole and half parts, so that a cut download goes on; removed at the end.

    Raises:
        StoreError: when the store does not answer or lacks a part.
        IntegrityError: when bytes, content or format are not what the record promises.
    """
    downloads.mkdir(parents=True, exist_ok=True)
    store, paths = open_store(record.store), []
    total = sum(part.num_bytes for part in record.parts)
    with progress_bar(f"fetching from {record.store}, bytes", total) as bar:
        for number, part in enumerate(record.parts):
            paths.append(_fetch_part(store, part, downloads / f"{number:03d}-{part.sha256[:16]}"))
            bar.advance(part.num_bytes)
    folder = unpack_archive(paths, target)
    _refuse_other_content(record, folder)
    shutil.rmtree(downloads)
    return folder


def _fetch_part(store: AbstractStore, part: ArchivePart, path: Path) -> Path:
    store.get(part.key, path)
    digest = file_digest(path)
    if digest != part.sha256:
        path.unlink()  # the next call starts from the first byte
        raise IntegrityError(
            f"{part.key}: altered in the store",
            expected=f"SHA-256 {part.sha256}",
            got=digest,
            next_step="fetch again, or push it again",
        )
    return path


def _refuse_other_content(record: ArtifactRecord, folder: Path) -> None:
    violations = check_artifact(folder)
    if violations:
        raise IntegrityError(f"{folder.name} from {record.store}: {violations[0].line}")
    digest = read_manifest(folder).content_digest
    if digest != record.content_digest:
        raise IntegrityError(
            f"{folder.name} from {record.store}", expected=f"content {record.content_digest}", got=digest
        )

"""The local cache: entries named by content, a record for each, and leases that keep a running job's entry.

    <root>/entries/<name>-<digest>/    one unpacked artifact; appears by a rename, so it is whole or not there
    <root>/records/<name>-<digest>.json
    <root>/leases/<name>-<digest>      locked in shared mode by every process that holds the entry
    <root>/scratch/<name>/             work under way on a dataset, kept so that it can go on
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout
from pydantic import ValidationError

from upsctl.console import say, warn
from upsctl.data.manifest import Manifest, read_manifest
from upsctl.data.working_folder import working_folder
from upsctl.dataset_card import Frozen
from upsctl.errors import DiskError, IntegrityError
from upsctl.whole_file import write_json

ROOT_VARIABLE = "UPSCTL_DATA_ROOT"


class CacheRecord(Frozen):
    """One entry: what it is, where it came from, when it was last used (seconds since 1970)."""

    entry: str
    name: str
    content_digest: str
    source_digest: str
    num_bytes: int
    origin: str
    last_used: float


class Cache:
    """The cache under one root folder; several processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            for folder in ("entries", "records", "leases", "locks", "scratch"):
                (root / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DiskError(
                f"{root}: {error.strerror}", expected="a folder to write in", next_step=f"set {ROOT_VARIABLE}"
            ) from None

    @classmethod
    def default(cls) -> "Cache":
        """The cache in `UPSCTL_DATA_ROOT`, or in the user's cache folder."""
        own = os.environ.get(ROOT_VARIABLE)
        return cls(Path(own).expanduser() if own else Path(platformdirs.user_cache_dir("upsctl")) / "data")

    def path(self, record: CacheRecord) -> Path:
        """The unpacked artifact."""
        return self.root / "entries" / record.entry

    def records(self) -> list[CacheRecord]:
        """All entries that are there, the least recently used first."""
        found = []
        for path in sorted((self.root / "records").glob("*.json")):
            try:
                record = CacheRecord.model_validate_json(path.read_bytes())
            except FileNotFoundError:  # pruned by another process since the listing
                continue
            except ValidationError:
                warn(f"{path}: not a cache record; left alone")
                continue
            if self.path(record).is_dir():
                found.append(record)
        return sorted(found, key=lambda record: record.last_used)

    def find(self, name: str, source_digest: str) -> CacheRecord | None:
        """The newest entry of that name and source digest whose files have the sizes that its manifest says."""
        for record in reversed(self.records()):
            if record.name == name and record.source_digest == source_digest and is_whole(self.path(record)):
                return record
        return None

    def remove_damaged(self, name: str) -> None:
        """Remove the entries of that name whose files have other sizes than their manifest says."""
        for record in self.records():
            if record.name == name and not is_whole(self.path(record)):
                warn(f"{self.path(record)}: damaged; removed")
                self.remove(record)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Held by the one process that fetches `name`; others wait."""
        lock = FileLock(self.root / "locks" / f"{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"{name}: waiting for another process that works on it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def new_folder(self) -> Iterator[Path]:
        """An empty folder on the cache's disk for an entry in the making; whatever is left in it is removed."""
        with working_folder(self.root / "entries", ".new-") as folder:
            yield folder

    def adopt(self, folder: Path, origin: str) -> CacheRecord:
        """Make a finished artifact an entry: rename it, then write its record."""
        manifest = read_manifest(folder)
        record = _record_of(manifest, folder, origin)
        with self._records_lock():
            if not self.path(record).exists():
                folder.rename(self.path(record))
            self._write(record)
        return record

    def hold(self, record: CacheRecord) -> None:
        """Mark the entry as used now and keep it from being pruned until this process ends."""
        with self._records_lock():
            if not self.path(record).is_dir():
                raise IntegrityError(f"{self.path(record)}: pruned by another process", next_step="run it again")
            lease = os.open(self._lease(record), os.O_RDWR | os.O_CREAT, 0o644)  # stays open: the kernel ends the lock
            fcntl.flock(lease, fcntl.LOCK_SH)
            self._write(record.model_copy(update={"last_used": time.time()}))

    def is_held(self, record: CacheRecord) -> bool:
        """Whether a running process holds the entry now; it may take it or let it go at any moment."""
        if not self._lease(record).exists():
            return False
        lease = os.open(self._lease(record), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lease)
        return False

    def remove(self, record: CacheRecord) -> None:
        """Remove one entry, whoever holds it: out of sight by a rename, then its bytes."""
        with self.new_folder() as doomed, self._records_lock():
            self._move(record, doomed)

    def remove_unheld(self, record: CacheRecord) -> bool:
        """Remove one entry unless a running process holds it; whether it was removed."""
        with self.new_folder() as doomed, self._records_lock():
            if self.is_held(record):
                return False
            self._move(record, doomed)
            return True

    def _move(self, record: CacheRecord, doomed: Path) -> None:
        (self.root / "records" / f"{record.entry}.json").unlink(missing_ok=True)
        if self.path(record).exists():
            self.path(record).rename(doomed / "entry")

    def prune(self, max_bytes: int, dry_run: bool = False) -> tuple[list[CacheRecord], list[CacheRecord]]:
        """Free the least recently used entries until at most `max_bytes` are taken.

        Returns:
            The entries removed, and those kept only because a running process holds them.
        """
        records, removed, held = self.records(), [], []
        taken = sum(record.num_bytes for record in records)
        for record in records:
            if taken <= max_bytes:
                break
            if self.is_held(record) if dry_run else not self.remove_unheld(record):
                held.append(record)
                continue
            removed.append(record)
            taken -= record.num_bytes
        return removed, held

    def scratch(self, name: str) -> Path:
        """Where unfinished work on `name` is kept."""
        return self.root / "scratch" / name

    def _lease(self, record: CacheRecord) -> Path:
        return self.root / "leases" / record.entry

    def _records_lock(self) -> FileLock:
        return FileLock(self.root / "locks" / ".records.lock")

    def _write(self, record: CacheRecord) -> None:
        write_json(record.model_dump(mode="json"), self.root / "records" / f"{record.entry}.json")


def is_whole(folder: Path) -> bool:
    """Whether the manifest is there and every file has the size that it says: a look, not a proof."""
    try:
        manifest = read_manifest(folder)
    except IntegrityError:
        return False
    files = {folder / record.path: record.num_bytes for record in manifest.files}
    return all(path.is_file() and path.stat().st_size == size for path, size in files.items())


def _record_of(manifest: Manifest, folder: Path, origin: str) -> CacheRecord:
    return CacheRecord(
        entry=f"{manifest.name}-{manifest.content_digest[:16]}",
        name=manifest.name,
        content_digest=manifest.content_digest,
        source_digest=manifest.provenance.source_digest,
        num_bytes=sum(record.num_bytes for record in manifest.files),
        origin=origin,
        last_used=time.time(),
    )

"""Room on the disk: entries of the cache, and work on datasets that was stopped and can go on."""

import os
import shutil
from pathlib import Path

from filelock import FileLock, Timeout

from upsctl.console import Result, say
from upsctl.data.byte_text import byte_text
from upsctl.data.cache import Cache


def prune_cache(max_bytes: int, with_unfinished: bool = False, is_dry_run: bool = False) -> Result:
    """Free the least recently used entries until the cache takes at most `max_bytes`, and say which they were."""
    cache, verb = Cache.default(), "would free" if is_dry_run else "freed"
    removed, held = cache.prune(max_bytes, dry_run=is_dry_run)
    unfinished = unfinished_bytes(cache)
    if with_unfinished and not is_dry_run:
        remove_unfinished(cache)
    lines = [f"{verb} {record.name}, {byte_text(record.num_bytes)}" for record in removed]
    lines += [f"kept {record.name}, which a running process holds" for record in held]
    if unfinished:
        lines.append(f"{verb if with_unfinished else 'kept'} unfinished work, {byte_text(unfinished)}")
    doomed = {record.entry for record in removed}
    left = sum(record.num_bytes for record in cache.records() if record.entry not in doomed)
    values = {
        "removed": [record.model_dump() for record in removed], "held": [record.model_dump() for record in held],
        "num_bytes_left": left, "unfinished_bytes": unfinished, "is_dry_run": is_dry_run,
    }  # fmt: skip
    return Result(values, [*lines, f"the cache {'would take' if is_dry_run else 'takes'} {byte_text(left)}"])


def unfinished_bytes(cache: Cache) -> int:
    """How much unfinished work takes; what a process moves away meanwhile does not count."""
    files = (Path(folder) / name for folder, _, names in os.walk(cache.root / "scratch") for name in names)
    return sum(_size(path) for path in files)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def remove_unfinished(cache: Cache) -> None:
    """Remove unfinished work on every dataset that no process works on."""
    for folder in sorted((cache.root / "scratch").iterdir()):
        lock = FileLock(cache.root / "locks" / f"{folder.name}.lock")
        try:
            with lock.acquire(timeout=0):
                shutil.rmtree(folder)
        except Timeout:
            say(f"{folder.name}: kept, as a process works on it")

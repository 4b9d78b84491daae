"""A file appears whole or not at all: the one way in which a single file is written, and lines are added and read."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock

from upsctl.errors import DataError, DiskError


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to: it becomes `path` when the block ends, and vanishes when it is left otherwise.

    The folder is made if there is none. A kill -9 leaves at most a hidden file, and `path` as it was.

    Raises:
        DiskError: when the disk is full or not writable.
    """
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DiskError(f"{path}: not written", got=reason, next_step="`upsctl doctor` shows the disks") from error
    finally:
        partial.unlink(missing_ok=True)


def append_lines(path: Path, lines: Iterable[str]) -> None:
    """Add lines at the end of a text: all of them or none, one process at a time.

    Raises:
        DiskError: when the disk is full or not writable; the file is as before.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f".{path.name}.lock")), whole_file(path) as partial, partial.open("wb") as stream:
            before = path.read_bytes() if path.is_file() else b""
            stream.write(before + "".join(f"{line}\n" for line in lines).encode())
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise DiskError(f"{path}: not written", got=str(error), next_step="make room and try again") from error


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file that grows by lines; none where it is not there yet.

    Raises:
        DataError: naming the line that is no JSON object.
    """
    lines = path.read_bytes().splitlines() if path.is_file() else []
    return [read_json_object(path, number, line) for number, line in enumerate(lines, start=1)]


def read_json_object(path: Path, number: int, line: bytes, keys: Sequence[str] = ()) -> dict[str, Any]:
    """One line of such a file, the `number`-th.

    Raises:
        DataError: when it is no JSON object that has `keys`.
    """
    try:
        found = json.loads(line)
    except ValueError as error:
        raise DataError(f"{path}:{number}: not JSON ({error})", next_step="remove the line") from None
    if not isinstance(found, dict) or any(key not in found for key in keys):
        expected = f"a JSON object with {', '.join(keys)}" if keys else "a JSON object"
        raise DataError(f"{path}:{number}", expected=expected, next_step="remove the line")
    return found


def write_json(values: object, path: Path) -> None:
    """Write JSON, keys sorted, for people and programs."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")

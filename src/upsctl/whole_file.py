"""A file appears whole or not at all: the one way in which a single file is written."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from upsctl.errors import DiskError


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


def write_json(values: object, path: Path) -> None:
    """Write JSON, keys sorted, for people and programs."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n", encoding="utf-8")

"""A hidden folder for work that appears by a rename; a killed process' own is removed by the next one."""

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def working_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in `parent`; what is left in it at the end is removed.

    It is locked while this process lives, so that those which killed processes left are told from those in use.

    Args:
        parent: on the disk where the result will stand; made if it is not there.
        prefix: of the folder's name, beginning with a dot.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _remove_left(parent, prefix)
    folder, lease = _new_folder(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lease)


def _remove_left(parent: Path, prefix: str) -> None:
    for path in sorted(parent.glob(f"{glob.escape(prefix)}*")):
        try:
            lease = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(path, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(lease)


def _new_folder(parent: Path, prefix: str) -> tuple[Path, int]:
    """The folder and its lock; another process may remove it before it is locked, then there is another."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        lease = os.open(folder, os.O_RDONLY)
        fcntl.flock(lease, fcntl.LOCK_EX)
        if folder.exists():
            folder.chmod(0o755)
            return folder, lease
        os.close(lease)

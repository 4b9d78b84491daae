"""A store that is a folder: of this machine, or of a disk that is mounted."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

from upsctl.errors import StoreError
from upsctl.interfaces import AbstractStore
from upsctl.whole_file import whole_file

_BLOCK = 1 << 22


class FolderStore(AbstractStore):
    """Keys are paths below the folder; a file appears by a rename."""

    def __init__(self, address: str) -> None:
        self._root = Path(address).expanduser()

    @property
    def is_writable(self) -> bool:
        """Always: what the disk refuses is a DiskError."""
        return True

    def put(self, source: Path, key: str) -> None:
        """Copy to the key's place, at once or not at all.

        Raises:
            DiskError: when the folder cannot be written.
        """
        with whole_file(self._root / key) as partial:
            shutil.copyfile(source, partial)

    def get(self, key: str, target: Path) -> None:
        """Copy the bytes that `target` does not have yet.

        Raises:
            StoreError: when there is no such key, or its file cannot be opened.
            OSError: when the disk here is full or not writable.
        """
        with self._opened(key) as reader:
            size = os.fstat(reader.fileno()).st_size
            done = target.stat().st_size if target.exists() else 0
            with target.open("ab" if done <= size else "wb") as writer:
                reader.seek(writer.tell())
                shutil.copyfileobj(reader, writer, _BLOCK)

    def list(self, prefix: str = "") -> list[str]:
        """The keys that start with `prefix`, sorted; copies under way are not keys."""
        files = [path for path in self._root.rglob("*") if path.is_file() and not path.name.startswith(".")]
        keys = [path.relative_to(self._root).as_posix() for path in files]
        return sorted(key for key in keys if key.startswith(prefix))

    def _opened(self, key: str) -> BinaryIO:
        try:
            return (self._root / key).open("rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise StoreError(f"store {self._root}: no {key}", next_step="`upsctl data push` puts it there") from None
        except OSError as error:
            raise StoreError(f"{self._root / key}: {error.strerror}", expected="a file that can be read") from None

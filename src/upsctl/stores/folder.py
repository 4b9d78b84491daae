"""A store that is a folder: of this machine, or of a disk that is mounted."""

import os
import shutil
from pathlib import Path

from upsctl.errors import DiskError, StoreError
from upsctl.interfaces import AbstractStore

_BLOCK = 1 << 22


class FolderStore(AbstractStore):
    """Keys are paths below the folder; a file appears by a rename."""

    def __init__(self, address: str) -> None:
        self._root = Path(address).expanduser()

    def put(self, source: Path, key: str) -> None:
        """Copy beside the key's place, then rename.

        Raises:
            DiskError: when the folder cannot be written.
        """
        target = self._root / key
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, temporary)
            temporary.replace(target)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise DiskError(f"store {self._root}: {error.strerror}", expected="a folder to write in") from None

    def get(self, key: str, target: Path) -> None:
        """Copy the bytes that `target` does not have yet.

        Raises:
            StoreError: when there is no such key.
        """
        source = self._root / key
        if not source.is_file():
            raise StoreError(f"store {self._root}: no {key}", next_step="`upsctl data push` puts it there")
        done = target.stat().st_size if target.exists() else 0
        with source.open("rb") as reader, target.open("ab" if done <= source.stat().st_size else "wb") as writer:
            reader.seek(writer.tell())
            shutil.copyfileobj(reader, writer, _BLOCK)

    def list(self, prefix: str = "") -> list[str]:
        """The keys that start with `prefix`, sorted; copies under way are not keys."""
        files = [path for path in self._root.rglob("*") if path.is_file() and not path.name.startswith(".")]
        keys = [path.relative_to(self._root).as_posix() for path in files]
        return sorted(key for key in keys if key.startswith(prefix))

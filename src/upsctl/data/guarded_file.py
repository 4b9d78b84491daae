"""A file that HDF5 writes to and a full disk does not harm.

HDF5 cannot end a file that it can no longer write: it prints errors while it closes, and may crash. So the first error
is kept, what is written after it is dropped, and the error is raised when HDF5 has returned. As Python is called from
within HDF5, a Ctrl-C there would be lost and the file with it: write and close inside `uninterrupted`.
"""

import io
from pathlib import Path

import h5py
from typing_extensions import Buffer


class _KeepingWriter(io.RawIOBase):
    """An unbuffered file that keeps its first error."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b", buffering=0)
        self.error: OSError | None = None

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Buffer) -> int:
        return self._file.readinto(buffer)

    def write(self, data: Buffer) -> int:
        view = memoryview(data)
        left = view
        try:
            while left and self.error is None:
                left = left[self._file.write(left) :]
        except OSError as error:
            self.error = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        try:
            return self._file.truncate(size) if self.error is None else size or 0
        except OSError as error:
            self.error = error
            return size or 0

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            self.error = self.error or error
        super().close()


class GuardedHdf5:
    """A new HDF5 file; call `raise_error` after writing to it, and after `close`.

    Attributes:
        file: to write to.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._writer = path, _KeepingWriter(path)
        self.file = h5py.File(self._writer, "w", track_order=True)

    def close(self) -> None:
        """Write what HDF5 still keeps in memory; raises nothing."""
        self.file.close()
        self._writer.close()

    def raise_error(self) -> None:
        """Raise the first error of the operating system, with the file's name.

        Raises:
            OSError: such as a full disk.
        """
        if self._writer.error is not None:
            raise OSError(self._writer.error.errno, self._writer.error.strerror, str(self._path))

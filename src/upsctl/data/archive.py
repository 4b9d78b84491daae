"""An artifact as one stream of bytes: a deterministic `.tar.zst`, cut into parts of at most about 1 GiB.

Sorted names, no time, owner or group, one compression level, one thread: the same artifact gives the same bytes
wherever the same zstd is installed. Several parts, concatenated, are the archive.
"""

import hashlib
import io
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import zstandard
from typing_extensions import Buffer

from upsctl.data.manifest import MANIFEST_NAME, read_manifest
from upsctl.dataset_card import ArchivePart
from upsctl.errors import IntegrityError

PART_BYTES = 1 << 30
_LEVEL = 6


@dataclass(frozen=True)
class Archive:
    """A packed artifact: its parts in order, and the SHA-256 over their concatenation."""

    parts: tuple[ArchivePart, ...]
    digest: str

    @property
    def num_bytes(self) -> int:
        """Size of all parts together."""
        return sum(part.num_bytes for part in self.parts)


class _PartWriter(io.RawIOBase):
    """A sink that cuts what is written into files, and hands each finished file on.

    Args:
        folder: where the growing part stands.
        name: of the whole archive; parts are numbered behind it unless there is only one.
        deliver: called with each finished file and its part's name; it moves the file or removes it.
    """

    def __init__(self, folder: Path, name: str, part_bytes: int, deliver: Callable[[Path, str], None]) -> None:
        self._growing, self._name, self._limit, self._deliver = folder / f".{name}.part", name, part_bytes, deliver
        self._file, self._whole, self._own, self._size = self._growing.open("wb"), hashlib.sha256(), hashlib.sha256(), 0
        self.parts: list[ArchivePart] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        view = memoryview(data)
        while view:
            room = self._limit - self._size
            if room == 0:
                self._finish_part(f"{self._name}.{len(self.parts):03d}")
                self._file, self._own, self._size = self._growing.open("wb"), hashlib.sha256(), 0
                continue
            self._take(view[:room])
            view = view[room:]
        return memoryview(data).nbytes

    def finish(self) -> Archive:
        self._finish_part(f"{self._name}.{len(self.parts):03d}" if self.parts else self._name)
        return Archive(tuple(self.parts), self._whole.hexdigest())

    def abandon(self) -> None:
        self._file.close()
        self._growing.unlink(missing_ok=True)

    def _take(self, view: memoryview) -> None:
        self._file.write(view)
        self._whole.update(view)
        self._own.update(view)
        self._size += len(view)

    def _finish_part(self, name: str) -> None:
        self._file.close()
        self.parts.append(ArchivePart(key=name, num_bytes=self._size, sha256=self._own.hexdigest()))
        self._deliver(self._growing, name)


def write_archive(
    artifact: Path, folder: Path, deliver: Callable[[Path, str], None], part_bytes: int = PART_BYTES
) -> Archive:
    """Pack the artifact, a part at a time; only the growing part takes space in `folder`.

    Args:
        artifact: an unpacked, complete artifact.
        folder: where the growing part stands.
        deliver: called with each finished part's file and its name; moves the file away or copies and removes it.
        part_bytes: a part's largest size.

    Raises:
        IntegrityError: when the artifact is not complete.
    """
    manifest = read_manifest(artifact)
    folder.mkdir(parents=True, exist_ok=True)
    names = sorted([MANIFEST_NAME, *(record.path for record in manifest.files)])
    sink = _PartWriter(folder, f"{manifest.name}.tar.zst", part_bytes, deliver)
    try:
        compressor = zstandard.ZstdCompressor(level=_LEVEL, threads=0, write_checksum=True)
        with (
            compressor.stream_writer(cast(IO[bytes], sink), closefd=False) as compressed,
            tarfile.open(fileobj=compressed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            for name in names:
                _add(tar, artifact / name, f"{manifest.name}/{name}")
        return sink.finish()
    finally:
        sink.abandon()


def _add(tar: tarfile.TarFile, path: Path, name: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = path.stat().st_size, 0o644
    with path.open("rb") as stream:
        tar.addfile(entry, stream)


class _PartReader(io.RawIOBase):
    """Several files read as one."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = list(paths)
        self._file: io.BufferedIOBase = io.BytesIO()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not (block := self._file.read(size)) and self._paths:
            self._file.close()
            self._file = self._paths.pop(0).open("rb")
        return block


def unpack_archive(parts: Sequence[Path], folder: Path) -> Path:
    """Unpack into `folder`; returns the artifact's folder inside.

    Raises:
        IntegrityError: when the bytes are not a whole archive of one artifact.
    """
    try:
        with (
            zstandard.ZstdDecompressor().stream_reader(cast(IO[bytes], _PartReader(parts))) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, zstandard.ZstdError, EOFError) as error:
        raise IntegrityError(
            f"{parts[0]}: {error}", expected="a whole .tar.zst of an artifact", next_step="fetch it again"
        ) from None
    inside = sorted(folder.iterdir())
    if len(inside) != 1 or not (inside[0] / MANIFEST_NAME).is_file():
        raise IntegrityError(f"{parts[0]}: no artifact inside", expected=f"one folder with a {MANIFEST_NAME}")
    return inside[0]

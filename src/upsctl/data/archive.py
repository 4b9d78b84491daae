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
from upsctl.errors import DataError, IntegrityError

PART_BYTES = 1 << 30
_LEVEL = 6
_BLOCK = 1 << 20


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

    def close(self) -> None:
        self._file.close()
        super().close()


def archive_parts(path: Path) -> list[Path]:
    """All parts of the archive that `path` is, or is one part of, in order.

    Raises:
        DataError: when it is not there.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such archive")
    if not path.suffix[1:].isdigit():
        return [path]
    parts = [other for other in path.parent.glob(f"{path.stem}.*") if other.suffix[1:].isdigit()]
    return sorted(parts, key=lambda part: int(part.suffix[1:]))


def unpack_archive(parts: Sequence[Path], folder: Path) -> Path:
    """Unpack into `folder`; returns the artifact's folder inside. Nothing is written of an altered archive.

    Raises:
        IntegrityError: when the bytes are not a whole archive of one artifact.
    """
    _refuse_altered(parts)
    try:
        with (
            _PartReader(parts) as reader,
            zstandard.ZstdDecompressor().stream_reader(cast(IO[bytes], reader)) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            tar.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise _not_whole(parts, str(error)) from None
    inside = sorted(folder.iterdir())
    if len(inside) != 1 or not (inside[0] / MANIFEST_NAME).is_file():
        raise _not_whole(parts, f"no single folder with a {MANIFEST_NAME}")
    return inside[0]


def _refuse_altered(parts: Sequence[Path]) -> None:
    """Decode once without writing: the frame must end where the bytes end, and its checksum must hold."""
    decoder = zstandard.ZstdDecompressor().decompressobj()
    with _PartReader(parts) as reader:
        try:
            while not decoder.eof and (block := reader.read(_BLOCK)):
                decoder.decompress(block)
        except zstandard.ZstdError as error:
            raise _not_whole(parts, str(error)) from None
        if not decoder.eof:
            raise _not_whole(parts, "truncated")
        if decoder.unused_data or reader.read(1):
            raise _not_whole(parts, "further bytes after the end")


def _not_whole(parts: Sequence[Path], reason: str) -> IntegrityError:
    next_step = "copy or fetch it again"
    return IntegrityError(f"{parts[0]}: {reason}", expected="a whole .tar.zst of one artifact", next_step=next_step)

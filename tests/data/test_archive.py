"""An archive: the same bytes twice, whole or refused, cut into parts and put together."""

import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
import zstandard

from data.toy_data import write_toy
from upsctl.data.archive import Archive, archive_parts, unpack_archive, write_archive
from upsctl.data.checker import check_artifact
from upsctl.data.manifest import read_manifest
from upsctl.errors import DataError, IntegrityError


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy")
    write_toy(path)
    return path


def pack(artifact: Path, folder: Path, part_bytes: int = 1 << 30) -> Archive:
    return write_archive(artifact, folder, lambda part, name: part.rename(folder / name) and None, part_bytes)


def test_the_same_artifact_gives_the_same_bytes_whatever_its_times_and_modes(artifact: Path, tmp_path: Path) -> None:
    one = pack(artifact, tmp_path / "one")
    for path in artifact.rglob("*"):
        os.utime(path, (0, 0))
    (artifact / "card.yaml").chmod(0o600)
    other = pack(artifact, tmp_path / "other")
    assert one == other
    assert (tmp_path / "one/toy2d_v3.tar.zst").read_bytes() == (tmp_path / "other/toy2d_v3.tar.zst").read_bytes()


def test_what_is_unpacked_is_what_was_packed(artifact: Path, tmp_path: Path) -> None:
    pack(artifact, tmp_path)
    unpacked = unpack_archive([tmp_path / "toy2d_v3.tar.zst"], tmp_path / "unpacked")
    assert unpacked.name == "toy2d_v3"
    assert check_artifact(unpacked) == []
    assert read_manifest(unpacked) == read_manifest(artifact)


def test_parts_have_their_size_and_hashes_and_are_the_archive_together(artifact: Path, tmp_path: Path) -> None:
    whole, cut = pack(artifact, tmp_path / "whole"), pack(artifact, tmp_path / "cut", part_bytes=3000)
    parts = archive_parts(tmp_path / "cut/toy2d_v3.tar.zst.001")
    assert [part.name for part in parts] == [part.key for part in cut.parts]
    assert len(parts) > 2 and all(part.num_bytes == 3000 for part in cut.parts[:-1])
    content = [part.read_bytes() for part in parts]
    assert [part.sha256 for part in cut.parts] == [hashlib.sha256(block).hexdigest() for block in content]
    assert b"".join(content) == (tmp_path / "whole/toy2d_v3.tar.zst").read_bytes()
    assert cut.digest == whole.digest == hashlib.sha256(b"".join(content)).hexdigest()
    assert check_artifact(unpack_archive(parts, tmp_path / "unpacked")) == []


def refuse(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    target = path.with_name("target")
    target.mkdir()
    with pytest.raises(IntegrityError, match=r"expected a whole \.tar\.zst of one artifact") as caught:
        unpack_archive([path], target)
    written = list(target.iterdir())
    target.rmdir()
    assert written == []
    return str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.9999])
def test_a_truncated_archive_is_refused_before_anything_is_written(
    artifact: Path, tmp_path: Path, share: float
) -> None:
    pack(artifact, tmp_path)
    content = (tmp_path / "toy2d_v3.tar.zst").read_bytes()
    assert "truncated" in refuse(tmp_path / "cut.tar.zst", content[: int(share * len(content))])


@pytest.mark.parametrize("seed", range(5))
def test_an_altered_archive_is_refused_before_anything_is_written(artifact: Path, tmp_path: Path, seed: int) -> None:
    pack(artifact, tmp_path)
    content = bytearray((tmp_path / "toy2d_v3.tar.zst").read_bytes())
    content[int(np.random.default_rng(seed).integers(len(content)))] ^= 1
    refuse(tmp_path / "altered.tar.zst", bytes(content))


def test_bytes_after_the_end_are_refused(artifact: Path, tmp_path: Path) -> None:
    pack(artifact, tmp_path)
    content = (tmp_path / "toy2d_v3.tar.zst").read_bytes()
    assert "further bytes" in refuse(tmp_path / "long.tar.zst", content + b"\0")


@pytest.mark.parametrize("content", [b"", b"no tar at all", bytes(2000)])
def test_another_compressed_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other.tar.zst").write_bytes(zstandard.ZstdCompressor(write_checksum=True).compress(content))
    (tmp_path / "target").mkdir()
    with pytest.raises(IntegrityError, match="one artifact"):
        unpack_archive([tmp_path / "other.tar.zst"], tmp_path / "target")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such archive"):
        archive_parts(tmp_path / "none.tar.zst")


def test_an_incomplete_artifact_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(IntegrityError, match=r"no manifest\.json"):
        pack(tmp_path / "empty", tmp_path)

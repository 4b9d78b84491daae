"""What every store keeps, found by listing `upsctl/stores/`; HTTP against a server with ranges on this machine."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.responses import Response, StreamingResponse

from contracts.web_server import serve
from ups_models.registry import list_parts, load_part
from upsctl.data.store_source import fetch_archive
from upsctl.dataset_card import ArchivePart, ArtifactRecord
from upsctl.errors import IntegrityError, StoreError
from upsctl.interfaces import AbstractStore

BACKENDS = list_parts("upsctl.stores")
CONTENT = np.random.default_rng(0).bytes(9_000_001)  # more than two blocks


def build_store(backend: str, address: str) -> AbstractStore:
    return load_part("upsctl.stores", backend, AbstractStore)(address)


@pytest.fixture(params=[*BACKENDS, "memory"])
def writable(request: pytest.FixtureRequest, tmp_path: Path) -> AbstractStore:
    """Every backend that can be written to on this machine; fsspec through two of its protocols."""
    addresses: dict[str, tuple[str, str]] = {
        "folder": ("folder", str(tmp_path / "store")),
        "fsspec_url": ("fsspec_url", f"file://{tmp_path}/store"),
        "memory": ("fsspec_url", f"memory://{tmp_path}/store"),
    }
    assert request.param in addresses, f"give an address at which {request.param} can be tested here"
    return build_store(*addresses[request.param])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[AbstractStore, list[str]]]:
    (tmp_path / "www/a").mkdir(parents=True)
    (tmp_path / "www/a/b.zst").write_bytes(CONTENT)
    requests: list[str] = []
    with serve(tmp_path / "www", requests) as address:
        yield build_store("fsspec_url", address), requests


def test_what_is_put_is_what_is_got(writable: AbstractStore, source: Path, tmp_path: Path) -> None:
    writable.put(source, "name-digest/archive.tar.zst")
    writable.get("name-digest/archive.tar.zst", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == CONTENT


def test_keys_are_listed_by_prefix_and_sorted(writable: AbstractStore, source: Path) -> None:
    for key in ("b/2", "a/1", "b/1"):
        writable.put(source, key)
    assert writable.list() == ["a/1", "b/1", "b/2"]
    assert writable.list("b/") == ["b/1", "b/2"]


def test_putting_again_replaces(writable: AbstractStore, source: Path, tmp_path: Path) -> None:
    writable.put(source, "key")
    source.write_bytes(b"new")
    writable.put(source, "key")
    writable.get("key", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"new"
    assert writable.list() == ["key"]


def test_a_cut_download_goes_on_where_it_was(writable: AbstractStore, source: Path, tmp_path: Path) -> None:
    """What is there is kept, right or wrong: its hash is checked by the caller."""
    writable.put(source, "key")
    (tmp_path / "target").write_bytes(b"kept" + CONTENT[4:5_000_000])
    writable.get("key", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == b"kept" + CONTENT[4:]


def test_a_target_longer_than_the_key_is_read_anew(writable: AbstractStore, source: Path, tmp_path: Path) -> None:
    writable.put(source, "key")
    (tmp_path / "target").write_bytes(CONTENT + b"more")
    writable.get("key", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == CONTENT


def test_a_missing_key_is_named(writable: AbstractStore, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no a/missing; next: `upsctl data push`"):
        writable.get("a/missing", tmp_path / "target")


def test_http_gives_what_is_there_block_by_block(
    served: tuple[AbstractStore, list[str]], tmp_path: Path
) -> None:
    store, requests = served
    store.get("a/b.zst", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == CONTENT
    assert len(requests) == 3 and all(one.startswith("bytes=") for one in requests)


def test_http_asks_only_for_what_is_missing(served: tuple[AbstractStore, list[str]], tmp_path: Path) -> None:
    store, requests = served
    (tmp_path / "target").write_bytes(CONTENT[:8_999_990])
    store.get("a/b.zst", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == CONTENT
    assert requests == ["bytes=8999990-9000000"]


def test_http_without_ranges_works_too(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "www/key").write_bytes(CONTENT[:1000])
    (tmp_path / "target").write_bytes(CONTENT[:400])
    with serve(tmp_path / "www", [], lambda path: Response(path.read_bytes())) as address:
        build_store("fsspec_url", address).get("key", tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == CONTENT[:1000]


def test_http_names_a_missing_key_and_lists_what_is_linked(
    served: tuple[AbstractStore, list[str]], tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="no a/missing"):
        served[0].get("a/missing", tmp_path / "target")
    assert served[0].list("a/") == ["a/b.zst"]


def test_what_can_be_put_to_is_writable_and_http_is_not(
    writable: AbstractStore, served: tuple[AbstractStore, list[str]]
) -> None:
    assert writable.is_writable
    assert not served[0].is_writable


def test_http_is_read_only(served: tuple[AbstractStore, list[str]], source: Path) -> None:
    with pytest.raises(StoreError, match="read-only"):
        served[0].put(source, "key")


def test_a_file_that_cannot_be_opened_is_the_stores_fault(tmp_path: Path) -> None:
    (tmp_path / "key").symlink_to("key")  # a link to itself: nobody opens it, not even root
    with pytest.raises(StoreError, match=r"key: Too many levels.*expected a file that can be read"):
        build_store("folder", str(tmp_path)).get("key", tmp_path / "target")
    assert not (tmp_path / "target").exists()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://no.such.host.invalid"])
def test_http_that_does_not_answer_is_not_a_missing_key(address: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"Cannot connect.*expected an answer"):
        build_store("fsspec_url", address).get("key", tmp_path / "target")


def test_an_unknown_protocol_is_refused() -> None:
    for address in ("nonsense://somewhere", "github://somewhere"):
        with pytest.raises(StoreError, match="unknown protocol"):
            build_store("fsspec_url", address)


def test_a_server_that_tells_no_size_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    (tmp_path / "www/key").write_bytes(b"content")
    answer = lambda path: StreamingResponse(iter([path.read_bytes()]))  # noqa: E731
    with serve(tmp_path / "www", [], answer) as address, pytest.raises(StoreError, match="does not tell"):
        build_store("fsspec_url", address).get("key", tmp_path / "target")


def test_a_wrong_hash_is_refused_and_the_next_call_starts_anew(
    writable: AbstractStore, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writable.put(source, "key")
    part = ArchivePart(key="key", num_bytes=len(CONTENT), sha256="0" * 64)
    digests = {"archive_digest": "0" * 64, "content_digest": "0" * 64, "source_digest": "0" * 64}
    record, open_store = ArtifactRecord(store="here", parts=(part,), **digests), lambda name: writable
    monkeypatch.setattr("upsctl.data.store_source.open_store", open_store)
    with pytest.raises(IntegrityError, match=r"key: altered in the store; expected SHA-256 0000"):
        fetch_archive(record, tmp_path / "new", tmp_path / "downloads")
    assert list((tmp_path / "downloads").iterdir()) == []



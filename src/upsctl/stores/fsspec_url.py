"""A store behind any URL that fsspec speaks: file, memory, http(s), s3, gcs ... Secrets come from the environment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec

from upsctl.errors import ResourcesError, StoreError
from upsctl.interfaces import AbstractStore

_BLOCK = 1 << 22
_RENAMING = ("file", "local", "memory")
_READ_ONLY = ("http", "https")


class FsspecUrlStore(AbstractStore):
    """Keys are paths below the URL.

    Raises:
        ResourcesError: when the package of the URL's protocol is not installed.
    """

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._protocol = address.partition("://")[0]
        try:
            self._files: Any = fsspec.filesystem(self._protocol, **_options(self._protocol))
        except ImportError as error:
            raise ResourcesError(f"store {address}: {error}", next_step="install that package") from None
        except (ValueError, TypeError):  # a protocol that needs more than an address says so by a TypeError
            raise StoreError(f"store {address}: unknown protocol", expected="a URL such as https://...") from None

    @property
    def is_writable(self) -> bool:
        """All but HTTP; what a server allows, it says when it is asked to."""
        return self._protocol not in _READ_ONLY

    def put(self, source: Path, key: str) -> None:
        """Upload; where an upload is seen while it grows, under another name first.

        Raises:
            StoreError: when the store is read-only or does not answer.
        """
        if not self.is_writable:
            raise StoreError(f"store {self._address}: read-only", expected="a store to write to")
        target = self._path(key)
        with self._reported(key):
            self._files.makedirs(target.rpartition("/")[0], exist_ok=True)
            if self._protocol not in _RENAMING:
                self._files.put_file(str(source), target)
                return
            temporary = f"{target}.uploading-{os.getpid()}"
            self._files.put_file(str(source), temporary)
            self._files.mv(temporary, target)

    def get(self, key: str, target: Path) -> None:
        """Read the bytes that `target` does not have yet, a block at a time.

        Raises:
            StoreError: when the key is missing, or the store stops answering; what came is kept.
            OSError: when the disk here is full or not writable.
        """
        with target.open("ab") as writer:
            size = self._size(key)
            if writer.tell() > size:
                writer.seek(writer.truncate(0))
            while (start := writer.tell()) < size:
                writer.write(self._block(key, start, size))

    def list(self, prefix: str = "") -> list[str]:
        """The keys that start with `prefix`, sorted; over HTTP, as far as the server's pages link to them."""
        with self._reported(prefix):
            root = self._files._strip_protocol(self._address)
            found = self._files.find(self._address)
        keys = [str(path).removeprefix(root).lstrip("/") for path in found]
        return sorted(key for key in keys if key.startswith(prefix) and ".uploading-" not in key)

    def _size(self, key: str) -> int:
        with self._reported(key):
            size = self._files.info(self._path(key))["size"]
        if size is None:
            raise StoreError(f"{self._path(key)}: a size that the server does not tell", expected="a Content-Length")
        return int(size)

    def _block(self, key: str, start: int, size: int) -> bytes:
        """The bytes from `start` on, all or as many as are asked for at once; `size` is the whole's."""
        stop = min(start + _BLOCK, size)
        with self._reported(key):
            block = self._files.cat_file(self._path(key), start=start, end=stop)
        if len(block) == size:  # a server without ranges sends the whole
            return block[start:]
        if len(block) == stop - start:
            return block
        raise StoreError(
            f"{self._path(key)}: bytes {start} to {stop}", expected=f"{stop - start} bytes", got=str(len(block)),
            next_step="the same command goes on where it was")

    def _path(self, key: str) -> str:
        return f"{self._address}/{key}"

    @contextmanager
    def _reported(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            cause = error.__cause__  # fsspec says so of every failure over HTTP
            if cause is not None and getattr(cause, "status", None) != 404:
                raise self._unanswered(key, cause) from None
            raise StoreError(f"store {self._address}: no {key}", next_step="`upsctl data push` puts it there") from None
        except _failures() as error:
            raise self._unanswered(key, error) from None

    def _unanswered(self, key: str, error: BaseException) -> StoreError:
        reason = str(error) or type(error).__name__
        next_step = "the same command goes on where it was"
        return StoreError(f"{self._path(key)}: {reason}", expected="an answer", next_step=next_step)


def _options(protocol: str) -> dict[str, Any]:
    if protocol not in _READ_ONLY:
        return {}
    import aiohttp  # only where HTTP is spoken

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=60)
    return {"client_kwargs": {"timeout": timeout}, "skip_instance_cache": True, "use_listings_cache": False}


def _failures() -> tuple[type[BaseException], ...]:
    import aiohttp

    return (OSError, aiohttp.ClientError, fsspec.exceptions.FSTimeoutError, TimeoutError)

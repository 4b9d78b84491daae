"""An artifact from the vendor's files: each downloaded, checked by its hash, converted, and removed again."""

from collections.abc import Iterator
from pathlib import Path

from upsctl.console import say
from upsctl.data.convert import convert_files
from upsctl.data.digests import file_digest, source_digest
from upsctl.data.manifest import Manifest
from upsctl.dataset_card import DatasetCard, VendorFile, VendorSource
from upsctl.errors import IntegrityError, ProfileError, StoreError
from upsctl.interfaces import AbstractStore
from upsctl.stores.fsspec_url import FsspecUrlStore


def fetch_from_vendor(card: DatasetCard, target: Path, downloads: Path) -> Manifest:
    """Download and convert the card's vendor files, one after the other; one raw file at a time stands on the disk.

    The card names each file's hash, so it alone decides the content. A cut download goes on; what was converted before
    the cut is downloaded again.

    Args:
        card: with the vendor's files as its source.
        target: an empty folder.
        downloads: keeps half a download, so that a cut one goes on.

    Raises:
        ProfileError: when the card names no files.
        StoreError: when the vendor does not answer, with the address.
        IntegrityError: when a file's hash is not the vendor's.
        DataError: when a file is not what its converter reads.
    """
    source = card.source
    if not isinstance(source, VendorSource) or not source.files:
        next_step = "`upsctl data convert` reads files that you have"
        raise ProfileError(f"{card.name}: names no vendor files", next_step=next_step)
    downloads.mkdir(parents=True, exist_ok=True)
    return convert_files(_download_each(source, downloads), card, target, source_digest(card))


def _download_each(source: VendorSource, downloads: Path) -> Iterator[Path]:
    for file in source.files:
        path = downloads / file.filename
        _download(file, path, source.converter)
        yield path
        path.unlink()


def _download(file: VendorFile, path: Path, format_name: str) -> None:
    folder, _, key = file.address.rpartition("/")
    say(f"downloading {file.filename} ({file.num_bytes / 1e9:.2f} GB) from {file.address}")
    store: AbstractStore = FsspecUrlStore(folder)
    try:
        store.get(key, path)
    except StoreError as error:
        raise StoreError(
            f"{file.filename}: {error.problem}",
            expected=f"an answer from {file.address}",
            next_step=f"download it elsewhere, then `upsctl data convert --format {format_name} FILE --output FOLDER`",
        ) from None
    digest = file_digest(path, "md5")
    if digest != file.md5:
        path.unlink()
        raise IntegrityError(f"{file.filename} from {file.address}", expected=f"MD5 {file.md5}", got=digest)

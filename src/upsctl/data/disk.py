"""What the operating system says when it cannot write, in one line with its own exit code."""

from collections.abc import Iterator
from contextlib import contextmanager

from upsctl.errors import DiskError
from upsctl.failure import DISK_ERRORS


@contextmanager
def reported_disk_errors(what: str) -> Iterator[None]:
    """Turn a full or unwritable disk into a `DiskError`; everything else passes.

    Args:
        what: the thing being written, for the message.
    """
    try:
        yield
    except OSError as error:
        if not _is_about_the_disk(error):
            raise
        next_step = "free space (`upsctl data prune --max-gb N`), then run it again"
        raise DiskError(f"{what}: {error.strerror or error}", next_step=next_step) from error


def _is_about_the_disk(error: OSError) -> bool:
    """HDF5 puts the number into the text alone."""
    return error.errno in DISK_ERRORS or any(f"errno = {number}" in str(error) for number in DISK_ERRORS)

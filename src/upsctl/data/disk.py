"""What the operating system says when it cannot write, in one line with its own exit code."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from upsctl.errors import DiskError

_REASONS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


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
    return error.errno in _REASONS or any(f"errno = {reason}" in str(error) for reason in _REASONS)

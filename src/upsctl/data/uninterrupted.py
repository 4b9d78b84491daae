"""Ctrl-C and SIGTERM wait until a step that must not be cut is done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Handle signals at the end of the block; no thread but the main one handles any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def keep(number: int, frame: FrameType | None) -> None:
        came.append(number)

    with _blocked():
        before = {number: signal.signal(number, keep) for number in _SIGNALS}
    try:
        yield
    finally:
        with _blocked():
            for number, handler in before.items():
                signal.signal(number, handler)
        for number in came[:1]:
            signal.raise_signal(number)


@contextmanager
def _blocked() -> Iterator[None]:
    """Both handlers change at once."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

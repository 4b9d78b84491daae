"""Ctrl-C and SIGTERM: never lost, they end a command between imports, not inside one, and nothing that is done."""

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

IMPORT_SYSTEM = "<frozen importlib._bootstrap>"
RETRY_SECONDS = 0.05
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Preempted(BaseException):
    """SIGTERM came; no handler for ordinary errors may swallow it."""


def leave_at_once() -> None:
    """While the program is being imported there is nothing to save, and an exception may end C++ in a crash."""
    _handle(_leave)
    atexit.register(_ignore)  # first registered, so last called


def stop_between_imports() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt and SIGTERM raises Preempted, once no import is under way.

    Python drops what is raised where nobody can catch it (a weak reference's callback, `__del__`); it is sent again.
    """
    _handle(_stop)
    sys.unraisablehook = _send_dropped_again


def leave_with(code: int) -> None:
    """How the command ended is settled: a signal in the interpreter's own end only makes it shorter."""
    _handle(lambda number, frame: os._exit(code))


def _ignore() -> None:
    """What the interpreter still takes down no signal may cut: it would hand each back to the system, which kills."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    """Of signals that the parent does not ignore, as a shell does for what it starts in the background."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    sys.stderr.write("error: stopped before anything was done\n")
    sys.stderr.flush()
    os._exit(128 + number)


def _stop(number: int, frame: FrameType | None) -> None:
    if _is_importing(frame):
        _send_again_later(number)
    else:
        raise KeyboardInterrupt if number == signal.SIGINT else Preempted


def _send_dropped_again(dropped: "sys.UnraisableHookArgs") -> None:
    if issubclass(dropped.exc_type, KeyboardInterrupt):
        _send_again_later(signal.SIGINT)
    elif issubclass(dropped.exc_type, Preempted):
        _send_again_later(signal.SIGTERM)
    else:
        sys.__unraisablehook__(dropped)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == IMPORT_SYSTEM:
            return True
        frame = frame.f_back
    return False


def _send_again_later(number: int) -> None:
    timer = threading.Timer(RETRY_SECONDS, signal.pthread_kill, [threading.main_thread().ident, number])
    timer.daemon = True
    timer.start()

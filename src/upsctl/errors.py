"""Every error that a person may meet, each with its named exit code.

A message says what was expected, what came, and what to do next.
"""

import enum


class ExitCode(enum.IntEnum):
    """How a command ended. The page `docs/reference/exit_codes.md` is made from this class."""

    DONE = 0
    BUG = 1
    USAGE = 2
    PROFILE = 3
    DATA = 4
    INTEGRITY = 5
    STORE = 6
    DISK = 7
    RESOURCES = 8
    DIVERGED = 9
    RUN = 10
    INTERRUPTED = 130
    PREEMPTED = 143

    @property
    def meaning(self) -> str:
        """One line for people."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.DONE: "the command did what was asked",
    ExitCode.BUG: "our fault: an unforeseen error; the traceback is in the log file that the message names",
    ExitCode.USAGE: "an argument or option is unknown or malformed",
    ExitCode.PROFILE: "a profile, card or override is missing, misspelt or contradicts itself",
    ExitCode.DATA: "input data are missing, malformed or not what the card says",
    ExitCode.INTEGRITY: "a file's hash or schema differs from what its manifest or checkpoint promises",
    ExitCode.STORE: "a store could not be reached or refused",
    ExitCode.DISK: "the disk is full or not writable",
    ExitCode.RESOURCES: "memory, a device or an optional package is missing",
    ExitCode.DIVERGED: "training produced a loss that is not finite",
    ExitCode.RUN: "there is no such run, or it has no such stage",
    ExitCode.INTERRUPTED: "stopped by Ctrl-C; the same command goes on from what is kept",
    ExitCode.PREEMPTED: "stopped by SIGTERM; the same command goes on from what is kept",
}


class UpsctlError(Exception):
    """An error with an exit code: `expected`, `got` and `next_step` are each one clause.

    Args:
        problem: what is wrong, starting with the name of the thing.
        expected: what would have been right.
        got: what came instead.
        next_step: what to type or change.
    """

    exit_code = ExitCode.BUG

    def __init__(self, problem: str, *, expected: str = "", got: str = "", next_step: str = "") -> None:
        self.problem, self.expected, self.got, self.next_step = problem, expected, got, next_step
        super().__init__(self.line)

    @property
    def line(self) -> str:
        """The whole message in one line."""
        parts = [self.problem]
        parts += [f"expected {self.expected}"] if self.expected else []
        parts += [f"got {self.got}"] if self.got else []
        parts += [f"next: {self.next_step}"] if self.next_step else []
        return "; ".join(parts)


class UsageError(UpsctlError):
    """An argument that names nothing or cannot be combined with another."""

    exit_code = ExitCode.USAGE


class ProfileError(UpsctlError):
    """A profile, card or override that cannot be resolved."""

    exit_code = ExitCode.PROFILE


class DataError(UpsctlError):
    """Input data that break a rule of their format or card."""

    exit_code = ExitCode.DATA


class IntegrityError(UpsctlError):
    """Bytes that are not the ones promised."""

    exit_code = ExitCode.INTEGRITY


class StoreError(UpsctlError):
    """A store that does not answer or refuses."""

    exit_code = ExitCode.STORE


class DiskError(UpsctlError):
    """No space, or no permission to write."""

    exit_code = ExitCode.DISK


class ResourcesError(UpsctlError):
    """Missing memory, device or optional package."""

    exit_code = ExitCode.RESOURCES


class DivergedError(UpsctlError):
    """A loss that is not finite."""

    exit_code = ExitCode.DIVERGED


class RunError(UpsctlError):
    """A run or stage that does not exist."""

    exit_code = ExitCode.RUN

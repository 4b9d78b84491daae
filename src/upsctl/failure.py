"""What an exception means to a person: one line and a named exit code."""

import errno
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ups_models.errors import CheckpointError, ModelError, UnknownPartError
from upsctl.errors import ExitCode, UpsctlError
from upsctl.stop_signals import Preempted

DISK_ERRORS = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ESTALE}
PATH_ERRORS = {errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP}
NEXT_STEPS = dict.fromkeys(DISK_ERRORS, "`upsctl doctor` shows the disks") | dict.fromkeys(
    PATH_ERRORS, "give another path")
GOING_ON = "the same command (`upsctl train` with --resume) goes on from what is kept, or else begins again"


@dataclass(frozen=True)
class Failure:
    """How a command ended that did not do what was asked."""

    line: str
    exit_code: ExitCode


def failure_of(error: BaseException) -> Failure:
    """The line and exit code of any exception; an unforeseen one is written to a log file first."""
    match error:
        case UpsctlError():
            return Failure(_one_line(error.line), error.exit_code)
        case CheckpointError():
            return Failure(_one_line(str(error)), ExitCode.INTEGRITY)
        case UnknownPartError():
            return Failure(_one_line(str(error)), ExitCode.PROFILE)
        case ModelError():
            return Failure(_one_line(str(error)), ExitCode.DATA)
        case OSError() if error.errno in NEXT_STEPS:
            place = f"{error.filename}: " if error.filename else ""
            return Failure(f"{place}{error.strerror}; next: {NEXT_STEPS[error.errno]}", ExitCode.DISK)
        case ModuleNotFoundError() if _is_foreign(error):
            return Failure(f"{_one_line(str(error))}; next: `upsctl doctor` says what is missing", ExitCode.RESOURCES)
        case KeyboardInterrupt():
            return Failure(f"stopped; {GOING_ON}", ExitCode.INTERRUPTED)
        case Preempted():
            return Failure(f"stopped by SIGTERM; {GOING_ON}", ExitCode.PREEMPTED)
    if isinstance(error, MemoryError) or _is_out_of_device_memory(error):
        return Failure("not enough memory; next: a smaller batch size or model", ExitCode.RESOURCES)
    return Failure(f"unforeseen {type(error).__name__}: {_one_line(str(error))}; {_log(error)}", ExitCode.BUG)


def _is_foreign(error: ModuleNotFoundError) -> bool:
    """Whether the module is another package's, which can be installed."""
    return error.name is not None and error.name.partition(".")[0] not in ("upsctl", "ups_models")


def _is_out_of_device_memory(error: BaseException) -> bool:
    """Asks torch, if the command loaded it."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(error, torch.OutOfMemoryError)


def _log(error: BaseException) -> str:
    text = "".join([f"command: {' '.join(sys.argv)}\n", *traceback.format_exception(error)])
    path = Path(platformdirs.user_log_dir("upsctl")) / time.strftime("%Y%m%d-%H%M%S.log")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as disk:
        sys.stderr.write(text)
        return f"the traceback is above, as its log could not be written ({disk.strerror})"
    return f"the traceback is in {path}"


def _one_line(text: str) -> str:
    return " ".join(text.split())

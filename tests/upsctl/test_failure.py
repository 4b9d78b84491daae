"""How every kind of error ends a command: one line and a named exit code."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ups_models.errors import CheckpointError, ModelError, UnknownPartError
from upsctl.errors import DataError, ExitCode, UpsctlError
from upsctl.failure import GOING_ON, failure_of
from upsctl.stop_signals import Preempted

SLEEPER = """
import time, upsctl.cli
upsctl.cli.VERBS = {"doctor": lambda: (print("ready", flush=True), time.sleep(60))}
upsctl.cli.main()
"""


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("a.hdf5: no field `u`"), ExitCode.DATA),
        (CheckpointError("another schema"), ExitCode.INTEGRITY),
        (UnknownPartError("no `fnoo`"), ExitCode.PROFILE),
        (ModelError("a 4D grid"), ExitCode.DATA),
        (OSError(errno.ENOSPC, "No space left on device", "/full/file"), ExitCode.DISK),
        (PermissionError(errno.EACCES, "Permission denied", "/root/file"), ExitCode.DISK),
        (MemoryError(), ExitCode.RESOURCES),
        (ModuleNotFoundError("No module named 'zstandard'", name="zstandard"), ExitCode.RESOURCES),
        (ModuleNotFoundError("No module named 'upsctl.gone'", name="upsctl.gone"), ExitCode.BUG),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED),
        (Preempted(), ExitCode.PREEMPTED),
        (ZeroDivisionError("by zero"), ExitCode.BUG),
        (FileNotFoundError(errno.ENOENT, "No such file"), ExitCode.BUG),
    ],
)
def test_an_error_has_its_exit_code_and_one_line(error: BaseException, code: ExitCode) -> None:
    failure = failure_of(error)
    assert failure.exit_code == code
    assert failure.line and "\n" not in failure.line


def test_a_disk_error_names_the_file() -> None:
    assert "/full/file: No space left" in failure_of(OSError(errno.ENOSPC, "No space left", "/full/file")).line


def test_an_unforeseen_error_leaves_its_traceback_in_a_log() -> None:
    try:
        raise ZeroDivisionError("in the middle")
    except ZeroDivisionError as error:
        line = failure_of(error).line
    log = Path(line.rpartition("the traceback is in ")[2]).read_text()
    assert "Traceback" in log and "ZeroDivisionError: in the middle" in log and "test_failure.py" in log


def test_an_error_says_expected_got_and_next() -> None:
    error = UpsctlError("a.yaml:3: `lr`", expected="a number", got="'fast'", next_step="change it")
    assert error.line == "a.yaml:3: `lr`; expected a number; got 'fast'; next: change it"
    assert UpsctlError("only this").line == "only this"


def test_every_exit_code_has_a_meaning() -> None:
    assert all(code.meaning for code in ExitCode)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, ExitCode.PREEMPTED)]
)
def test_a_signal_ends_a_command_in_one_line(number: signal.Signals, code: ExitCode) -> None:
    command = [sys.executable, "-c", SLEEPER, "doctor"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=dict(os.environ)) as process:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(0.1)
        process.send_signal(number)
        _, printed = process.communicate(timeout=20)
    assert process.returncode == code
    assert printed.count("\n") == 1 and GOING_ON in printed


@pytest.mark.parametrize("words", [["--version"], ["profile", "list", "--json"]])
def test_output_to_a_full_disk_is_a_disk_error(words: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "upsctl.program", *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == ExitCode.DISK
    assert done.stderr.count("\n") == 1 and "No space left" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        "profile list",
        "profile list --json",
        "profile show datasets/navier_stokes_incompressible2d_pdebench_v1 --json",
    ],
)
def test_a_reader_that_has_seen_enough_is_no_traceback(words: str) -> None:
    command = f"set -o pipefail; {sys.executable} -m upsctl.program {words} | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (ExitCode.DONE, "")

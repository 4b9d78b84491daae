"""Ctrl-C and SIGTERM in and between imports, where Python drops them, while the program starts and when it is done."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from upsctl.errors import ExitCode

SLOW_MODULE = """
import time
print("importing", flush=True)
end = time.monotonic() + 1
try:
    while time.monotonic() < end:
        time.sleep(0.01)
except BaseException:
    print("cut")
print("imported", flush=True)
"""
VERB = """
import time, upsctl.cli
def doctor():
    import slow_module
    time.sleep(60)
upsctl.cli.VERBS = {"doctor": doctor}
upsctl.cli.main()
"""
DROPPED = """
import time, upsctl.cli
class Slow:
    def __del__(self):
        print("importing", flush=True)
        time.sleep(1)
def doctor():
    slow = Slow()
    del slow
    print("dropped", flush=True)
    time.sleep(60)
upsctl.cli.VERBS = {"doctor": doctor}
upsctl.cli.main()
"""
START = "from upsctl import stop_signals; stop_signals.leave_at_once(); import slow_module"
END = "from upsctl import stop_signals; stop_signals.leave_with(7); import slow_module"
TEARDOWN = """
import os, sys, time
from upsctl import stop_signals
class Slow:
    def __del__(self, write=os.write, sleep=time.sleep):
        write(1, b"importing" + bytes([10]))
        sleep(1)
slow = Slow()
stop_signals.leave_at_once()
stop_signals.leave_with(7)
sys.exit(7)
"""
BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


def stopped(program: str, folder: Path, number: int) -> tuple[int, str, str]:
    """Exit code, output and errors of a program that gets a signal while it imports `slow_module`."""
    (folder / "slow_module.py").write_text(SLOW_MODULE)
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{program}", "doctor"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "importing\n"
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
    return process.returncode, output, errors


@BOTH
def test_an_import_is_not_cut_and_the_command_ends_after_it(tmp_path: Path, number: signal.Signals) -> None:
    code, output, errors = stopped(VERB, tmp_path, number)
    assert (code, output) == (128 + number, "imported\n")
    assert errors.count("\n") == 1 and "stopped" in errors


@BOTH
def test_what_python_drops_in_a_callback_comes_again(tmp_path: Path, number: signal.Signals) -> None:
    code, output, errors = stopped(DROPPED, tmp_path, number)
    assert (code, output) == (128 + number, "dropped\n")
    assert errors.count("\n") == 1 and "stopped" in errors


@BOTH
def test_before_anything_is_done_the_program_leaves_at_once(tmp_path: Path, number: signal.Signals) -> None:
    assert stopped(START, tmp_path, number) == (128 + number, "", "error: stopped before anything was done\n")


@BOTH
def test_after_its_end_nothing_changes_how_it_ended(tmp_path: Path, number: signal.Signals) -> None:
    assert stopped(END, tmp_path, number) == (7, "", "")


def test_a_signal_that_the_parent_ignores_stays_ignored(tmp_path: Path) -> None:
    code, output, errors = stopped(f"import signal; signal.signal(2, signal.SIG_IGN); {START}", tmp_path, signal.SIGINT)
    assert (code, output, errors) == (ExitCode.DONE, "imported\n", "")


@BOTH
def test_the_interpreter_is_taken_down_in_peace(tmp_path: Path, number: signal.Signals) -> None:
    assert stopped(TEARDOWN, tmp_path, number) == (7, "", "")

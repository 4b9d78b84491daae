"""The real program in a process of its own, and folders that several workers share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock

PROGRAM = [sys.executable, "-m", "upsctl.program"]


def start_program(folder: Path, *words: str, **environment: str) -> "subprocess.Popen[str]":
    """`upsctl WORDS` in `folder`, with runs of its own, as a group that can be stopped as a terminal stops it."""
    variables = {**os.environ, "UPSCTL_RUNS_ROOT": str(folder / "runs"), **environment}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*PROGRAM, *words], cwd=folder, env=variables, start_new_session=True, **pipes)


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """A folder that one worker makes for all; half made, it has another name."""
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            half = folder.with_name(f"half_{folder.name}")
            make(half)
            half.rename(folder)
    return folder

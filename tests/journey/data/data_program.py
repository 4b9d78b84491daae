"""The program in a process of its own, with a cache and profiles of its own: what the tests of data share."""

import json
import resource
import subprocess
from pathlib import Path
from typing import Any

from journey.program import PROGRAM
from upsctl.errors import ExitCode

TINY = ("burgers1d_tiny_v1", "navier_stokes2d_tiny_v1")
BURGERS = TINY[0]


def upsctl(*words: str, code: ExitCode = ExitCode.DONE, limit: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run a verb; `limit` is the largest file that it may write."""
    before = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit is not None else None
    done = subprocess.run([*PROGRAM, "data", *words], capture_output=True, text=True, preexec_fn=before)
    assert done.returncode == code, done.stderr
    return done


def values(*words: str) -> dict[str, Any]:
    return json.loads(upsctl(*words, "--json").stdout)


def error(*words: str, code: ExitCode, limit: int | None = None) -> str:
    """The one line on standard error, after the lines about the work under way."""
    done = upsctl(*words, code=code, limit=limit)
    work = ("solving ", "downloading ", "converting ")
    lines = [line for line in done.stderr.splitlines() if not line.startswith(work)]
    assert len(lines) == 1 and lines[0].startswith("error: "), done.stderr
    return lines[0]


def entries(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "entries").iterdir()) if root.exists() else []


def alter(path: Path, share: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 1
    path.write_bytes(content)

"""What goes wrong with a training's disk: one line, the named exit code, and the run goes on."""

import os
import resource
import subprocess
from pathlib import Path

from journey.program import PROGRAM
from journey.test_killed_training import whole
from journey.trainings import ONE_SET, events, train, weights, write_profile
from upsctl.errors import ExitCode

LIMIT = 60_000
"""Bytes that a file may have: fewer than a checkpoint's weights."""


def test_a_disk_that_fills_in_a_checkpoint(shared_folder: Path, tmp_path: Path) -> None:
    finished = whole(shared_folder, "one")
    write_profile(tmp_path, "one", ONE_SET)
    done = subprocess.run(
        [*PROGRAM, "train", "--profile", "one"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "UPSCTL_RUNS_ROOT": str(tmp_path / "runs"), "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT)))  # fmt: skip
    assert done.returncode == ExitCode.DISK, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert "File too large" in line and "Traceback" not in done.stderr
    assert not events(tmp_path, "checkpoint")
    train(tmp_path, "--profile", "one", "--resume")
    assert weights(tmp_path) == weights(finished)

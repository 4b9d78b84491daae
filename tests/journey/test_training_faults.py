"""A training whose disk fills, and one that has no test data."""

import os
import resource
import shutil
import subprocess
from pathlib import Path

from journey.program import PROGRAM, start_program
from journey.trainings import ONE_SET, events, train, weights, whole, write_profile
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


def test_a_training_needs_no_test_data(shared_folder: Path, tmp_path: Path) -> None:
    """It has no way to open them: the same weights where they are gone."""
    finished = whole(shared_folder, "one")
    shutil.copytree(shared_folder / "data", tmp_path / "data")
    (gone,) = (tmp_path / "data" / "entries").glob("burgers1d_tiny_v1-*/data/test")
    shutil.rmtree(gone)
    write_profile(tmp_path, "one", ONE_SET)
    process = start_program(
        tmp_path, "train", "--profile", "one", OMP_NUM_THREADS="1", UPSCTL_DATA_ROOT=str(tmp_path / "data"))
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert weights(tmp_path) == weights(finished)

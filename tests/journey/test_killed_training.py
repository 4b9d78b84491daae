"""kill -9 at any moment, then --resume: the same weights to the last bit, and little work done twice."""

import random
import shutil
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from journey.trainings import (
    PROFILES,
    events,
    has_checkpoint,
    kill_when,
    start,
    the_run,
    train,
    weights,
    whole,
    write_profile,
)

NUM_STEPS = 60


def after_step(folder: Path, step: int) -> Callable[[], bool]:
    """Once an event tells of this step and a checkpoint is there."""
    return lambda: (
        has_checkpoint(folder) and max(event["step"] for event in events(folder, "step", "checkpoint")) >= step
    )


def half_written(folder: Path) -> list[Path]:
    return list(the_run(folder).glob("stages/operator/.writing-*"))


def kill_inside_a_write(folder: Path) -> None:
    """Until a kill has come in time to leave a checkpoint half written."""
    for _ in range(10):
        kill_when(start(folder, "--profile", "one"), lambda: has_checkpoint(folder) and bool(half_written(folder)))
        if half_written(folder):
            return
        shutil.rmtree(folder / "runs")
    pytest.fail("never in time")


def kill_and_resume(folder: Path, name: str, is_time: Callable[[], bool]) -> None:
    write_profile(folder, name, PROFILES[name])
    kill_when(start(folder, "--profile", name), is_time)
    resume_the_run(folder, name)


def resume_the_run(folder: Path, name: str) -> None:
    done = max(event["step"] for event in events(folder, "step", "checkpoint"))
    last = max(event["step"] for event in events(folder, "checkpoint"))
    train(folder, "--profile", name, "--resume")
    (resume,) = events(folder, "resume")
    assert 0 < resume["step"] <= NUM_STEPS
    # It goes on from the last checkpoint before the kill, so that at most one interval's updates are made twice.
    written = [0, *(event["step"] for event in events(folder, "checkpoint"))]
    interval = max(after - before for before, after in pairwise(written))
    assert resume["step"] >= last and done - resume["step"] <= interval
    assert events(folder)[-1]["event"] == "end" and events(folder)[-1]["step"] == NUM_STEPS


def test_a_training_killed_between_checkpoints(shared_folder: Path, tmp_path: Path) -> None:
    kill_and_resume(tmp_path, "one", after_step(tmp_path, 20))
    assert weights(tmp_path) == weights(whole(shared_folder, "one"))


def test_a_training_killed_inside_a_checkpoint_write(shared_folder: Path, tmp_path: Path) -> None:
    write_profile(tmp_path, "one", PROFILES["one"])
    kill_inside_a_write(tmp_path)
    resume_the_run(tmp_path, "one")
    assert weights(tmp_path) == weights(whole(shared_folder, "one"))


def test_a_mixture_killed(shared_folder: Path, tmp_path: Path) -> None:
    kill_and_resume(tmp_path, "two", after_step(tmp_path, 20))
    assert weights(tmp_path) == weights(whole(shared_folder, "two"))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_a_training_killed_at_a_random_moment(shared_folder: Path, tmp_path: Path, number: int) -> None:
    name = random.Random(number).choice(["one", "two"])
    moment = time.monotonic() + random.Random(number).uniform(0.0, 4.0)
    kill_and_resume(tmp_path, name, lambda: after_step(tmp_path, 1)() and time.monotonic() > moment)
    assert weights(tmp_path) == weights(whole(shared_folder, name))

"""kill -9 at any moment, then --resume: the same weights to the last bit, and little work done twice."""

import random
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from journey.program import made_once
from journey.trainings import (
    ONE_SET,
    TWO_SETS,
    events,
    has_checkpoint,
    kill_when,
    start,
    the_run,
    train,
    weights,
    write_profile,
)

NUM_STEPS = 60
PROFILES = {"one": ONE_SET, "two": TWO_SETS}


def whole(shared_folder: Path, name: str) -> Path:
    """The folder of an uninterrupted training, made once for all tests."""

    def make(folder: Path) -> None:
        write_profile(folder, name, PROFILES[name])
        train(folder, "--profile", name)

    return made_once(shared_folder / f"whole_{name}", make)


def after_step(folder: Path, step: int) -> Callable[[], bool]:
    """Once an event tells of this step and a checkpoint is there."""
    return lambda: (
        has_checkpoint(folder) and max(event["step"] for event in events(folder, "step", "checkpoint")) >= step
    )


def in_a_write(folder: Path) -> Callable[[], bool]:
    """While a second checkpoint is being written."""
    return lambda: has_checkpoint(folder) and bool(list(the_run(folder).glob("stages/operator/.writing-*")))


def kill_and_resume(folder: Path, name: str, is_time: Callable[[], bool]) -> None:
    write_profile(folder, name, PROFILES[name])
    kill_when(start(folder, "--profile", name), is_time)
    done = max(event["step"] for event in events(folder, "step", "checkpoint"))
    written = [0, *(event["step"] for event in events(folder, "checkpoint"))]
    train(folder, "--profile", name, "--resume")
    (resume,) = events(folder, "resume")
    assert 0 < resume["step"] <= NUM_STEPS
    # It goes on from the last checkpoint before the kill, so that at most one interval's updates are made twice.
    longest = max(after - before for before, after in pairwise(written))
    assert resume["step"] >= written[-1] and done - resume["step"] <= 2 * longest
    assert events(folder)[-1]["event"] == "end" and events(folder)[-1]["step"] == NUM_STEPS


def test_a_training_killed_between_checkpoints(shared_folder: Path, tmp_path: Path) -> None:
    kill_and_resume(tmp_path, "one", after_step(tmp_path, 20))
    assert weights(tmp_path) == weights(whole(shared_folder, "one"))


def test_a_training_killed_inside_a_checkpoint_write(shared_folder: Path, tmp_path: Path) -> None:
    kill_and_resume(tmp_path, "one", in_a_write(tmp_path))
    assert weights(tmp_path) == weights(whole(shared_folder, "one"))


def test_a_mixture_killed(shared_folder: Path, tmp_path: Path) -> None:
    kill_and_resume(tmp_path, "two", after_step(tmp_path, 20))
    assert weights(tmp_path) == weights(whole(shared_folder, "two"))


@pytest.mark.slow
@pytest.mark.parametrize("number", range(17))
def test_a_training_killed_at_a_random_moment(shared_folder: Path, tmp_path: Path, number: int) -> None:
    name = random.Random(number).choice(["one", "two"])
    write_profile(tmp_path, name, PROFILES[name])
    process = start(tmp_path, "--profile", name)
    moment = time.monotonic() + random.Random(number).uniform(0.0, 4.0)
    kill_when(process, lambda: after_step(tmp_path, 1)() and time.monotonic() > moment)
    train(tmp_path, "--profile", name, "--resume")
    assert weights(tmp_path) == weights(whole(shared_folder, name))

"""Trainings through the real program, in processes that can be killed."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from journey.program import made_once, start_program

ONE_SET = "datasets: {burgers1d_tiny_v1: {batch_size: 8}}\n"
TWO_SETS = "datasets: {burgers1d_tiny_v1: {batch_size: 8, weight: 3}, navier_stokes2d_tiny_v1: {batch_size: 2}}\n"
PROFILES = {"one": ONE_SET, "two": TWO_SETS}
SMALL = """
model: {emulator: universal, settings: {sizes: {token_width: 16, fine_width: [8, 8, 8]}, operator: {depth: [1, 1, 1]}}}
stages: {operator: {num_steps: 60}}
checkpoint_interval_seconds: 0.2
num_threads: 1
steps_per_epoch: 20
"""


def write_profile(folder: Path, name: str, datasets: str) -> None:
    """A run profile in ./profiles of `folder`."""
    path = folder / "profiles" / "runs" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(datasets + SMALL, encoding="utf-8")


def start(folder: Path, *words: str) -> "subprocess.Popen[str]":
    """`upsctl train ...` in `folder`, with runs of its own."""
    return start_program(folder, "train", *words, OMP_NUM_THREADS="1")


def train(folder: Path, *words: str) -> str:
    """Train to the end; what was printed."""
    process = start(folder, *words)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output + errors


def kill_when(process: "subprocess.Popen[str]", is_time: Callable[[], bool]) -> None:
    """kill -9 at the moment that `is_time`."""
    deadline = time.monotonic() + 120
    while not is_time():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.communicate()


def the_run(folder: Path) -> Path:
    """The one run below `folder`."""
    return (folder / "runs" / "latest").resolve()


def has_checkpoint(folder: Path) -> bool:
    """Whether the run has begun and written a whole checkpoint."""
    return (folder / "runs" / "latest").exists() and bool(events(folder, "checkpoint"))


def events(folder: Path, *kinds: str) -> list[dict[str, Any]]:
    """The whole lines of the run's events, of some kinds."""
    found = []
    for line in (the_run(folder) / "events.jsonl").read_text().splitlines():
        try:
            found.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return [event for event in found if not kinds or event["event"] in kinds]


def weights(folder: Path) -> bytes:
    """The bytes of the last checkpoint's weights."""
    return (the_run(folder) / "stages" / "operator" / "checkpoint" / "weights.safetensors").read_bytes()


def whole(shared_folder: Path, name: str) -> Path:
    """The folder of an uninterrupted training, made once for all tests."""

    def make(folder: Path) -> None:
        write_profile(folder, name, PROFILES[name])
        train(folder, "--profile", name)

    return made_once(shared_folder / f"whole_{name}", make)

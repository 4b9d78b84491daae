"""Ctrl-C in every verb, at any moment: one line, its code, nothing half written, and the next call succeeds."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image
from ruamel.yaml import YAML
from safetensors.numpy import load_file

from journey.program import made_once, start_program
from journey.trainings import ONE_SET, write_profile
from upsctl.cli import VERBS
from upsctl.data.convert import build_converter
from upsctl.errors import ExitCode
from upsctl.failure import GOING_ON
from upsctl.profile_reader import shipped_profiles

BURGERS = "burgers1d_tiny_v1"
CHECKPOINT = "runs/latest/stages/operator/checkpoint"
PREDICTIONS = f"evaluation/predictions/ours_{BURGERS}_valid.h5"
SUITE = """
datasets: {burgers1d_tiny_v1: {batch_size: 16}}
contestants:
  - {label: FNO in our frame, model: {emulator: fno}, learning_rates: [0.008], widths: [20]}
  - {label: persistence, model: {emulator: persistence, frame: standard}}
budget_seconds: 2
num_threads: 1
split: valid
reference: FNO in our frame
timing_seconds: 0.2
metrics: [nrmse]
figures: [space_time]
"""
WORDS = {
    "data list": "", "data show": BURGERS, "data fetch": f"{BURGERS} --processes 2",
    "data convert": "--format pdebench 1D_Advection_Sols_beta0.4.hdf5 --output converted",
    "data pack": f"{BURGERS} --output packed", "data push": f"{BURGERS} --store shelf", "data verify": BURGERS,
    "data prune": "--max-gb 0", "train": "--profile one", "runs list": "", "runs show": "latest",
    "eval": f"{CHECKPOINT} --output again", "predict": f"{CHECKPOINT} --input state.npz --steps 20",
    "bench run": "pair", "bench show": "evaluation/rows.jsonl",
    "viz draw": f"rollout_movie --predictions {PREDICTIONS}",
    "profile list": "", "profile show": "runs/one", "profile copy": "runs/quickstart --to mine.yaml",
    "profile check": "profiles/runs/one.yaml", "doctor": "",
}  # fmt: skip
ONCE = {"data convert", "profile copy"}
"""Verbs that write what must not exist yet: done, they are not called again."""
SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Of the time that the verb takes when nothing stops it."""


def load_picture(path: Path) -> None:
    with Image.open(path) as picture:
        picture.load()


READERS = {
    ".json": lambda path: json.loads(path.read_text()),
    ".jsonl": lambda path: [json.loads(line) for line in path.read_text().splitlines()],
    ".yaml": lambda path: YAML(typ="safe").load(path.read_text()),
    ".h5": lambda path: h5py.File(path).close(),
    ".hdf5": lambda path: h5py.File(path).close(),
    ".npz": lambda path: dict(np.load(path)),
    ".png": load_picture,
    ".gif": load_picture,
    ".safetensors": load_file,
}


def test_every_verb_is_here() -> None:
    assert WORDS.keys() == VERBS.keys()


@pytest.fixture(scope="module")
def workplace(shared_folder: Path) -> Path:
    """A folder in which every verb has something to do, made once for all workers."""
    return made_once(shared_folder / "workplace", furnish)


def furnish(folder: Path) -> None:
    write_profile(folder, "one", ONE_SET)
    for kind, name, text in (("suites", "pair", SUITE), ("stores", "shelf", "backend: folder\naddress: shelf\n")):
        (folder / "profiles" / kind).mkdir()
        (folder / "profiles" / kind / f"{name}.yaml").write_text(text)
    shutil.copytree(shipped_profiles() / "datasets", folder / "profiles" / "datasets")
    build_converter("pdebench").write_example(folder)
    np.savez(folder / "state.npz", u=np.sin(2 * np.pi * np.arange(64) / 64), viscosity=0.01)
    for words in (f"data fetch {BURGERS}", "train --profile one", f"eval {CHECKPOINT} --output evaluation"):
        with start(folder, words) as process:
            _, errors = process.communicate(timeout=200)
        assert process.returncode == 0, errors


def start(folder: Path, words: str) -> "subprocess.Popen[str]":
    return start_program(folder, *words.split(), UPSCTL_DATA_ROOT=str(folder / "cache"), OMP_NUM_THREADS="1")


def prepare(workplace: Path, folder: Path, verb: str) -> str:
    """A workplace of its own; the verb and its words."""
    shutil.copytree(workplace, folder, symlinks=True)
    if verb == "data fetch":
        shutil.rmtree(folder / "cache")
    return f"{verb} {WORDS[verb]}"


def finish(folder: Path, words: str) -> None:
    with start(folder, words) as process:
        _, errors = process.communicate(timeout=200)
    assert process.returncode == ExitCode.DONE, errors
    assert list(broken(folder)) == []


def check_end(folder: Path, process: "subprocess.Popen[str]") -> None:
    """How a verb ends to which Ctrl-C came."""
    _, errors = process.communicate(timeout=60)
    assert process.returncode in (ExitCode.INTERRUPTED, ExitCode.DONE), errors
    assert "Traceback" not in errors
    if process.returncode == ExitCode.INTERRUPTED:
        assert errors.splitlines()[-1] in (f"error: stopped; {GOING_ON}", "error: stopped before anything was done")
        assert errors.count("error: ") == 1
    assert list(broken(folder)) == []


def broken(folder: Path) -> Iterator[Path]:
    """Visible files that their reader refuses."""
    for path in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix in READERS and not is_hidden and "scratch" not in path.parts:
            try:
                READERS[path.suffix](path)
            except (OSError, ValueError, SyntaxError):
                yield path


@pytest.mark.parametrize("verb", ["train", "eval", "bench run"])
def test_ctrl_c_at_work(workplace: Path, tmp_path: Path, verb: str) -> None:
    folder = tmp_path / "folder"
    words = prepare(workplace, folder, verb)
    with start(folder, words) as process:
        assert process.stderr is not None and process.stderr.readline(), "a line of its progress"
        os.killpg(process.pid, signal.SIGINT)
        check_end(folder, process)
    assert process.returncode == ExitCode.INTERRUPTED
    finish(folder, words)


@pytest.mark.slow
@pytest.mark.parametrize("verb", WORDS)
def test_ctrl_c_at_any_moment(workplace: Path, tmp_path: Path, verb: str) -> None:
    words = prepare(workplace, tmp_path / "whole", verb)
    begun = time.monotonic()
    finish(tmp_path / "whole", words)
    needed = time.monotonic() - begun
    for share in SHARES:
        folder = tmp_path / f"stopped_after_{share}"
        prepare(workplace, folder, verb)
        with start(folder, words) as process:
            time.sleep(share * needed)
            os.killpg(process.pid, signal.SIGINT)
            check_end(folder, process)
        if process.returncode == ExitCode.INTERRUPTED or verb not in ONCE:
            finish(folder, words)

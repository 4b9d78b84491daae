"""`doctor`, and the lock against which it compares."""

import importlib.metadata
import json
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from upsctl.cli import run
from upsctl.errors import ExitCode
from upsctl.health import Finding, examine_machine, locked_versions, required_packages

ROOT = Path(__file__).parents[2]
# What torch's builds for accelerators bring along; the lock pins torch, and torch pins these.
OF_TORCH = ("nvidia-", "cuda-", "triton")


def finding(name: str) -> Finding:
    (found,) = [one for one in examine_machine() if one.name == name]
    return found


def test_every_required_package_is_pinned_and_examined() -> None:
    assert set(required_packages()) <= set(locked_versions())
    assert set(required_packages()) <= {one.name for one in examine_machine()}


def test_the_lock_is_closed_and_nothing_in_it_is_too_old() -> None:
    locked = locked_versions()
    broken = []
    for name in locked:
        for text in importlib.metadata.requires(name) or []:
            needed = Requirement(text)
            key = canonicalize_name(needed.name)
            if key.startswith(OF_TORCH) or (needed.marker is not None and not needed.marker.evaluate({"extra": ""})):
                continue
            if key not in locked or not needed.specifier.contains(locked[key], prereleases=True):
                broken.append(f"{name} needs {needed}, locked: {locked.get(key)}")
    assert broken == []


def test_the_lock_names_no_machine() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins == sorted(pins, key=str.encode)
    assert all(re.fullmatch(r"[a-z0-9-]+==[\w.]+", pin) for pin in pins)


def test_a_cache_that_cannot_be_made_is_a_named_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UPSCTL_DATA_ROOT", str(tmp_path / "file" / "data"))
    assert run(["doctor", "--json"]) == ExitCode.RESOURCES
    printed = capfd.readouterr()
    (problem,) = [one for one in json.loads(printed.out)["findings"] if one["problem"] and one["name"] == "data cache"]
    assert "UPSCTL_DATA_ROOT" in problem["next_step"]
    assert "data cache" in printed.err


def test_the_folder_of_runs_need_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSCTL_RUNS_ROOT", str(tmp_path / "not" / "yet"))
    assert str(tmp_path / "not" / "yet") in finding("runs folder").value
    assert not (tmp_path / "not").exists()

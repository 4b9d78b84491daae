"""What every test of data begins with: a folder and a cache of its own."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from journey.data.data_program import TINY
from journey.program import PROGRAM
from upsctl.profile_reader import shipped_profiles


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with profiles of its own, so that `push` writes no shipped card; an empty cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UPSCTL_DATA_ROOT", str(tmp_path / "cache"))
    shutil.copytree(shipped_profiles() / "datasets", tmp_path / "profiles/datasets")
    return tmp_path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with both tiny datasets, made once."""
    root = tmp_path_factory.mktemp("made")
    for name in TINY:
        done = subprocess.run([*PROGRAM, "data", "fetch", name, "--json"], capture_output=True, text=True,
                              env={**os.environ, "UPSCTL_DATA_ROOT": str(root)}, check=True)  # fmt: skip
        assert json.loads(done.stdout)["answered_by"].startswith("recipe ")
    return root


@pytest.fixture
def cache(made: Path, folder: Path) -> Path:
    return Path(shutil.copytree(made, folder / "cache"))

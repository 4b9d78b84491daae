"""The wheel: it carries its profiles and its lock, and works from any folder."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from journey.program import made_once

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(shared_folder: Path) -> Path:
    """The wheel of this checkout, built once."""

    def make(folder: Path) -> None:
        source = shared_folder / "checkout"
        source.mkdir()
        for name in ("src", "profiles"):
            shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.lock"):
            shutil.copy(ROOT / name, source / name)
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
        subprocess.run(command, check=True, capture_output=True)

    (path,) = made_once(shared_folder / "wheel", make).glob("*.whl")
    return path


def test_the_wheel_has_profiles_and_lock_and_no_tests(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    profiles = {str(path.relative_to(ROOT / "profiles")) for path in (ROOT / "profiles").rglob("*.yaml")}
    assert {f"upsctl/shipped_profiles/{name}" for name in profiles} <= names
    assert "upsctl/requirements.lock" in names
    assert {name.partition("/")[0] for name in names if not name.startswith("upsctl-")} == {"upsctl", "ups_models"}


def test_the_installed_program_finds_its_profiles_from_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    site, empty = tmp_path / "site", tmp_path / "empty"
    empty.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    program = "import sys, upsctl.cli; sys.exit(upsctl.cli.run(sys.argv[1:]))"
    command = [sys.executable, "-c", program, "profile", "list", "datasets", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=True)
    files = json.loads(done.stdout)["profiles"]["datasets"].values()
    assert files and all(Path(file).is_relative_to(site / "upsctl" / "shipped_profiles") for file in files)

"""Profiles as a person meets them: the program in a process of its own, in an empty folder."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from upsctl.errors import ExitCode
from upsctl.profile_reader import shipped_profiles

STORE = "backend: folder\naddress: /tmp/somewhere\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def upsctl(*words: str, code: ExitCode = ExitCode.DONE, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "upsctl.program", *words]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    assert done.returncode == code, done.stderr
    return done


def values(*words: str, **environment: str) -> dict[str, Any]:
    return json.loads(upsctl(*words, "--json", **environment).stdout)


def error(*words: str, code: ExitCode = ExitCode.PROFILE) -> str:
    done = upsctl(*words, code=code)
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_copy_is_found_before_the_shipped_one_and_never_overwritten() -> None:
    upsctl("profile", "copy", "stores/home")
    copy = Path("profiles/stores/home.yaml")
    assert copy.read_bytes() == (shipped_profiles() / "stores" / "home.yaml").read_bytes()
    assert values("profile", "list", "stores")["profiles"]["stores"]["home"] == str(copy)
    copy.write_text(STORE)
    assert "exists" in error("profile", "copy", "stores/home", code=ExitCode.USAGE)
    assert copy.read_text() == STORE
    assert values("profile", "show", "stores/home")["origins"]["address"] == f"{copy}:2"


def test_a_dry_run_copies_nothing(folder: Path) -> None:
    assert values("profile", "copy", "stores/home", "--to", "mine.yaml", "--dry-run")["is_dry_run"]
    assert list(folder.iterdir()) == []


def test_show_says_where_each_value_is_from() -> None:
    shown = values(
        "profile", "show", "stores/home", "--set", "address=/a", UPSCTL_SET__STORES__BACKEND="fsspec_url",
        UPSCTL_SET__STORES__ADDRESS="/b",
    )  # fmt: skip
    assert shown["values"] == {"backend": "fsspec_url", "address": "/a"}
    assert shown["origins"] == {"backend": "UPSCTL_SET__STORES__BACKEND", "address": "--set"}


def test_all_shipped_profiles_are_right() -> None:
    checked = values("profile", "check")
    assert checked["problems"] == {}
    assert "datasets/burgers1d_subset_v1" in checked["checked"]


def test_check_asks_each_part_about_its_settings() -> None:
    for kind, text in [
        ("models", "emulator: fno\nsettings:\n  widht: 8\n"),
        ("runs", "datasets: {burgers1d_tiny_v1: {}}\nmodel: toy\nstages: {supervised: {num_steps: 1}}\n"),
    ]:
        Path(f"profiles/{kind}").mkdir(parents=True)
        Path(f"profiles/{kind}/toy.yaml").write_text(text)
    done = upsctl("profile", "check", "models/toy", "runs/toy", code=ExitCode.PROFILE)
    assert done.stdout.count("profiles/models/toy.yaml:3: unknown key `widht`; expected `width`") == 2


@pytest.mark.parametrize(
    ("card", "key", "typo"),
    [
        ("advection1d_pdebench_v1", "times", "tmies"),
        ("burgers1d_tiny_v1", "courant_number", "courant_nubmer"),
    ],
)
def test_check_asks_the_source_of_a_card_about_its_settings(card: str, key: str, typo: str) -> None:
    upsctl("profile", "copy", f"datasets/{card}")
    path = Path(f"profiles/datasets/{card}.yaml")
    path.write_text(path.read_text().replace(f"    {key}: ", f"    {typo}: "))
    done = upsctl("profile", "check", f"datasets/{card}", code=ExitCode.PROFILE)
    assert f"unknown key `{typo}`; expected `{key}`" in done.stdout


def test_check_names_every_wrong_file_line_and_name() -> None:
    stores = Path("profiles/stores")
    stores.mkdir(parents=True)
    (stores / "good.yaml").write_text(STORE)
    (stores / "typo.yaml").write_text(STORE.replace("address", "adress"))
    (stores / "unknown.yaml").write_text(STORE.replace("folder", "foldr"))
    done = upsctl("profile", "check", *(str(path) for path in sorted(stores.iterdir())), code=ExitCode.PROFILE)
    assert "profiles/stores/typo.yaml:2: unknown key `adress`; expected `address`" in done.stdout
    assert "`backend` names `foldr`, which does not exist; expected `folder`" in done.stdout
    assert "1 of 3 profiles are right" in done.stdout
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["show", "stores/hom"], "no profile `hom` in stores/; expected `home`"),
        (["show", "store/home"], "no kind of profile `store`; expected `stores`"),
        (["show", "home"], "`home` has no kind; expected stores/home"),
        (["show", "stores/home", "--set", "adress=1"], "unknown key `adress`; expected `address`"),
        (["copy", "stores/none.yaml"], "stores/none.yaml: no such file"),
    ],
)
def test_a_wrong_name_is_one_line_with_the_nearest(words: list[str], expected: str) -> None:
    assert expected in error("profile", *words)


def test_a_folder_that_cannot_be_made_is_a_disk_error() -> None:
    Path("profiles").write_text("a file where a folder should be")
    assert "profiles" in error("profile", "copy", "stores/home", code=ExitCode.DISK)

"""`upsctl train`: which run and which stages a person means."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock

from journey.trainings import ONE_SET, write_profile
from ups_models.checkpoint import read_lineage
from upsctl.cli import run as upsctl
from upsctl.errors import ExitCode
from upsctl.profile_reader import load_yaml, shipped_profiles, write_yaml
from upsctl.training.run_folder import RunFolder, find_run, list_runs

HAS_CUDA = torch.cuda.is_available()
SHORT = ("--profile", "one", "--set", "stages.operator.num_steps=4")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UPSCTL_RUNS_ROOT", str(tmp_path / "runs"))
    write_profile(tmp_path, "one", ONE_SET)
    return tmp_path


def values(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert upsctl(["train", *words, "--json"]) == ExitCode.DONE
    return json.loads(capfd.readouterr().out)


def latest(folder: Path) -> RunFolder:
    return find_run(str(folder / "runs" / "latest"))


def test_an_epoch_is_the_profiles_steps_per_epoch(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = values(capfd, "--profile", "one", "--stage", "operator", "--epochs", "1")
    assert found["stages"][0]["num_steps"] == 20
    assert found["trained"] == ["operator"]


def test_a_finished_stage_says_so(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    values(capfd, *SHORT)
    events = list(latest(folder).events())
    assert upsctl(["train", "--profile", "one", "--stage", "operator", "--resume"]) == ExitCode.DONE
    assert "finished before, nothing to do" in capfd.readouterr().out
    assert list(latest(folder).events()) == events


def test_options_given_again_are_changes(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    values(capfd, *SHORT)
    assert upsctl(["train", "--profile", "one", "--resume", "--set", "stages.operator.num_steps=6"]) == ExitCode.DONE
    assert "changed stages.operator.num_steps: 4 -> 6" in capfd.readouterr().err
    run = latest(folder)
    assert [event["step"] for event in run.events("resume")] == [4]
    assert run.profile.stages["operator"].num_steps == 6 and run.is_finished("operator", 6)
    checkpoint = run.checkpoint("operator")
    assert checkpoint is not None
    began, changed = read_lineage(checkpoint).command.split(" && ")
    assert began.startswith("upsctl") and changed.startswith("upsctl")
    assert len(list_runs(folder / "runs")) == 1


def test_a_run_that_is_being_trained_is_not_changed(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    values(capfd, *SHORT)
    run = latest(folder)
    before, events = run.profile, list(run.events())
    with FileLock(run.path / ".lock"):
        words = ["train", "--profile", "one", "--resume", "--set", "stages.operator.num_steps=6"]
        assert upsctl(words) == ExitCode.RUN
        assert "another process trains it" in capfd.readouterr().err
    assert (run.profile, list(run.events())) == (before, events)


def test_a_variable_set_since_is_a_change(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    values(capfd, *SHORT)
    monkeypatch.setenv("UPSCTL_SET__RUNS__STAGES__OPERATOR__NUM_STEPS", "6")
    assert upsctl(["train", "--profile", "one", "--resume"]) == ExitCode.DONE
    assert "changed stages.operator.num_steps: 4 -> 6" in capfd.readouterr().err
    assert latest(folder).is_finished("operator", 6)


def test_a_profile_of_a_baseline_resumes_its_own_run(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = (folder / "profiles/runs/one.yaml").read_text()
    head, _, tail = text.partition("model: {")
    fno = "model: {emulator: fno}" + tail[tail.index("\n") :].replace("operator:", "supervised:")
    (folder / "profiles/runs/fno.yaml").write_text(head + fno)
    short = ("--profile", "fno", "--set", "stages.supervised.num_steps=2")
    values(capfd, *short)
    values(capfd, "--profile", "fno", "--resume", "--set", "stages.supervised.num_steps=3")
    assert len(list_runs(folder / "runs")) == 1 and latest(folder).is_finished("supervised", 3)


def test_a_stage_not_begun_begins(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    two = ("--set", "stages.supervised.num_steps=3")
    values(capfd, *SHORT, *two, "--stage", "operator")
    found = values(capfd, "--profile", "one", "--resume")
    assert found["trained"] == ["supervised"]
    assert [event["stage"] for event in latest(folder).events("begin")] == ["operator", "supervised"]


def test_without_a_run_the_error_says_how_to_start_one(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert upsctl(["train", "--profile", "one", "--stage", "operator", "--resume"]) == ExitCode.RUN
    assert "next: upsctl train --profile one --stage operator" in capfd.readouterr().err


def test_a_baselines_run_is_never_taken(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    values(capfd, *SHORT)
    own = folder / "profiles" / "runs" / "one.yaml"
    ours = own.read_text()
    own.write_text(ONE_SET + "model: {emulator: persistence}\nstages: {supervised: {num_steps: 0}}\n")
    assert values(capfd, "--profile", "one")["emulator"] == "persistence"
    own.write_text(ours)
    assert values(capfd, "--profile", "one", "--resume")["emulator"] == "universal"


def test_a_dry_run_leaves_nothing(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = values(capfd, *SHORT, "--dry-run")
    assert found["is_dry_run"] and found["stages"] == [{"stage": "operator", "done": 0, "num_steps": 4}]
    assert not (folder / "runs").exists()


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (("--profile", "on"), ExitCode.PROFILE, "one"),
        (("--profile", "one", "--stage", "oprator"), ExitCode.USAGE, "operator"),
        (("--profile", "one", "--set", "optimiser.learning_rat=1"), ExitCode.PROFILE, "learning_rate"),
        (("--profile", "one", "--set", "model.settings.sizs={}"), ExitCode.PROFILE, "sizes"),
        (("--profile", "one", "--set", "datasets={burgers1d_tinny_v1: {}}"), ExitCode.PROFILE, "burgers1d_tiny_v1"),
    ],
)
def test_a_typo_names_the_nearest(
    folder: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], code: ExitCode, expected: str
) -> None:
    assert upsctl(["train", *words]) == code
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert expected in line
    assert list_runs(folder / "runs") == [], "nothing was begun that --resume would take"


def test_a_diverged_training_has_its_own_exit_code(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    fast = ("--set", "optimiser.learning_rate=1e30", "--set", "optimiser.warmup_fraction=0")
    assert upsctl(["train", "--profile", "one", *fast]) == ExitCode.DIVERGED
    assert "next: a smaller optimiser.learning_rate" in capfd.readouterr().err
    assert list(latest(folder).events("diverged"))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("model.settings.sizes.token_width=32", ExitCode.PROFILE),
        ("seed=1", ExitCode.PROFILE),
        ("datasets={navier_stokes2d_tiny_v1: {}}", ExitCode.PROFILE),
        ("seed=-1", ExitCode.PROFILE),
        pytest.param("device=cuda", ExitCode.RESOURCES, marks=pytest.mark.skipif(HAS_CUDA, reason="it is there")),
    ],
)
def test_a_change_that_its_weights_do_not_allow_leaves_the_run_as_it_was(
    folder: Path, capfd: pytest.CaptureFixture[str], change: str, code: ExitCode
) -> None:
    values(capfd, *SHORT)
    before = latest(folder).profile
    longer = ("--profile", "one", "--resume", "--set", "stages.operator.num_steps=6")
    assert upsctl(["train", *longer, "--set", change]) == code
    assert change.partition("=")[0].partition(".")[0] in capfd.readouterr().err
    assert latest(folder).profile == before
    assert values(capfd, *longer)["trained"] == ["operator"], "it goes on"


def test_a_run_does_not_go_on_with_other_data(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSCTL_DATA_ROOT", str(folder / "cache"))
    values(capfd, *SHORT)
    card = load_yaml(shipped_profiles() / "datasets/burgers1d_tiny_v1.yaml")
    card["source"]["seed"] += 1
    write_yaml(card | {"probes": []}, folder / "profiles/datasets/burgers1d_tiny_v1.yaml")
    longer = ("--profile", "one", "--resume", "--set", "stages.operator.num_steps=6")
    assert upsctl(["train", *longer]) == ExitCode.RUN
    assert "burgers1d_tiny_v1 is not what it was trained on" in capfd.readouterr().err


def test_a_run_does_not_go_on_with_other_sources(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    values(capfd, *SHORT)
    entry = latest(folder).path / "stages/operator/checkpoint/checkpoint.json"
    written = json.loads(entry.read_text())
    written["lineage"]["source_digest"] = "0" * 64
    entry.write_text(json.dumps(written))
    assert upsctl(["train", "--profile", "one", "--resume", "--set", "stages.operator.num_steps=6"]) == ExitCode.RUN
    assert "code that trained it has changed" in capfd.readouterr().err

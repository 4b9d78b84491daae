"""`runs list` and `runs show`: what is read from a run's folder."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from upsctl.cli import run as upsctl
from upsctl.errors import ExitCode
from upsctl.profiles import DatasetShare, ModelProfile, RunProfile, StageProfile
from upsctl.training.run_folder import RunFolder, create_run, events_by_label, write_run
from upsctl.training.run_summary import summarise_run

PROFILE = RunProfile(
    datasets={"burgers1d_tiny_v1": DatasetShare()},
    model=ModelProfile(emulator="universal"),
    stages={"operator": StageProfile(num_steps=40), "diffusion": StageProfile(num_steps=10)},
    seed=3,
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UPSCTL_RUNS_ROOT", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def resumed(folder: Path) -> RunFolder:
    run = create_run(PROFILE, "quickstart", folder, {})
    for step in (10, 20):
        run.append_event("step", stage="operator", step=step, loss=1 / step)
    run.append_event("checkpoint", stage="operator", step=20)
    run.append_event("resume", stage="operator", step=20)
    run.append_event("step", stage="operator", step=30, loss=0.025)
    return run


def test_runs_that_begin_in_the_same_second_are_two(folder: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: create_run(PROFILE, "quickstart", folder, {}), range(4)))
    assert len({run.path for run in runs}) == 4
    assert all(run.profile == PROFILE for run in runs)


def values(capfd: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert upsctl([*words, "--json"]) == ExitCode.DONE
    return json.loads(capfd.readouterr().out)


def test_events_of_runs_of_one_label_are_kept_apart_by_name(folder: Path) -> None:
    first, second = (create_run(PROFILE, "quickstart", folder, {}) for _ in range(2))
    assert list(events_by_label([first, second])) == [first.name, second.name]
    assert list(events_by_label([second])) == [PROFILE.label]


def test_show_tells_steps_losses_and_resumes(resumed: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    shown = values(capfd, "runs", "show", "latest")
    operator, diffusion = shown["stages"]
    assert (shown["name"], shown["seed"], shown["profile_name"]) == (resumed.name, 3, "quickstart")
    assert (operator["state"], operator["step"], operator["num_steps"]) == ("unfinished", 30, 40)
    assert (operator["num_resumes"], operator["loss"]) == (1, 0.025)
    assert (diffusion["state"], diffusion["step"], diffusion["loss"]) == ("not begun", 0, None)


def test_an_end_makes_a_stage_finished(resumed: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    resumed.append_event("end", stage="operator", step=40)
    assert values(capfd, "runs", "show", resumed.name)["stages"][0]["state"] == "finished"


def test_show_says_how_to_go_on_until_all_is_finished(folder: Path, resumed: RunFolder) -> None:
    assert summarise_run(resumed).next_step == "upsctl train --profile quickstart --resume"
    facts = {"campaign": "grids", "command": "upsctl bench run grids"}
    assert summarise_run(write_run(folder / "of_grids", PROFILE, "grids", facts)).next_step == "upsctl bench run grids"
    for stage, step in (("operator", 40), ("diffusion", 10)):
        resumed.append_event("end", stage=stage, step=step)
    assert summarise_run(resumed).next_step.startswith("upsctl eval ")


def test_a_line_cut_by_a_kill_is_left_out(resumed: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    before = values(capfd, "runs", "show")
    with (resumed.path / "events.jsonl").open("a") as stream:
        stream.write('{"event": "step", "stage": "oper')
    assert values(capfd, "runs", "show") == before
    resumed.append_event("end", stage="operator", step=40)
    assert [event["event"] for event in resumed.events()][-1] == "end", "the next line does not begin behind it"


def test_any_other_line_that_is_no_event_is_named(resumed: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    with (resumed.path / "events.jsonl").open("a") as stream:
        stream.write('{"step": 3}\n')
    assert upsctl(["runs", "show"]) == ExitCode.DATA
    assert "events.jsonl:" in capfd.readouterr().err


def test_list_shows_all_runs_oldest_first(resumed: RunFolder, capfd: pytest.CaptureFixture[str]) -> None:
    other = create_run(PROFILE, "quickstart", resumed.path.parent, {})
    assert [run["name"] for run in values(capfd, "runs", "list")["runs"]] == [resumed.name, other.name]
    assert upsctl(["runs", "list"]) == ExitCode.DONE
    assert "30/40" in capfd.readouterr().out


def test_without_runs_both_say_how_to_start_one(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert upsctl(["runs", "list"]) == ExitCode.DONE
    assert "upsctl train" in capfd.readouterr().out
    assert upsctl(["runs", "show"]) == ExitCode.RUN
    assert "upsctl train" in capfd.readouterr().err


def test_a_run_that_cannot_be_read_hides_no_other(
    resumed: RunFolder, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, spoil in (("odd_profile", "profile.yaml"), ("no_beginning", "events.jsonl")):
        run = write_run(folder / name, PROFILE, "quickstart", {})
        (run.path / spoil).write_text("foo: 1\n" if spoil.endswith("yaml") else "")
    listed = values(capfd, "runs", "list")
    assert [run["name"] for run in listed["runs"]] == [resumed.name]
    first, second = sorted(listed["unreadable"])
    assert first.startswith("no_beginning: ") and "no event `start`" in first
    assert second.startswith("odd_profile: ") and "profile.yaml:1: unknown key `foo`" in second


def test_updates_that_a_kill_undid_took_no_time(folder: Path) -> None:
    run = write_run(folder / "killed", PROFILE, "quickstart", {})
    run.append_event("begin", stage="operator", step=0)
    for event, step in (("step", 10), ("step", 20), ("resume", 10), ("step", 15), ("step", 20)):
        run.append_event(event, stage="operator", step=step, **({"seconds": 1.5} if event == "step" else {}))
    assert run.training_seconds("operator") == 4.5

"""The verbs of this room, through Typer, on real files."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from evaluation.toy_artifact import toy_checkpoint, write_toy_card
from evaluation.toy_predictions import toy_card, toy_predictions
from evaluation.toy_rows import toy_rows
from upsctl.commands.bench_show import bench_show
from upsctl.commands.predict import predict
from upsctl.commands.viz_draw import complete_figure, viz_draw
from upsctl.errors import DataError, ExitCode, UpsctlError, UsageError
from upsctl.evaluation.predictions_file import write_predictions
from upsctl.evaluation.rows_file import append_rows


def run(command: Any, *arguments: object) -> Result:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def values(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


@pytest.mark.parametrize("command", [bench_show, predict, viz_draw])
def test_help_has_an_example(command: Any) -> None:
    assert "Example: upsctl" in run(command, "--help").stdout


def test_viz_draw_makes_one_figure_of_one_field(tmp_path: Path) -> None:
    path = write_predictions(toy_predictions(2), tmp_path / "p.h5")
    arguments = ("field_sequence", "--predictions", path, "--field", "vorticity", "--output", tmp_path / "figures")
    assert values(run(viz_draw, *arguments, "--dry-run", "--json"))["is_dry_run"]
    assert not (tmp_path / "figures").exists()
    drawn = values(run(viz_draw, *arguments, "--json"))
    panels = json.loads(Path(drawn["numbers"]).read_text())["panels"]
    assert {panel["id"].split("/")[1] for panel in panels} == {"vorticity"}
    assert Path(drawn["picture"]).is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["space_tim"], "no figure `space_tim`; expected space_time"),
        (["space_time"], "expected one-dimensional predictions .* of one to three emulators; got predictions of 0"),
    ],
)
def test_viz_draw_names_what_is_wrong(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = run(viz_draw, *arguments, "--output", tmp_path)
    assert isinstance(result.exception, UsageError)
    with pytest.raises(UsageError, match=message):
        raise result.exception


def test_viz_draw_names_the_fields_that_there_are(tmp_path: Path) -> None:
    path = write_predictions(toy_predictions(2), tmp_path / "p.h5")
    result = run(viz_draw, "field_sequence", "--predictions", path, "--field", "vortcity", "--output", tmp_path / "out")
    assert isinstance(result.exception, UsageError)
    assert "`vortcity`" in result.exception.line and "vorticity" in result.exception.line
    assert not (tmp_path / "out").exists()


def test_viz_draw_refuses_other_trajectories(tmp_path: Path) -> None:
    first = write_predictions(toy_predictions(1), tmp_path / "a.h5")
    other = write_predictions(toy_predictions(1, num_trajectories=4), tmp_path / "b.h5")
    result = run(viz_draw, "error_over_time", "--predictions", first, "--predictions", other)
    assert isinstance(result.exception, DataError) and "b.h5" in result.exception.line


def test_viz_draw_refuses_two_files_of_one_label(tmp_path: Path) -> None:
    paths = [write_predictions(toy_predictions(1), tmp_path / name) for name in ("a.h5", "b.h5")]
    result = run(viz_draw, "error_over_time", "--predictions", paths[0], "--predictions", paths[1])
    assert isinstance(result.exception, UsageError) and "different labels" in result.exception.line


def test_figures_complete() -> None:
    assert complete_figure("sp") == ["space_time", "spectra"]


def test_bench_show_alone_takes_the_quickstart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSCTL_RUNS_ROOT", str(tmp_path))
    append_rows(tmp_path / "bench" / "quickstart" / "rows.jsonl", toy_rows(0.2))
    assert "burgers1d_subset_v1 · test · 100 s" in run(bench_show).stdout


def test_bench_show_as_table_json_and_page(tmp_path: Path) -> None:
    rows = [*toy_rows(0.2), *toy_rows(0.05, emulator="universal", label="ours", frame="declared"),
            *toy_rows(math.inf, label="exploded")]
    append_rows(tmp_path / "rows.jsonl", rows)
    shown = values(run(bench_show, tmp_path, "--json", "--html", tmp_path / "page.html"))
    entries = shown["leaderboards"][0]["entries"]
    assert [(entry["label"], entry["rank"]) for entry in entries] == [("ours", 1), ("FNO", 2), ("exploded", 3)]
    assert entries[0]["ratios"]["best baseline"]["estimate"]["value"] == pytest.approx(0.25)
    assert entries[2]["estimate"]["value"] is None
    assert "<table>" in (tmp_path / "page.html").read_text()
    assert "burgers1d_subset_v1 · test · 100 s" in run(bench_show, tmp_path).stdout


@pytest.mark.parametrize("arguments", [("--metric", "nrsme"), ("--campaign", "other")])
def test_bench_show_names_the_nearest(arguments: tuple[str, str], tmp_path: Path) -> None:
    append_rows(tmp_path / "rows.jsonl", toy_rows(0.2))
    result = run(bench_show, tmp_path, *arguments)
    assert isinstance(result.exception, UpsctlError) and result.exception.exit_code == ExitCode.USAGE
    assert arguments[1] in result.exception.line


def test_bench_show_says_where_a_metric_has_rows(tmp_path: Path) -> None:
    append_rows(tmp_path / "rows.jsonl", toy_rows(0.2))
    result = run(bench_show, tmp_path, "--horizon", "tokens")
    assert isinstance(result.exception, UsageError) and "expected rollout" in result.exception.line


def test_predict_takes_the_card_of_the_checkpoints_dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_toy_card(tmp_path / "profiles", toy_card(1))
    toy_checkpoint(tmp_path / "checkpoint", toy_card(1))
    np.savez("state.npz", u=np.ones(32), viscosity=0.01)
    done = values(run(predict, "checkpoint", "--input", "state.npz", "--steps", 4, "--json"))
    assert done["output"] == "state_predicted.npz"
    assert np.load("state_predicted.npz")["u"].shape == (5, 32, 1)
    assert done["end_time"] == pytest.approx(0.4)

"""The main job on the smallest data: killed once, gone on with, and done again for nothing."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from journey.program import PROGRAM, start_program
from upsctl.evaluation.predictions_file import read_predictions
from upsctl.evaluation.rows import Row
from upsctl.evaluation.rows_file import read_rows

QUICKER = ["--set", "timing_seconds=0.4"]
LABELS = ["ours", "FNO in our frame", "U-Net", "ours, untrained", "coarse solver", "linear", "mean", "persistence"]


def start(folder: Path, *words: str) -> "subprocess.Popen[str]":
    return start_program(folder, "bench", "run", "smoke", *words)


def finish(folder: Path, *words: str) -> tuple[str, str]:
    process = start(folder, *words)
    output, errors = process.communicate(timeout=400)
    assert process.returncode == 0, errors
    return output, errors


def rows(folder: Path) -> list[Row]:
    path = folder / "runs" / "bench" / "smoke" / "rows.jsonl"
    return read_rows(path) if path.is_file() else []


def kill_in_the_first_training(folder: Path) -> None:
    process = start(folder, *QUICKER)
    deadline = time.monotonic() + 200
    while not any((folder / "runs" / "bench" / "smoke" / "trainings").glob("ours-*/stages/operator/*")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


def test_a_killed_comparison_goes_on(folder: Path, record_property: Callable[[str, object], None]) -> None:
    begun = time.monotonic()
    kill_in_the_first_training(folder)
    record = folder / "runs" / "bench" / "smoke"
    before, steps = rows(folder), json.loads((record / "campaign.json").read_text())["step_seconds"]
    output, _ = finish(folder, *QUICKER)
    record_property("printed", f"{output}\nkilled, resumed and done in {time.monotonic() - begun:.0f} s")
    assert rows(folder)[: len(before)] == before, "finished rows stay"
    known = json.loads((record / "campaign.json").read_text())["step_seconds"]
    assert known.keys() == steps.keys()
    assert {row.label for row in rows(folder)} == set(LABELS)
    assert {row.split for row in rows(folder)} == {"test"}
    assert {row.command for row in rows(folder)} == {"upsctl bench run smoke --set timing_seconds=0.4"}
    assert "its numbers mean nothing" in output and "next: upsctl viz draw rollout_movie" in output
    order = [output.index(f"\n{label[:12]}") for label in ("ours", "FNO in our", "U-Net")]
    assert order == sorted(order), "our frame's FNO stands directly under ours"
    for name in ("space_time", "error_over_time", "spectra", "training_curves"):
        for suffix in (".png", ".json"):
            assert (record / "figures" / "burgers1d_tiny_v1" / f"{name}{suffix}").stat().st_size > 0


def test_the_figure_shows_what_the_predictions_file_holds(folder: Path) -> None:
    record = folder / "runs" / "bench" / "smoke"
    drawn = json.loads((record / "figures" / "burgers1d_tiny_v1" / "space_time.json").read_text())["panels"]
    stored = {path.name: read_predictions(path) for path in (record / "predictions").glob("*.h5")}
    by_emulator = {predictions.emulator: predictions for predictions in stored.values()}
    kinds = set()
    for panel in drawn:
        trajectory, field, kind = panel["id"].rsplit("/", 2)
        label = kind.removesuffix(": error")
        predictions = by_emulator[label if label != "truth" else "ours"]
        index = predictions.trajectory_ids.index(trajectory)
        truth, found = predictions.truth[field][index, ..., 0], predictions.prediction[field][index, ..., 0]
        expected = truth if kind == "truth" else found - truth if kind != label else found
        np.testing.assert_allclose(panel["images"][0]["values"], expected, rtol=1e-6, atol=1e-7)
        kinds.add(kind)
    assert {"truth", "ours", "ours: error"} <= kinds


def test_done_again_it_does_nothing(folder: Path) -> None:
    before = rows(folder)
    output, errors = finish(folder, "--json")
    assert rows(folder) == before
    assert "one step and rollout" not in errors
    (board,) = json.loads(output)["leaderboards"]
    assert next(entry["label"] for entry in board["entries"]) == "ours"


def test_a_row_is_made_again_by_a_fresh_process(folder: Path) -> None:
    """A checkpoint is what is evaluated: the same numbers to 1e-6."""
    (run,) = (folder / "runs" / "bench" / "smoke" / "trainings").glob("ours-*")
    checkpoint = run / "stages" / "operator" / "checkpoint"
    words = ["eval", str(checkpoint), "--split", "test", "--output", str(folder / "again")]
    subprocess.run([*PROGRAM, *words], check=True, capture_output=True, timeout=200)
    again = read_rows(folder / "again" / "rows.jsonl")
    wanted = {key(row): row.value for row in rows(folder) if row.label == "ours" and row.metric == "nrmse"}
    found = {key(row): row.value for row in again if key(row) in wanted}
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-6), name


def key(row: Row) -> tuple[str | None, ...]:
    return (row.horizon, row.metric, row.field, row.parameter_value, row.statistic)


def test_a_dry_run_tells_the_cost_and_leaves_nothing(tmp_path: Path) -> None:
    output, _ = finish(tmp_path, "--dry-run")
    assert "minutes of training" in output
    assert not (tmp_path / "runs").exists()

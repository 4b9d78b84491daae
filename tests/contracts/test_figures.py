"""Every figure in the folder draws from toy predictions, and the numbers beside the picture are the predictions'."""

import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from evaluation.toy_predictions import toy_predictions
from ups_models.geometry import GridGeometry
from ups_models.metrics.nrmse import Nrmse
from ups_models.registry import list_parts, load_part
from upsctl.interfaces import AbstractFigure, FigureSource, Predictions
from upsctl.picture.shown import relative_errors
from upsctl.picture.style import with_units

FIGURES = list_parts("upsctl.figures")
LOSSES = [{"event": "step", "stage": "operator", "step": step, "loss": 1 / (1 + step)} for step in range(9)]
EVENTS = [{"event": "start"}, *LOSSES]
SOURCES = {
    "1D": FigureSource([toy_predictions(1)], {"lagging": EVENTS}),
    "1D, two emulators": FigureSource([toy_predictions(1), toy_predictions(1, 0.1, "slower")], {}),
    "2D": FigureSource([toy_predictions(2)], {}),
    "2D, two emulators": FigureSource([toy_predictions(2), toy_predictions(2, 0.1, "slower")], {}),
}


def load(name: str) -> AbstractFigure:
    return load_part("upsctl.figures", name, AbstractFigure)()


def draw(name: str, source: FigureSource, folder: Path) -> Mapping[str, Any]:
    drawing = load(name).draw(source, folder / f"{name}.png")
    assert drawing.picture.stat().st_size > 2000
    return json.loads(drawing.numbers.read_text())


def panels_by_id(numbers: Mapping[str, Any]) -> dict[str, Any]:
    return {panel["id"]: panel for panel in numbers["panels"]}


@pytest.mark.parametrize("name", FIGURES)
def test_draws_what_it_says_it_can_and_labels_every_panel(name: str, tmp_path: Path) -> None:
    drawable = [key for key, source in SOURCES.items() if load(name).is_drawable(source)]
    assert drawable
    numbers = draw(name, SOURCES[drawable[0]], tmp_path)
    panels = numbers["panels"] if "panels" in numbers else numbers["frames"][-1]["panels"]
    assert panels
    (label,) = {panel["x_label"] for panel in panels} - {""}
    assert label == "step" or re.fullmatch(r".+ \(.+\)", label), "a quantity has its units"
    assert not load(name).is_drawable(FigureSource([], {}))


def test_space_time_shows_the_predictions_on_the_truths_colours(tmp_path: Path) -> None:
    source = SOURCES["1D, two emulators"]
    panels = panels_by_id(draw("space_time", source, tmp_path))
    assert len({key.split("/")[0] for key in panels}) == 2  # one trajectory for each viscosity
    for key, panel in panels.items():
        trajectory, scalar, column = key.split("/")
        index = source.predictions[0].trajectory_ids.index(trajectory)
        label = column.removesuffix(": error")
        of = {predictions.emulator: predictions.prediction for predictions in source.predictions}
        truth = source.predictions[0].truth[scalar][index, ..., 0]
        shown = truth if label == "truth" else of[label][scalar][index, ..., 0]
        expected = shown - truth if column.endswith("error") else shown
        np.testing.assert_allclose(panel["images"][0]["values"], expected, rtol=1e-6, atol=1e-7)
        limits = panel["images"][0]["colour_limits"]
        if column.endswith("error"):
            assert limits[0] == -limits[1]
        else:
            np.testing.assert_allclose(limits, (truth.min(), truth.max()), rtol=1e-6)
        assert panel["images"][0]["extent"] == pytest.approx([0.0, 1.0, -0.05, 1.05])
    first = next(iter(source.predictions[0].card.fields.values()))
    bars = {panel["images"][0]["colour_bar"] for panel in panels.values()} - {None}
    assert bars == {with_units("u", first.units), with_units("error", first.units)}
    assert {panel["y_label"].splitlines()[-1] for panel in panels.values() if panel["y_label"]} == {"t (s)"}


def test_field_sequence_shows_every_component_with_x_along_the_width(tmp_path: Path) -> None:
    (predictions,) = SOURCES["2D"].predictions
    numbers = draw("field_sequence", SOURCES["2D"], tmp_path)
    seen, limits = set(), defaultdict[tuple[str, str], set[tuple[float, ...]]](set)
    for panel, kind in zip(numbers["panels"], _kinds(numbers["panels"]), strict=True):
        trajectory, scalar, frame = panel["id"].split("/")
        field, _, axis = scalar.partition(" ")
        at = (predictions.trajectory_ids.index(trajectory), int(frame), ..., "xy".index(axis or "x"))
        truth, predicted = predictions.truth[field][at], predictions.prediction[field][at]
        expected = {"truth": truth, "lagging": predicted, "error": predicted - truth}[kind]
        np.testing.assert_allclose(panel["images"][0]["values"], expected.T, rtol=1e-6, atol=1e-7)
        seen.add((scalar, kind))
        limits[scalar, kind].add(tuple(panel["images"][0]["colour_limits"]))
    for scalar in ("velocity x", "velocity y", "vorticity"):
        assert len(limits[scalar, "truth"] | limits[scalar, "lagging"]) == 1, "truth and prediction on the same colours"
        ((low, high),) = limits[scalar, "error"]
        assert low == -high
    assert seen == {(s, k) for s in ("velocity x", "velocity y", "vorticity") for k in ("truth", "lagging", "error")}


def _kinds(panels: list[dict[str, Any]]) -> list[str]:
    """Blocks are drawn row by row: truth, prediction, error, three frames each."""
    assert len(panels) == 3 * 3 * 3
    return ["truth"] * 3 + ["lagging"] * 3 + ["error"] * 3 + (["truth"] * 3 + ["lagging"] * 3 + ["error"] * 3) * 2


def test_error_over_time_is_the_metric_frame_by_frame(tmp_path: Path) -> None:
    source = SOURCES["2D, two emulators"]
    panels = panels_by_id(draw("error_over_time", source, tmp_path))
    assert len(panels) == 2 * 2
    for predictions in source.predictions:
        for field in predictions.truth:
            expected = np.median(relative_errors(predictions, field)[0::2], axis=0)
            panel = next(panel for key, panel in panels.items() if key.startswith(f"{field}/viscosity = 0.001"))
            (line,) = [line for line in panel["lines"] if line["label"] == predictions.emulator]
            np.testing.assert_allclose(line["y"], expected, rtol=1e-6)
            np.testing.assert_allclose(line["x"], predictions.times[1:])
            band = panel["bands"][source.predictions.index(predictions)]
            quartiles = np.quantile(relative_errors(predictions, field)[0::2], (0.25, 0.75), axis=0)
            np.testing.assert_allclose([band["low"], band["high"]], quartiles, rtol=1e-6)
            np.testing.assert_allclose(band["x"], predictions.times[1:])
            assert panel["x_label"] in ("t (s)", "")


def test_relative_errors_average_to_nrmse() -> None:
    predictions = toy_predictions(2)
    ours = np.mean([relative_errors(predictions, name).mean(axis=1) for name in predictions.truth], axis=0)
    fields = [{k: torch.from_numpy(a[:, 1:]).double() for k, a in arrays.items()}
              for arrays in (predictions.prediction, predictions.truth)]
    geometry = GridGeometry((32, 32), ((0.0, 1.0),) * 2, (("periodic", "periodic"),) * 2)
    np.testing.assert_allclose(ours, Nrmse().statistics(*fields, geometry)[:, 0].numpy(), rtol=1e-6)


def test_spectra_of_two_waves(tmp_path: Path) -> None:
    panels = panels_by_id(draw("spectra", SOURCES["1D"], tmp_path))
    decay = math.exp(-0.001 * 4 * math.pi**2)
    for line in panels["u/viscosity = 0.001 m$^{2}$/s"]["lines"]:
        power = dict(zip(line["x"], line["y"], strict=True))
        assert power[1] == pytest.approx(decay**2 / 2, rel=1e-5)
        assert power[3] == pytest.approx((0.4 * decay) ** 2 / 2, rel=1e-5)
        assert power[2] < 1e-12


def test_training_curves_keep_the_last_of_repeated_steps(tmp_path: Path) -> None:
    repeated = [*EVENTS, {"event": "step", "stage": "operator", "step": 3, "loss": 0.5}]
    numbers = draw("training_curves", FigureSource([], {"ours": repeated}), tmp_path)
    (line,) = numbers["panels"][0]["lines"]
    assert line["x"] == list(range(9))
    assert line["y"] == pytest.approx([1, 1 / 2, 1 / 3, 0.5, 1 / 5, 1 / 6, 1 / 7, 1 / 8, 1 / 9])


@pytest.mark.parametrize("dimensions", [1, 2])
def test_movie_has_a_picture_and_numbers_for_every_frame(dimensions: int, tmp_path: Path) -> None:
    predictions = first_frames(toy_predictions(dimensions), 3)
    drawing = load("rollout_movie").draw(FigureSource([predictions], {}), tmp_path / "movie.gif")
    assert len(list((tmp_path / "movie").glob("frame_*.png"))) == 3
    with Image.open(drawing.picture) as gif:
        assert gif.n_frames == 3
    frames = json.loads(drawing.numbers.read_text())["frames"]
    panel = frames[2]["panels"][0 if dimensions == 1 else 1]
    shown = panel["lines"][1]["y"] if dimensions == 1 else np.transpose(panel["images"][0]["values"])
    candidates = next(iter(predictions.prediction.values()))[:, 2, ..., 0]
    assert min(np.abs(candidate - shown).max() for candidate in candidates) < 1e-6


def test_a_shorter_movie_leaves_none_of_the_longer_ones_frames(tmp_path: Path) -> None:
    for count in (4, 2):
        predictions = first_frames(toy_predictions(1), count)
        load("rollout_movie").draw(FigureSource([predictions], {}), tmp_path / "movie.gif")
    assert sorted(path.name for path in (tmp_path / "movie").iterdir()) == ["frame_0000.png", "frame_0001.png"]


def first_frames(predictions: Predictions, count: int) -> Predictions:
    truth, prediction = ({name: array[:, :count] for name, array in arrays.items()}
                         for arrays in (predictions.truth, predictions.prediction))
    return replace(predictions, times=predictions.times[:count], truth=truth, prediction=prediction)


def test_a_prediction_that_diverged_is_drawn_with_gaps(tmp_path: Path) -> None:
    predictions = toy_predictions(1)
    predictions.prediction["u"][:, 5:] = np.nan
    panels = draw("space_time", FigureSource([predictions], {}), tmp_path)["panels"]
    assert panels[1]["images"][0]["values"][7][0] is None
    assert panels[0]["images"][0]["values"][7][0] is not None

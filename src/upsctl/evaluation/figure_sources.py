"""Files -> what a figure draws from -> the picture. Loads no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ups_models.errors import UnknownPartError
from ups_models.registry import load_part
from upsctl.console import Result
from upsctl.errors import DataError, UsageError
from upsctl.evaluation.predictions_file import read_predictions
from upsctl.interfaces import AbstractFigure, FigureSource, Predictions
from upsctl.nearest_name import nearest


def read_source(
    paths: Sequence[Path], training_events: Mapping[str, Sequence[Mapping[str, Any]]], fields: Sequence[str] = (),
) -> FigureSource:
    """Predictions of one split by one or more emulators, only the named fields if there are names.

    Raises:
        DataError: when a file is no predictions file, or is of other trajectories than the first.
        UsageError: when a field is not in the files, or two files are of one label.
    """
    found = [_select(read_predictions(path), fields) for path in paths]
    for path, predictions in zip(paths, found, strict=True):
        _refuse_others(path, predictions, found[0])
    labels = [predictions.emulator for predictions in found]
    if len(set(labels)) < len(labels):
        raise UsageError("predictions of one label", expected="files of different labels", got=", ".join(labels))
    return FigureSource(found, training_events)


def draw_figure(name: str, source: FigureSource, folder: Path, *, is_dry_run: bool = False) -> Result:
    """Draw the figure `name` to `folder`.

    Raises:
        UsageError: when there is no such figure, or it cannot show that source.
    """
    try:
        figure = figure_class(name)()
    except UnknownPartError as error:
        raise UsageError(f"no figure `{name}`", expected=str(error).rpartition("expected ")[2]) from error
    if not figure.is_drawable(source):
        rule = (type(figure).is_drawable.__doc__ or "").strip().rstrip(".")
        raise UsageError(f"`{name}` cannot show this", expected=rule[:1].lower() + rule[1:], got=_described(source))
    target = (folder / name).with_suffix(figure.suffix)
    if is_dry_run:
        return Result({"picture": str(target), "is_dry_run": True}, lines=[f"would draw {target}"])
    drawing = figure.draw(source, target)
    values = {"picture": str(drawing.picture), "numbers": str(drawing.numbers)}
    return Result(values, lines=[f"{drawing.picture}, its numbers in {drawing.numbers.name}"])


def figure_class(name: str) -> type[AbstractFigure]:
    """The class of a named figure.

    Raises:
        UnknownPartError: naming the nearest known name.
    """
    return load_part("upsctl.figures", name, AbstractFigure)


def _select(predictions: Predictions, fields: Sequence[str]) -> Predictions:
    for name in fields:
        if name not in predictions.truth:
            raise UsageError(f"no field `{name}` in these predictions", expected=nearest(name, list(predictions.truth)))
    chosen = list(fields) or list(predictions.truth)
    truth, prediction = ({name: of[name] for name in chosen} for of in (predictions.truth, predictions.prediction))
    return replace(predictions, truth=truth, prediction=prediction)


def _refuse_others(path: Path, predictions: Predictions, first: Predictions) -> None:
    ours, theirs = (f"{p.card.name} {p.split}, {len(p.trajectory_ids)} trajectories" for p in (first, predictions))
    if predictions.trajectory_ids != first.trajectory_ids or ours != theirs:
        raise DataError(f"{path}: other trajectories than the first file's", expected=ours, got=theirs)


def _described(source: FigureSource) -> str:
    shown = source.predictions
    of = f"predictions of {len(shown)} emulators" + (f" in {len(shown[0].axes)}D" if shown else "")
    return f"{of}, events of {len(source.training_events)} trainings"

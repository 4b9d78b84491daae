"""One-dimensional fields over space and time: truth, prediction, error."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from upsctl.interfaces import AbstractFigure, Drawing, FigureSource, Predictions
from upsctl.picture.drawn_numbers import write_drawing
from upsctl.picture.shown import Channel, channels, parameter_groups, typical_trajectory
from upsctl.picture.style import ERROR_COLOURS, STATE_COLOURS, shared_limits, signed_limit, styled, with_units

MAX_EMULATORS = 3


class SpaceTime(AbstractFigure):
    """A row per scalar and parameter value, for the trajectory of median error of the first emulator.

    Columns: the truth, the emulators' predictions, their signed errors. Time runs upwards. Truth and predictions of a
    row share their colour limits (the truth's range), its errors share symmetric ones.
    """

    def is_drawable(self, source: FigureSource) -> bool:
        """One-dimensional predictions of at least two frames, of one to three emulators."""
        shown = source.predictions
        return 1 <= len(shown) <= MAX_EMULATORS and len(shown[0].axes) == 1 and len(shown[0].times) > 1

    def draw(self, source: FigureSource, target: Path) -> Drawing:
        """Draw to `target`; in the JSON each panel is identified by `trajectory/scalar/title`."""
        first = source.predictions[0]
        groups = parameter_groups(first)
        rows = [(channel, title, typical_trajectory(first, group))
                for channel in channels(first) for title, group in groups.items()]
        with styled():
            num_columns = 1 + 2 * len(source.predictions)
            size = (0.7 + 2.1 * num_columns, 0.5 + 1.35 * len(rows))
            figure = Figure(figsize=size, layout="constrained")
            panels = figure.subplots(len(rows), num_columns, sharex=True, sharey=True, squeeze=False)
            for axes_of_row, (channel, title, trajectory) in zip(panels, rows, strict=True):
                _draw_row(figure, axes_of_row, source.predictions, channel, trajectory)
                heading = "\n".join(part for part in (title, with_units("t", first.card.time.units)) if part)
                axes_of_row[0].set_ylabel(heading)
            for axes, title in zip(panels[0], _titles(source.predictions), strict=True):
                axes.set_title(title)
            for axes in panels[-1]:
                axes.set_xlabel(with_units(first.axes[0].name, first.card.axes[0].units))
            return write_drawing(figure, target)


def _titles(shown: Sequence[Predictions]) -> list[str]:
    labels = [predictions.emulator for predictions in shown]
    return ["truth", *labels, *(f"{label}: error" for label in labels)]


def _draw_row(
    figure: Figure, row: np.ndarray, shown: Sequence[Predictions], channel: Channel, trajectory: int,
) -> None:
    truth = channel.of(shown[0].truth, trajectory)
    predicted = [channel.of(predictions.prediction, trajectory) for predictions in shown]
    limits, limit = shared_limits(truth), signed_limit(*(values - truth for values in predicted))
    state = error = _show(row[0], shown[0], truth, limits, STATE_COLOURS)
    for number, values in enumerate(predicted):
        state = _show(row[1 + number], shown[0], values, limits, STATE_COLOURS)
        axes = row[1 + len(shown) + number]
        error = _show(axes, shown[0], values - truth, (-limit, limit), ERROR_COLOURS)
    for axes, title in zip(row, _titles(shown), strict=True):
        axes.set_gid(f"{shown[0].trajectory_ids[trajectory]}/{channel.title}/{title}")
    figure.colorbar(state, ax=row[len(shown)], pad=0.03, aspect=14).set_label(with_units(channel.title, channel.units))
    figure.colorbar(error, ax=row[-1], pad=0.03, aspect=14).set_label(with_units("error", channel.units))


def _show(
    axes: Axes, predictions: Predictions, values: np.ndarray,
    limits: tuple[float, float], colours: str,
) -> AxesImage:
    times = predictions.times
    half_step = 0.5 * (times[1] - times[0])
    extent = (*predictions.axes[0].extent, float(times[0] - half_step), float(times[-1] + half_step))
    return axes.imshow(values, extent=extent, aspect="auto", cmap=colours, vmin=limits[0], vmax=limits[1])

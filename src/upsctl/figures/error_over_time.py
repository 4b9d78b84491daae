"""How the relative error grows along a rollout."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from upsctl.interfaces import AbstractFigure, Drawing, FigureSource, Predictions
from upsctl.picture.drawn_numbers import write_drawing
from upsctl.picture.shown import parameter_groups, relative_errors
from upsctl.picture.style import line_colours, styled, with_units


class ErrorOverTime(AbstractFigure):
    """A row of panels per field, a column per parameter value, a line per emulator: the median over trajectories.

    The band holds the middle half of the trajectories. The error is the term of `nrmse` for one frame, without units.
    """

    def is_drawable(self, source: FigureSource) -> bool:
        """Predictions of at least two predicted frames, of any number of emulators."""
        return len(source.predictions) > 0 and len(source.predictions[0].times) > 2

    def draw(self, source: FigureSource, target: Path) -> Drawing:
        """Draw to `target`; in the JSON each panel is identified by `field/parameter value`."""
        first = source.predictions[0]
        groups, fields = parameter_groups(first), list(first.truth)
        with styled():
            size = (1.6 + 1.9 * len(groups), 0.9 + 1.6 * len(fields))
            figure = Figure(figsize=size, layout="constrained")
            panels = figure.subplots(len(fields), len(groups), sharex=True, sharey="row", squeeze=False)
            colours = line_colours([predictions.emulator for predictions in source.predictions])
            for row, field in zip(panels, fields, strict=True):
                for axes, (title, group) in zip(row, groups.items(), strict=True):
                    axes.set_gid(f"{field}/{title}")
                    for predictions in source.predictions:
                        _draw_line(axes, predictions, field, group, colours[predictions.emulator])
                row[0].set_ylabel(f"{field}: relative error")
            _label(figure, panels, first, list(groups))
            return write_drawing(figure, target)


def _draw_line(axes: Axes, predictions: Predictions, field: str, group: np.ndarray, colour: str) -> None:
    errors = relative_errors(predictions, field)[group]
    times = predictions.times[1:]
    low, median, high = np.quantile(errors, (0.25, 0.5, 0.75), axis=0)
    axes.plot(times, median, color=colour, label=predictions.emulator)
    axes.fill_between(times, low, high, color=colour, alpha=0.15, linewidth=0)


def _label(figure: Figure, panels: np.ndarray, source: Predictions, titles: list[str]) -> None:
    for axes in panels.ravel():
        axes.set_yscale("log")
        axes.grid(True, which="major", linewidth=0.3, alpha=0.5)
    for axes, title in zip(panels[0], titles, strict=True):
        axes.set_title(title)
    for axes in panels[-1]:
        axes.set_xlabel(with_units("t", source.card.time.units))
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")

"""Spectra of the last frame: which scales a prediction keeps."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from upsctl.interfaces import AbstractFigure, Drawing, FigureSource
from upsctl.picture.drawn_numbers import write_drawing
from upsctl.picture.shown import parameter_groups
from upsctl.picture.style import line_colours, styled

MODE_LABEL = "wavenumber (waves per domain)"
NUM_DECADES = 10
"""Below this many decades under the peak a spectrum of float32 fields is round-off."""


class Spectra(AbstractFigure):
    """A row of panels per field, a column per parameter value: mean power by radial mode number at the last frame.

    The power of shell k is the sum of |u_n|^2 over modes with round(|n|) = k and over components, u_n the Fourier
    coefficient with factor 1/N: the shells add up to the mean square of the field. The truth is black.
    """

    def is_drawable(self, source: FigureSource) -> bool:
        """Predictions on a grid periodic along every axis, with at least one predicted frame."""
        shown = source.predictions
        return len(shown) > 0 and len(shown[0].times) > 1 and all(axis.is_periodic for axis in shown[0].axes)

    def draw(self, source: FigureSource, target: Path) -> Drawing:
        """Draw to `target`; in the JSON each panel is identified by `field/parameter value`."""
        first = source.predictions[0]
        groups, fields = parameter_groups(first), list(first.truth)
        colours = line_colours([predictions.emulator for predictions in source.predictions])
        with styled():
            figure = Figure(figsize=(1.6 + 1.9 * len(groups), 0.9 + 1.6 * len(fields)), layout="constrained")
            panels = figure.subplots(len(fields), len(groups), sharex=True, sharey=False, squeeze=False)
            for row, field in zip(panels, fields, strict=True):
                for axes, (title, group) in zip(row, groups.items(), strict=True):
                    axes.set_gid(f"{field}/{title}")
                    _draw_line(axes, "truth", first.truth[field][group, -1], "black")
                    for predictions in source.predictions:
                        label = predictions.emulator
                        _draw_line(axes, label, predictions.prediction[field][group, -1], colours[label])
                row[0].set_ylabel(f"{field}: power ({_squared(first.card.fields[field].units)})")
            _label(figure, panels, list(groups), f"t = {first.times[-1]:.3g} {first.card.time.units}")
            return write_drawing(figure, target)


def _squared(units: str) -> str:
    return "1" if units in ("", "1", "-") else f"({units})$^2$"


def _draw_line(axes: Axes, label: str, frames: np.ndarray, colour: str) -> None:
    power = _shells(frames).mean(axis=0)[1:]
    is_truth = label == "truth"
    axes.plot(np.arange(1, len(power) + 1), power, color=colour, label=label, linewidth=1.6 if is_truth else 1.0,
              linestyle="-" if is_truth else "--")


def _shells(frames: np.ndarray) -> np.ndarray:
    """(N, K) from (N, *space, C)."""
    space = tuple(range(1, frames.ndim - 1))
    power = (np.abs(np.fft.fftn(frames, axes=space, norm="forward")) ** 2).sum(axis=-1).reshape(len(frames), -1)
    modes = np.meshgrid(*(np.fft.fftfreq(cells, 1 / cells) for cells in frames.shape[1:-1]), indexing="ij")
    shell = np.rint(np.sqrt(sum(mode**2 for mode in modes))).astype(int).ravel()
    num_shells = min(frames.shape[1:-1]) // 2 + 1
    return np.stack([np.bincount(shell, row)[:num_shells] for row in power])


def _label(figure: Figure, panels: np.ndarray, titles: list[str], moment: str) -> None:
    for axes in panels.ravel():
        axes.set(xscale="log", yscale="log")
        truth = np.asarray(axes.lines[0].get_ydata(), dtype=float)
        peak = float(truth.max(initial=0.0))
        if peak > 0:
            axes.set_ylim(max(float(truth.min()) / 10, peak * 10.0**-NUM_DECADES), 10 * peak)
        axes.grid(True, which="major", linewidth=0.3, alpha=0.5)
    for axes, title in zip(panels[0], titles, strict=True):
        axes.set_title(f"{title}, {moment}" if title else moment)
    for axes in panels[-1]:
        axes.set_xlabel(MODE_LABEL)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center")

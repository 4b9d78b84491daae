"""Two-dimensional fields at several frames: truth, prediction, error."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.image import AxesImage

from upsctl.interfaces import AbstractFigure, Drawing, FigureSource, Predictions
from upsctl.picture.drawn_numbers import write_drawing
from upsctl.picture.shown import Channel, channels, typical_trajectory
from upsctl.picture.style import ERROR_COLOURS, STATE_COLOURS, shared_limits, signed_limit, styled, with_units

MAX_EMULATORS = 3
NUM_FRAMES_ALONE, NUM_FRAMES_BESIDE = 5, 3
"""Frames shown of a single scalar, and of each of several."""


class FieldSequence(AbstractFigure):
    """For each scalar a block: rows truth, then prediction and signed error of each emulator; columns frames in time.

    The trajectory is the one of median error of the first emulator. Within a block truth and predictions share their
    colour limits (the truth's range), and the errors share symmetric ones.
    """

    def is_drawable(self, source: FigureSource) -> bool:
        """Two-dimensional predictions of at least two frames, of one to three emulators."""
        shown = source.predictions
        return 1 <= len(shown) <= MAX_EMULATORS and len(shown[0].axes) == 2 and len(shown[0].times) > 1

    def draw(self, source: FigureSource, target: Path) -> Drawing:
        """Draw to `target`; in the JSON each panel is identified by `trajectory/scalar/frame`."""
        first = source.predictions[0]
        trajectory = typical_trajectory(first, np.arange(len(first.trajectory_ids)))
        scalars = channels(first)
        frames = _shown_frames(len(first.times), NUM_FRAMES_ALONE if len(scalars) == 1 else NUM_FRAMES_BESIDE)
        num_columns = min(2, len(scalars))
        num_rows = -(-len(scalars) // num_columns)
        num_images = 1 + 2 * len(source.predictions)
        size = (num_columns * (1.35 + 1.05 * len(frames)), num_rows * (0.55 + 1.08 * num_images))
        with styled():
            figure = Figure(figsize=size, layout="constrained")
            blocks = np.ravel(figure.subfigures(num_rows, num_columns, squeeze=False))
            for block, scalar in zip(blocks, scalars, strict=False):
                _draw_block(block, source.predictions, scalar, trajectory, frames)
            return write_drawing(figure, target)


def _shown_frames(num_frames: int, wanted: int) -> list[int]:
    """Frames spread over the predicted ones, the last included."""
    return sorted({round(frame) for frame in np.linspace(1, num_frames - 1, wanted)})


def _draw_block(
    block: SubFigure, shown: Sequence[Predictions], scalar: Channel, trajectory: int, frames: list[int],
) -> None:
    truth = scalar.of(shown[0].truth, trajectory)
    predicted = {predictions.emulator: scalar.of(predictions.prediction, trajectory) for predictions in shown}
    errors = {f"{label}: error": values - truth for label, values in predicted.items()}
    limit = signed_limit(*(values[frames] for values in errors.values()))
    states = {"truth": truth, **predicted}
    panels = block.subplots(len(states) + len(errors), len(frames), sharex=True, sharey=True, squeeze=False)
    state = _draw_rows(panels[: len(states)], shown[0], states, frames, shared_limits(truth[frames]), STATE_COLOURS)
    error = _draw_rows(panels[len(states) :], shown[0], errors, frames, (-limit, limit), ERROR_COLOURS)
    _label(panels, shown[0], frames, f"{shown[0].trajectory_ids[trajectory]}/{scalar.title}")
    state_label, error_label = with_units(scalar.title, scalar.units), with_units("error", scalar.units)
    block.colorbar(state, ax=panels[: len(states)].ravel().tolist(), pad=0.02, aspect=24).set_label(state_label)
    block.colorbar(error, ax=panels[len(states) :].ravel().tolist(), pad=0.02, aspect=12).set_label(error_label)


def _draw_rows(
    panels: np.ndarray, source: Predictions, rows: dict[str, np.ndarray], frames: list[int],
    limits: tuple[float, float], colours: str,
) -> AxesImage:
    images: list[AxesImage] = []
    for row, (label, values) in zip(panels, rows.items(), strict=True):
        row[0].set_ylabel(f"{label}\n{with_units(source.axes[1].name, source.card.axes[1].units)}")
        images += [_show(axes, source, values[frame], limits, colours) for axes, frame in zip(row, frames, strict=True)]
    return images[-1]


def _show(
    axes: Axes, source: Predictions, values: np.ndarray, limits: tuple[float, float], colours: str,
) -> AxesImage:
    extent = (*source.axes[0].extent, *source.axes[1].extent)
    for ticks, (low, high) in ((axes.set_xticks, extent[:2]), (axes.set_yticks, extent[2:])):
        ticks([low, 0.5 * (low + high), high])
    axes.tick_params(labelsize=6)
    return axes.imshow(values.T, extent=extent, cmap=colours, vmin=limits[0], vmax=limits[1])


def _label(panels: np.ndarray, source: Predictions, frames: list[int], name: str) -> None:
    for column, frame in enumerate(frames):
        time = with_units(f"t = {source.times[frame]:.3g}", source.card.time.units, "{} {}")
        panels[0, column].set_title(time)
        panels[-1, column].set_xlabel(with_units(source.axes[0].name, source.card.axes[0].units))
        for axes in panels[:, column]:
            axes.set_gid(f"{name}/{frame}")

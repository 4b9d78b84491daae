"""A rollout as a movie: a PNG per frame and a GIF."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from upsctl.interfaces import AbstractFigure, Drawing, FigureSource, Predictions
from upsctl.picture.drawn_numbers import drawn_numbers, write_numbers
from upsctl.picture.shown import Channel, channels, typical_trajectory
from upsctl.picture.style import ERROR_COLOURS, STATE_COLOURS, shared_limits, signed_limit, styled, with_units
from upsctl.whole_file import whole_file

FRAME_MILLISECONDS = 120
MOVIE_DPI = 110


class RolloutMovie(AbstractFigure):
    """The rollout of one emulator, for the trajectory of its median error, all scalars, at fixed limits.

    A row per scalar. 1D: truth and prediction as lines, and the signed error; 2D: truth, prediction and signed error as
    images. `target` is the GIF; the frames `frame_0000.png` and on lie in the folder beside it that has its name.
    """

    suffix: ClassVar[str] = ".gif"

    def is_drawable(self, source: FigureSource) -> bool:
        """Predictions of one emulator in one or two dimensions, with at least one predicted frame."""
        shown = source.predictions
        return len(shown) == 1 and len(shown[0].axes) in (1, 2) and len(shown[0].times) > 1

    def draw(self, source: FigureSource, target: Path) -> Drawing:
        """Draw `target`, its frames in a folder of its name; the JSON has the panels of every frame."""
        (shown,) = source.predictions
        trajectory = typical_trajectory(shown, np.arange(len(shown.trajectory_ids)))
        target.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{target.stem}-", dir=target.parent) as work:
            frames = Path(work) / "frames"
            numbers = _draw_frames(shown, trajectory, frames)
            _write_gif(sorted(frames.iterdir()), target)
            _replace(target.with_suffix(""), frames)
        return Drawing(target, write_numbers({"frames": numbers}, target))


def _draw_frames(shown: Predictions, trajectory: int, folder: Path) -> list[dict[str, Any]]:
    """One picture for each frame; the numbers that they show."""
    folder.mkdir()
    numbers = []
    with styled():
        for frame in range(len(shown.times)):
            figure = _draw_frame(shown, trajectory, frame)
            figure.savefig(folder / f"frame_{frame:04d}.png", dpi=MOVIE_DPI)
            numbers.append({"frame": frame, "panels": drawn_numbers(figure)})
    return numbers


def _replace(folder: Path, new: Path) -> None:
    """A new sequence takes the place of an old one as a whole."""
    if folder.exists():
        folder.rename(new.with_name("old"))
    new.rename(folder)


def _draw_frame(shown: Predictions, trajectory: int, frame: int) -> Figure:
    scalars = channels(shown)
    num_columns = 1 + len(shown.axes)
    figure = Figure(figsize=(2.6 * num_columns, 0.5 + 2.0 * len(scalars)), layout="constrained")
    panels = figure.subplots(len(scalars), num_columns, squeeze=False)
    for row, scalar in zip(panels, scalars, strict=True):
        truth, prediction = scalar.of(shown.truth, trajectory), scalar.of(shown.prediction, trajectory)
        draw_row = _draw_lines if len(shown.axes) == 1 else _draw_images
        draw_row(figure, row, shown, scalar, truth, prediction, frame)
    time = with_units(f"t = {shown.times[frame]:.3f}", shown.card.time.units, "{} {}")
    figure.suptitle(f"{shown.emulator}, {shown.trajectory_ids[trajectory]}, {time}", fontsize=8)
    return figure


def _draw_lines(
    figure: Figure, row: np.ndarray, shown: Predictions, scalar: Channel, truth: np.ndarray, prediction: np.ndarray,
    frame: int,
) -> None:
    x, (low, high), limit = shown.axes[0].coordinates, shared_limits(truth), signed_limit(prediction - truth)
    margin = 0.05 * (high - low)
    row[0].plot(x, truth[frame], color="black", linewidth=1.6, label="truth")
    row[0].plot(x, prediction[frame], color="#D55E00", linestyle="--", label=shown.emulator)
    row[1].plot(x, prediction[frame] - truth[frame], color="#0072B2", label="error")
    row[0].set(ylim=(low - margin, high + margin), ylabel=with_units(scalar.title, scalar.units))
    row[1].set(ylim=(-1.05 * limit, 1.05 * limit), ylabel=with_units("error", scalar.units))
    row[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    for axes in row:
        axes.set(xlim=shown.axes[0].extent, xlabel=with_units(shown.axes[0].name, shown.card.axes[0].units))


def _draw_images(
    figure: Figure, row: np.ndarray, shown: Predictions, scalar: Channel, truth: np.ndarray, prediction: np.ndarray,
    frame: int,
) -> None:
    limits, limit = shared_limits(truth), signed_limit(prediction - truth)
    panels = (("truth", truth, limits, STATE_COLOURS), (shown.emulator, prediction, limits, STATE_COLOURS),
              ("error", prediction - truth, (-limit, limit), ERROR_COLOURS))
    for axes, (title, values, ends, colours) in zip(row, panels, strict=True):
        _show(figure, axes, shown, values[frame], ends, colours, with_units(scalar.title, scalar.units))
        axes.set_title(title)


def _show(
    figure: Figure, axes: Axes, shown: Predictions, values: np.ndarray, ends: tuple[float, float], colours: str,
    label: str,
) -> None:
    extent = (*shown.axes[0].extent, *shown.axes[1].extent)
    image = axes.imshow(values.T, extent=extent, cmap=colours, vmin=ends[0], vmax=ends[1])
    figure.colorbar(image, ax=axes, pad=0.02).set_label(label)
    axes.set_xlabel(with_units(shown.axes[0].name, shown.card.axes[0].units))
    axes.set_ylabel(with_units(shown.axes[1].name, shown.card.axes[1].units))


def _write_gif(frames: list[Path], target: Path) -> None:
    images = [Image.open(path).convert("P", palette=Image.Palette.ADAPTIVE) for path in frames]
    with whole_file(target) as partial:
        images[0].save(partial, save_all=True, append_images=images[1:], duration=FRAME_MILLISECONDS, loop=0)

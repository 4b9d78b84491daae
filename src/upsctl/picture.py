"""What all figures share: style, labels with units, the choice of trajectories, and the JSON of what was drawn.

Loads matplotlib without pyplot (no global state, no display) and no torch.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from upsctl.dataset_card import DatasetCard
from upsctl.interfaces import Drawing, Predictions
from upsctl.whole_file import whole_file

STATE_COLOURS = "viridis"
ERROR_COLOURS = "RdBu_r"
LINE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F6A00", "#8A8A8A")
"""Okabe and Ito's colours, told apart with any colour vision; the truth is black."""

STYLE: Any = {
    "font.size": 8, "axes.titlesize": 8, "axes.labelsize": 8, "xtick.labelsize": 7, "ytick.labelsize": 7,
    "legend.fontsize": 7, "legend.frameon": False, "axes.spines.top": False, "axes.spines.right": False,
    "axes.linewidth": 0.6, "xtick.major.width": 0.6, "ytick.major.width": 0.6, "lines.linewidth": 1.2,
    "image.interpolation": "nearest", "image.origin": "lower", "savefig.dpi": 200, "figure.dpi": 200,
}


@dataclass(frozen=True, eq=False)
class Channel:
    """One scalar that can be drawn: a scalar field or one component of a vector.

    Attributes:
        title: `vorticity`, `velocity x`.
        units: of the field.
        field, component: where its values stand in `Predictions`.
    """

    title: str
    units: str
    field: str
    component: int

    def of(self, arrays: Mapping[str, np.ndarray], trajectory: int) -> np.ndarray:
        """(T, *space) values of one trajectory."""
        return arrays[self.field][trajectory, ..., self.component]


def channels(predictions: Predictions) -> list[Channel]:
    """The scalars of all predicted fields, in their order."""
    units = {name: predictions.card.fields[name].units for name in predictions.truth}
    return [
        Channel(_component_title(predictions, name, index, array.shape[-1]), units[name], name, index)
        for name, array in predictions.truth.items()
        for index in range(array.shape[-1])
    ]


def _component_title(predictions: Predictions, name: str, index: int, count: int) -> str:
    return name if count == 1 else f"{name} {predictions.axes[index].name if count == len(predictions.axes) else index}"


def parameter_groups(predictions: Predictions) -> dict[str, np.ndarray]:
    """Title -> indices of the trajectories of one combination of the parameters that take few values."""
    names, groups = predictions.discrete_parameters, predictions.group_trajectories()
    return {_group_title(predictions.card, names, values): indices for values, indices in groups.items()}


def _group_title(card: DatasetCard, names: Sequence[str], values: Sequence[float]) -> str:
    pairs = zip(names, values, strict=True)
    return ", ".join(with_units(f"{name} = {value:.3g}", card.parameters[name].units, "{} {}") for name, value in pairs)


def typical_trajectory(predictions: Predictions, among: np.ndarray) -> int:
    """The trajectory of median error among those given: neither the best nor the worst is shown."""
    errors = np.mean([relative_errors(predictions, name)[among].mean(axis=1) for name in predictions.truth], axis=0)
    return int(among[np.argsort(errors, kind="stable")[len(among) // 2]])


def relative_errors(predictions: Predictions, field: str) -> np.ndarray:
    """(N, T - 1) the terms of the metric `nrmse` (its docstring has the equation), given frame left out."""
    truth, prediction = predictions.truth[field][:, 1:], predictions.prediction[field][:, 1:]
    norm, error = _mean_squares(truth), _mean_squares(prediction - truth)
    floor = 0.01 * np.sqrt(norm.mean(axis=1, keepdims=True))
    scale = np.maximum(np.sqrt(norm), floor)
    return np.divide(np.sqrt(error), scale, out=np.zeros_like(error), where=error > 0)


def _mean_squares(field: np.ndarray) -> np.ndarray:
    squares = np.square(field, dtype=np.float64).sum(axis=-1)
    return squares.reshape(*squares.shape[:2], -1).mean(axis=2)


def with_units(name: str, units: str, form: str = "{} ({})") -> str:
    """`name (units)`, or the name alone for a number without units."""
    return name if units in ("", "1", "-") else form.format(name, re.sub(r"(?<=[A-Za-z])(-?\d+)", r"$^{\1}$", units))


def shared_limits(truth: np.ndarray) -> tuple[float, float]:
    """The range of the truth's finite values, for truth and predictions alike."""
    finite = truth[np.isfinite(truth)]
    low, high = float(finite.min()), float(finite.max())
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def signed_limit(*arrays: np.ndarray) -> float:
    """The largest finite absolute value of all, for a diverging scale about zero."""
    largest = max((float(np.abs(a[np.isfinite(a)]).max(initial=0.0)) for a in arrays), default=0.0)
    return largest if largest > 0 else 1.0


@contextmanager
def styled() -> Iterator[None]:
    """The figures' style, for as long as the block runs."""
    with matplotlib.rc_context(STYLE):
        yield


def write_drawing(figure: Figure, target: Path) -> Drawing:
    """Save the picture, and beside it the numbers read back from its artists."""
    with whole_file(target) as partial:
        figure.savefig(partial)
    return Drawing(target, write_numbers({"panels": drawn_numbers(figure)}, target))


def write_numbers(numbers: Mapping[str, Any], target: Path) -> Path:
    """Write drawn numbers to `target` with `.json`."""
    path = target.with_suffix(".json")
    with whole_file(path) as partial:
        partial.write_text(json.dumps(numbers, allow_nan=False, separators=(",", ":")) + "\n", encoding="utf-8")
    return path


def drawn_numbers(figure: Figure) -> list[dict[str, Any]]:
    """What each panel that holds data shows, read from its lines, bands and images."""
    return [_panel(axes) for axes in figure.axes if axes.images or axes.lines]


def _panel(axes: Axes) -> dict[str, Any]:
    return {
        "id": axes.get_gid(), "title": axes.get_title(), "x_label": axes.get_xlabel(), "y_label": axes.get_ylabel(),
        "lines": [
            {"label": str(line.get_label()), "x": plain(line.get_xdata()), "y": plain(line.get_ydata())}
            for line in axes.lines
        ],
        "bands": [_band(band) for band in axes.collections if isinstance(band, PolyCollection)],
        "images": [_image(image) for image in axes.images],
    }


def _band(band: PolyCollection) -> dict[str, Any]:
    """The lower and upper end at each place, from the corners of the filled polygon."""
    corners = np.asarray(band.get_paths()[0].vertices)
    places = np.unique(corners[:, 0])
    ends = [corners[corners[:, 0] == place, 1] for place in places]
    return {"x": plain(places), "low": plain([end.min() for end in ends]), "high": plain([end.max() for end in ends])}


def _image(image: AxesImage) -> dict[str, Any]:
    return {
        "extent": plain(image.get_extent()), "colour_limits": plain(image.get_clim()),
        "colour_bar": image.colorbar.ax.get_ylabel() if image.colorbar is not None else None,
        "colour_map": image.get_cmap().name, "values": plain(np.ma.filled(np.ma.asarray(image.get_array()), np.nan)),
    }


def plain(values: Any) -> list[Any]:
    """Nested lists of numbers with nine digits, which is exact for float32; None where a value is not finite."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim > 1:
        return [plain(row) for row in array]
    return [float(f"{value:.9g}") if np.isfinite(value) else None for value in array]


def line_colours(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each emulator, the same in every panel."""
    return {label: LINE_COLOURS[number % len(LINE_COLOURS)] for number, label in enumerate(labels)}

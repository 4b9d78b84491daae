"""A picture, and beside it the numbers that it shows, read back from its artists."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from upsctl.interfaces import Drawing
from upsctl.whole_file import whole_file


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

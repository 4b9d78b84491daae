"""How figures look: colours, limits, labels with units. Loads matplotlib without pyplot, which has a global state."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np

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


def line_colours(labels: Sequence[str]) -> dict[str, str]:
    """A colour for each emulator, the same in every panel."""
    return {label: LINE_COLOURS[number % len(LINE_COLOURS)] for number, label in enumerate(labels)}

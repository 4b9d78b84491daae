"""Metrics of predictions: one number per trajectory, for each field and for all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric
from ups_models.registry import load_part
from upsctl.evaluation.rows import ALL_FIELDS
from upsctl.interfaces import Predictions

SAMPLES_AT_A_TIME = 16


@dataclass(frozen=True, eq=False)
class Score:
    """One metric of one field.

    Attributes:
        metric: its name, with the band where it has several values: `spectral_bands_low`.
        field: a field's name, or `all`.
        per_sample: (N,) values.
        pooled: the metric's own aggregate over the split, where that is its published number.
    """

    metric: str
    field: str
    per_sample: np.ndarray
    pooled: float | None


def score(predictions: Predictions, metrics: Sequence[str]) -> list[Score]:
    """Every metric for all fields together and, where there are several, for each field; given frames left out.

    Raises:
        UnknownPartError: when no metric has one of the names.
    """
    names = list(predictions.truth)
    selections = {ALL_FIELDS: names} | ({name: [name] for name in names} if len(names) > 1 else {})
    return [
        entry
        for metric in metrics
        for field, selected in selections.items()
        for entry in _score_one(predictions, metric, field, selected)
    ]


def metric_class(name: str) -> type[AbstractMetric]:
    """The class of a named metric.

    Raises:
        UnknownPartError: naming the nearest known name.
    """
    return load_part("ups_models.metrics", name, AbstractMetric)


def _score_one(predictions: Predictions, name: str, field: str, selected: Sequence[str]) -> list[Score]:
    metric = metric_class(name)()
    statistics = _statistics(metric, predictions, selected)
    pooled = metric.aggregate(statistics) if metric.is_pooled else {}
    return [
        Score("_".join(filter(None, (name, part))), field, values.numpy(), float(pooled[part]) if pooled else None)
        for part, values in metric.per_sample(statistics).items()
    ]


def _statistics(metric: AbstractMetric, predictions: Predictions, selected: Sequence[str]) -> Tensor:
    geometry = _geometry(predictions)
    starts = range(0, len(predictions.trajectory_ids), SAMPLES_AT_A_TIME)
    parts = [slice(start, start + SAMPLES_AT_A_TIME) for start in starts]
    return torch.cat([
        metric.statistics(
            _predicted_frames(predictions.prediction, selected, part),
            _predicted_frames(predictions.truth, selected, part), geometry)
        for part in parts
    ])


def _predicted_frames(arrays: Mapping[str, np.ndarray], selected: Sequence[str], part: slice) -> Fields:
    return {name: torch.from_numpy(arrays[name][part, 1:]).double() for name in selected}


def _geometry(predictions: Predictions) -> GridGeometry:
    axes = predictions.axes
    return GridGeometry(
        shape=tuple(len(axis.coordinates) for axis in axes),
        extent=tuple(axis.extent for axis in axes),
        boundary=tuple(axis.boundary for axis in axes),
    )

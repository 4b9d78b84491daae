"""What of some predictions is shown: scalars, groups of trajectories, a typical one, and how wrong each frame is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from upsctl.dataset_card import DatasetCard
from upsctl.interfaces import Predictions
from upsctl.picture.style import with_units

RELATIVE_FLOOR = 0.01
"""Of `nrmse`: a frame's norm counts as at least this much of the trajectory's rms."""


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
    floor = RELATIVE_FLOOR * np.sqrt(norm.mean(axis=1, keepdims=True))
    scale = np.maximum(np.sqrt(norm), floor)
    return np.divide(np.sqrt(error), scale, out=np.zeros_like(error), where=error > 0)


def _mean_squares(field: np.ndarray) -> np.ndarray:
    squares = np.square(field, dtype=np.float64).sum(axis=-1)
    return squares.reshape(*squares.shape[:2], -1).mean(axis=2)

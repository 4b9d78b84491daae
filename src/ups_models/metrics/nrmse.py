"""The project's measure: relative error per frame and field group."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric

FLOOR = 0.01
"""A frame's norm counts for at least this fraction of its trajectory's rms: a decayed state is no division by zero."""


class Nrmse(AbstractMetric):
    """Relative error, frame by frame.

    With ||.||^2 the mean over space (cells of equal volume) of the squared length over a field's components,

        nRMSE = mean_{fields, t} ||p_t - u_t|| / max(||u_t||, 0.01 (mean_t ||u_t||^2)^(1/2)).

    A vector is one field: its components are pooled. It has no unit, and is 1 for a prediction of zero (where no frame
    is below the floor). A trajectory that is zero throughout gives 0 for an exact prediction, infinity otherwise.
    The mean over t that sets the floor runs over the frames given to the metric: the predicted ones.
    """

    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, 1): each sample's own value."""
        return frame_errors(prediction, target).mean(dim=1, keepdim=True)

    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The mean over samples, a scalar named ''."""
        return {"": statistics.mean()}


def frame_errors(prediction: Fields, target: Fields) -> Tensor:
    """(B, T) of each frame, the mean over fields; fields are (B, T, *space, C)."""
    return torch.stack([_relative_errors(prediction[name], truth) for name, truth in target.items()]).mean(dim=0)


def _relative_errors(prediction: Tensor, target: Tensor) -> Tensor:
    """(B, T) from (B, T, *space, C)."""
    norm = _mean_square(target)
    floor = FLOOR * norm.mean(dim=1, keepdim=True).sqrt()
    error = _mean_square(prediction - target).sqrt()
    return torch.where(error == 0, error, error / torch.maximum(norm.sqrt(), floor))


def _mean_square(field: Tensor) -> Tensor:
    return field.square().sum(dim=-1).flatten(2).mean(dim=2)

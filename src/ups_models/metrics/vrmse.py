"""The Well's error: rmse over the standard deviation in space."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric

EPSILON = 1e-7
"""The Well's constant in the denominator, in the square of the field's units."""


class Vrmse(AbstractMetric):
    """Variance-scaled error, each component a channel of its own.

        VRMSE = mean_{channels, t} sqrt(<(p - u)^2> / (<(u - <u>)^2> + 1e-7)),   <.> the mean over space.

    1 for a prediction of each frame's spatial mean. Source: Ohana et al., The Well (2412.00568), section 4.
    """

    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, 1): each sample's own value; fields are (B, T, *space, C)."""
        errors = [_scaled_error(prediction[name], truth) for name, truth in target.items()]
        return torch.cat(errors, dim=-1).mean(dim=(1, 2))[:, None]

    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The mean over samples, a scalar named ''."""
        return {"": statistics.mean()}


def _scaled_error(prediction: Tensor, target: Tensor) -> Tensor:
    """(B, T, C) from (B, T, *space, C)."""
    variance = target.flatten(2, -2).var(dim=2, correction=0)
    error = (prediction - target).flatten(2, -2).square().mean(dim=2)
    return (error / (variance + EPSILON)).sqrt()

"""How far the spatial mean has drifted from the truth's."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric


class ConservationGap(AbstractMetric):
    """The error of the conserved total, in units of the trajectory's rms.

        gap = mean_{fields, t} |<p_t> - <u_t>| / (mean_t <|u_t|^2>)^(1/2),   <.> the mean over space.

    |.| is the length over a field's components. Where the truth conserves its mean this is the drift of the prediction;
    where it does not (a forced flow) it is the error of the budget. A truth that is zero throughout gives 0 for an
    exact mean, infinity otherwise.
    """

    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, 1): each sample's own value; fields are (B, T, *space, C)."""
        gaps = [_gap(prediction[name], truth) for name, truth in target.items()]
        return torch.stack(gaps).mean(dim=(0, 2))[:, None]

    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The mean over samples, a scalar named ''."""
        return {"": statistics.mean()}


def _gap(prediction: Tensor, target: Tensor) -> Tensor:
    """(B, T) from (B, T, *space, C)."""
    drift = (prediction - target).flatten(2, -2).mean(dim=2).norm(dim=-1)
    rms = target.square().sum(dim=-1).flatten(1).mean(dim=1, keepdim=True).sqrt()
    return torch.where(drift == 0, drift, drift / rms)

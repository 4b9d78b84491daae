"""PDEBench's normalised RMSE."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric


class PdebenchNrmse(AbstractMetric):
    """Each frame's error over the truth's own root mean square, without a floor.

        nRMSE = mean_{b, c, t} sqrt(mean_x (p - u)^2) / sqrt(mean_x u^2)

    As all `pdebench_*` metrics it treats each component of each field as a channel. A channel that is zero in one frame
    gives NaN or infinity, as PDEBench's does; `nrmse` is the measure that does not.
    Source: Takamoto et al., PDEBench (2210.07182), appendix B.
    """

    is_pooled = True

    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, 1): each sample's own value; fields are (B, T, *space, C)."""
        errors = [_rms(prediction[name] - truth) / _rms(truth) for name, truth in target.items()]
        return torch.cat(errors, dim=-1).mean(dim=(1, 2))[:, None]

    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The mean over samples, a scalar named ''."""
        return {"": statistics.mean()}


def _rms(field: Tensor) -> Tensor:
    """(B, T, C) from (B, T, *space, C)."""
    return field.flatten(2, -2).square().mean(dim=2).sqrt()

"""PDEBench's RMSE of conserved values."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric


class PdebenchCrmse(AbstractMetric):
    """Error of the sum over the grid, pooled over samples before the root.

        cRMSE = mean_{c, t} sqrt(mean_b (sum_x p - sum_x u)^2) / N,   N the number of cells

    As all `pdebench_*` metrics it treats each component of each field as a channel.
    Source: Takamoto et al., PDEBench (2210.07182), appendix B.
    """

    is_pooled = True

    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, T, C): squared error of the mean of each channel and frame; fields are (B, T, *space, C)."""
        gaps = [(prediction[name] - truth).flatten(2, -2).mean(dim=2) for name, truth in target.items()]
        return torch.cat(gaps, dim=-1).square()

    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The root of the mean over samples, averaged over channels and frames; a scalar named ''."""
        return {"": statistics.mean(dim=0).sqrt().mean()}

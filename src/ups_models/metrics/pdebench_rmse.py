"""PDEBench's RMSE."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric


class PdebenchRmse(AbstractMetric):
    """Root mean square over space, then the mean over samples, channels and frames.

        RMSE = mean_{b, c, t} sqrt(mean_x (p - u)^2)

    As all `pdebench_*` metrics it treats each component of each field as a channel, whatever its unit.
    Source: Takamoto et al., PDEBench (2210.07182), appendix B; given frames are left out, as since October 2024.
    """

    is_pooled = True

    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, 1): each sample's own value, in the fields' units; fields are (B, T, *space, C)."""
        errors = [_rms(prediction[name] - truth) for name, truth in target.items()]
        return torch.cat(errors, dim=-1).mean(dim=(1, 2))[:, None]

    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The mean over samples, a scalar named ''."""
        return {"": statistics.mean()}


def _rms(field: Tensor) -> Tensor:
    """(B, T, C) from (B, T, *space, C)."""
    return field.flatten(2, -2).square().mean(dim=2).sqrt()

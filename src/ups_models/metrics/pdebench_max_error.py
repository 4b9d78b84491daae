"""PDEBench's largest error."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric


class PdebenchMaxError(AbstractMetric):
    """The largest absolute error over samples and space, averaged over channels and frames.

        max error = mean_{c, t} max_{b, x} |p - u|

    As all `pdebench_*` metrics it treats each component of each field as a channel.
    Source: Takamoto et al., PDEBench (2210.07182), appendix B.
    """

    is_pooled = True

    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, T, C): the largest error of each channel and frame; fields are (B, T, *space, C)."""
        errors = [(prediction[name] - truth).flatten(2, -2).abs().amax(dim=2) for name, truth in target.items()]
        return torch.cat(errors, dim=-1)

    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The maximum over samples, averaged over channels and frames; a scalar named ''."""
        return {"": statistics.amax(dim=0).mean()}

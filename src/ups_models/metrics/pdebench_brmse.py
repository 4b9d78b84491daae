"""PDEBench's RMSE at the boundary."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric


class PdebenchBrmse(AbstractMetric):
    """Error on the outermost cells: the first and last of a line, the edges of a square, the faces of a cube.

        bRMSE = mean_{b, c, t} sqrt(sum_{x on the boundary} (p - u)^2 / N_boundary)

    A corner belongs to each of its edges, in the sum and in N_boundary. In 3D PDEBench sums over the channels under the
    root and takes no mean over them; so does this. As all `pdebench_*` metrics it treats each component of each field
    as a channel. Source: Takamoto et al., PDEBench (2210.07182), appendix B.
    """

    is_pooled = True

    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, 1): each sample's own value; fields are (B, T, *space, C)."""
        squares = torch.cat([_boundary_mean_square(prediction[name] - truth) for name, truth in target.items()], dim=-1)
        if geometry.num_dimensions == 3:
            squares = squares.sum(dim=-1, keepdim=True)
        return squares.sqrt().mean(dim=(1, 2))[:, None]

    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The mean over samples, a scalar named ''."""
        return {"": statistics.mean()}


def _boundary_mean_square(error: Tensor) -> Tensor:
    """(B, T, C) from (B, T, *space, C)."""
    ends = [(axis, end) for axis in range(2, error.ndim - 1) for end in (0, error.shape[axis] - 1)]
    faces = [error.narrow(axis, end, 1).flatten(2, -2) for axis, end in ends]
    return torch.cat(faces, dim=2).square().mean(dim=2)

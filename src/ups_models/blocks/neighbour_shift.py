"""Local mixing without weights: channels taken from the neighbours."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class NeighbourShift(nn.Module):
    """Channel groups moved by 0, +1, -1, +2, -2, ... nodes along each axis, so that a pointwise map sees neighbours.

    Beyond an end, periodic axes wrap and others repeat their last value. Source: the shift operation of Wu et al.
    2018, arXiv 1711.08141.

    Args:
        num_dimensions: D.
        channels: E of (B, *grid, E).
        reach: the largest move.
    """

    def __init__(self, num_dimensions: int, channels: int, reach: int) -> None:
        super().__init__()
        steps = [sign * step for step in range(1, reach + 1) for sign in (1, -1)]
        self.moves = [(0, 0), *((axis, step) for axis in range(num_dimensions) for step in steps)]
        share, rest = divmod(channels, len(self.moves))
        self.sizes = [share + (index < rest) for index in range(len(self.moves))]

    def forward(self, tokens: Tensor, boundary: Sequence[tuple[str, str]]) -> Tensor:
        """(B, *grid, E) -> (B, *grid, E)."""
        parts = tokens.split(self.sizes, dim=-1)
        return torch.cat([
            _moved(part, axis, step, boundary[axis] == ("periodic", "periodic")) if step else part
            for part, (axis, step) in zip(parts, self.moves, strict=True)
        ], dim=-1)  # fmt: skip


def _moved(part: Tensor, axis: int, step: int, is_periodic: bool) -> Tensor:
    """Each node takes the value `step` nodes before it along an axis."""
    cells = part.shape[axis + 1]
    index = torch.arange(cells, device=part.device) - step
    index = index % cells if is_periodic else index.clamp(0, cells - 1)
    return part.index_select(axis + 1, index)

"""A pointwise map with products of features: the equations are quadratic."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class GatedMLP(nn.Module):
    """y = W_2 (gelu(a) * b) with (a, b) = W_1 x, at each point alone (GEGLU, Shazeer 2020, arXiv 2002.05202).

    Args:
        channels: C of (B, C, *grid); any number of dimensions, the same weights.
        hidden: width of a and of b.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.expand = nn.Linear(channels, 2 * hidden)
        self.contract = nn.Linear(hidden, channels)

    def forward(self, field: Tensor) -> Tensor:
        """(B, C, *grid) -> (B, C, *grid)."""
        expanded = _pointwise(field, self.expand)
        values, gates = torch.chunk(expanded, 2, dim=1)
        return _pointwise(values * functional.gelu(gates), self.contract)


def _pointwise(field: Tensor, linear: nn.Linear) -> Tensor:
    """A linear map of the channels at each point; a 1x1 convolution is its fastest form on a CPU."""
    weight = linear.weight[..., None].expand(-1, -1, 1)
    flat = functional.conv1d(field.flatten(2), weight, linear.bias)
    return flat.unflatten(2, field.shape[2:])

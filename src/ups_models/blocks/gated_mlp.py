"""A pointwise map with products of features: the equations are quadratic."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class GatedMLP(nn.Module):
    """y = W_2 (a * gelu(b)) with (a, b) = W_1 x, at each point alone (GEGLU, Shazeer 2020, arXiv 2002.05202).

    Args:
        channels: E of (B, *grid, E); any number of dimensions, the same weights.
        hidden: width of a and of b.
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.expand = nn.Linear(channels, 2 * hidden)
        self.contract = nn.Linear(hidden, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, *grid, E) -> (B, *grid, E)."""
        values, gates = torch.chunk(self.expand(tokens), 2, dim=-1)
        return self.contract(values * functional.gelu(gates))

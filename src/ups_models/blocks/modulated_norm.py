"""Normalisation over channels at each point, with a shift and scale from the conditioning."""

import torch
from torch import Tensor, nn


class ModulatedNorm(nn.Module):
    """h = (1 + scale(c)) LayerNorm(x) + shift(c), and a gate(c) for the branch that follows.

    Source: adaptive layer norm of DiT (Peebles & Xie 2023, arXiv 2212.09748), the gate starting at `initial_gate`.

    Args:
        channels: C of (B, C, *grid).
        conditioning_width: W of the conditioning (B, W).
        initial_gate: value of the gate before training.
    """

    def __init__(self, channels: int, conditioning_width: int, initial_gate: float = 0.1) -> None:
        super().__init__()
        self.modulation = nn.Linear(conditioning_width, 3 * channels)
        nn.init.zeros_(self.modulation.weight)
        with torch.no_grad():
            self.modulation.bias.copy_(torch.cat([torch.zeros(2 * channels), torch.full((channels,), initial_gate)]))

    def forward(self, field: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, *grid), (B, W) -> the normalised field and the gate (B, C, 1...)."""
        shape = (len(field), -1, *(1,) * (field.ndim - 2))
        shift, scale, gate = (part.reshape(shape) for part in self.modulation(conditioning).chunk(3, dim=1))
        variance, mean = torch.var_mean(field, dim=1, keepdim=True, correction=0)
        return (field - mean) * (variance + 1e-6).rsqrt() * (1 + scale) + shift, gate

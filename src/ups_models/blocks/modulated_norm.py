"""Normalisation over channels at each point, with a shift and scale from the conditioning."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ModulatedNorm(nn.Module):
    """h = scale(c) LayerNorm(x) + shift(c), and a gate(c) for the branch that follows.

    Source: adaptive layer norm of DiT (Peebles & Xie 2023, arXiv 2212.09748), the gate starting at `initial_gate`.

    Args:
        channels: E of (B, *grid, E).
        conditioning_width: W of the conditioning (B, W).
        initial_gate: value of the gate before training.
    """

    def __init__(self, channels: int, conditioning_width: int, initial_gate: float = 0.1) -> None:
        super().__init__()
        self.channels, self.modulation = channels, nn.Linear(conditioning_width, 3 * channels)
        nn.init.zeros_(self.modulation.weight)
        start = [torch.ones(channels), torch.zeros(channels), torch.full((channels,), initial_gate)]
        with torch.no_grad():
            self.modulation.bias.copy_(torch.cat(start))

    def forward(self, tokens: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """(B, *grid, E), (B, W) -> the normalised tokens and the gate (B, 1..., E)."""
        shape = (len(tokens), *(1,) * (tokens.ndim - 2), self.channels)
        scale, shift, gate = (part.reshape(shape) for part in self.modulation(conditioning).chunk(3, dim=1))
        return torch.addcmul(shift, functional.layer_norm(tokens, (self.channels,)), scale), gate

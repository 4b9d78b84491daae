"""The linear part of an evolution: one factor for each wavenumber, a function of the conditioning."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ups_models.blocks.precision import in_full_precision

FREQUENCIES = (0.5, 1.0, 2.0, 4.0)


class LinearPropagator(nn.Module):
    """du_k = (a(|k|, c) + i k . v(|k|, c)) u_k: what diffusion, dispersion and transport by a mean flow do to a field.

    a and v come from a small network of log |k| and the conditioning c, zero before training. So a nearly linear state
    (a decayed one, a small Reynolds number) is advanced for any parameter, and the rest of the model learns what is
    not linear.

    Args:
        num_dimensions: D.
        conditioning_width: W.
        hidden: width of the small network.
    """

    def __init__(self, num_dimensions: int, conditioning_width: int, hidden: int = 32) -> None:
        super().__init__()
        self.of_conditioning = nn.Linear(conditioning_width, hidden)
        self.of_wavenumber = nn.Linear(1 + 2 * len(FREQUENCIES), hidden, bias=False)
        self.hidden = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, 1 + num_dimensions)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    @in_full_precision
    def forward(self, field: Tensor, conditioning: Tensor) -> Tensor:
        """(B, C, *space), (B, W) -> the change (B, C, *space)."""
        space = field.shape[2:]
        axes = tuple(range(2, field.ndim))
        waves = _wavevectors(space).to(field)
        changed = torch.fft.rfftn(field, dim=axes) * self._factors(waves, conditioning)
        return torch.fft.irfftn(changed, s=space, dim=axes)

    def _factors(self, waves: Tensor, conditioning: Tensor) -> Tensor:
        """(*half spectrum, D), (B, W) -> (B, 1, *half spectrum) complex."""
        own = self.of_conditioning(conditioning).reshape(len(conditioning), *(1,) * (waves.ndim - 1), -1)
        hidden = functional.gelu(own + self.of_wavenumber(_features(waves)))
        damping, velocity = self.output(functional.gelu(self.hidden(hidden))).split([1, waves.shape[-1]], dim=-1)
        damping = damping[..., 0] * (waves != 0).any(dim=-1)  # the mean is not a wave
        return torch.complex(damping, (waves * velocity).sum(dim=-1) / 8)[:, None]


def _wavevectors(space: torch.Size) -> Tensor:
    """(*half spectrum, D) whole wavenumbers of `rfftn`."""
    axes = [torch.fft.fftfreq(cells, 1 / cells) for cells in space[:-1]] + [torch.arange(space[-1] // 2 + 1.0)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def _features(waves: Tensor) -> Tensor:
    """(*half spectrum, 9) of log2 |k|."""
    logarithm = torch.log2(waves.norm(dim=-1).clamp_min(0.5))
    angles = [frequency * logarithm for frequency in FREQUENCIES]
    waves_of_it = [function(angle) for angle in angles for function in (torch.sin, torch.cos)]
    return torch.stack([logarithm / math.log2(16), *waves_of_it], dim=-1)

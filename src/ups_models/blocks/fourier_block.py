"""A residual block of global and local mixing at one resolution."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ups_models.blocks.boundary_convolution import BoundaryConvolution
from ups_models.blocks.precision import in_full_precision
from ups_models.blocks.spectral_mixing import SpectralMixing


class FourierBlock(nn.Module):
    """x + W silu((1 + s(c)) (K x + C x) + b(c)), K a spectral map of low modes, C a convolution of all channels.

    Not normalised: the state comes in its own units, and its amplitude counts. A Fourier layer (Li et al. 2021, arXiv
    2010.08895, eq. 2) whose pointwise map has grown to a convolution, residual, modulated by the conditioning (Perez et
    al. 2018, arXiv 1709.07871).

    Args:
        num_dimensions: 1, 2 or 3.
        channels: C of (B, C, *space).
        num_modes: of K.
        kernel_size: of C, odd.
        conditioning_width: W of the conditioning.
    """

    def __init__(
        self, num_dimensions: int, channels: int, num_modes: int, kernel_size: int, conditioning_width: int
    ) -> None:
        super().__init__()
        self.spectral = SpectralMixing(num_dimensions, channels, num_modes, groups=1)
        self.convolution = BoundaryConvolution(num_dimensions, channels, channels, kernel_size)
        self.output = BoundaryConvolution(num_dimensions, channels, channels, 1)
        self.modulation = nn.Linear(conditioning_width, 2 * channels)
        nn.init.zeros_(self.modulation.weight)
        nn.init.zeros_(self.modulation.bias)

    @in_full_precision
    def forward(self, field: Tensor, conditioning: Tensor, boundary: Sequence[tuple[str, str]]) -> Tensor:
        """(B, C, *space), (B, W) -> (B, C, *space)."""
        shape = (len(field), -1, *(1,) * (field.ndim - 2))
        scale, shift = (part.reshape(shape) for part in self.modulation(conditioning).chunk(2, dim=1))
        mixed = self.spectral(field) + self.convolution(field, boundary)
        return field + self.output(functional.silu(torch.addcmul(mixed + shift, mixed, scale)), boundary)

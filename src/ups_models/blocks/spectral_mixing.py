"""Global mixing on a regular grid: a learned linear map per low Fourier mode."""

import math

import torch
from torch import Tensor, nn

from ups_models.blocks.precision import in_full_precision


class SpectralMixing(nn.Module):
    """y_k = W_k x_k for |k| <= num_modes, grouped over channels; other modes are dropped.

    Source: the spectral convolution of FNO (Li et al. 2021, arXiv 2010.08895, eq. 5), with block-diagonal channel maps.

    Args:
        num_dimensions: 1, 2 or 3.
        channels: C of (B, C, *grid).
        num_modes: kept wavenumbers per axis, fewer where the grid has fewer.
        groups: number of diagonal blocks of each channel map.
    """

    def __init__(self, num_dimensions: int, channels: int, num_modes: int, groups: int) -> None:
        super().__init__()
        self.num_modes, self.groups = num_modes, groups
        kept = (*(2 * num_modes - 1,) * (num_dimensions - 1), num_modes)
        size = channels // groups
        scale = 0.5 / math.sqrt(size)
        self.weight = nn.Parameter(scale * torch.randn(math.prod(kept), groups, size, size, 2) / math.sqrt(2))

    @in_full_precision
    def forward(self, field: Tensor) -> Tensor:
        """(B, C, *grid) -> (B, C, *grid)."""
        grid, axes = field.shape[2:], tuple(range(2, field.ndim))
        spectrum = torch.fft.rfftn(field, dim=axes, norm="ortho")
        index, kept = self._kept_modes(grid)
        low = spectrum.flatten(2)[:, :, index]
        full = torch.zeros_like(spectrum).flatten(2)
        full[:, :, index] = self._mix(low, self.weight[kept])
        return torch.fft.irfftn(full.unflatten(2, spectrum.shape[2:]), s=grid, dim=axes, norm="ortho")

    def _mix(self, low: Tensor, weight: Tensor) -> Tensor:
        """(B, C, M) complex by (M, G, C / G, C / G, 2): a product of real matrices for each mode and group."""
        batch_size, channels, modes = low.shape
        real = torch.view_as_real(low).unflatten(1, (self.groups, -1)).permute(3, 1, 0, 4, 2)  # (M, G, B, 2, C / G)
        mixed = torch.bmm(real.flatten(3).flatten(0, 1), _real_matrices(weight).flatten(0, 1))
        mixed = mixed.unflatten(0, (modes, self.groups)).unflatten(3, (2, -1)).permute(3, 2, 1, 4, 0)
        return torch.complex(*mixed.unbind(dim=0)).reshape(batch_size, channels, modes)

    def _kept_modes(self, grid: torch.Size) -> tuple[Tensor, Tensor]:
        """Flat indices of the kept modes in the half spectrum, and of their weights."""
        positions, weights = [], []
        for axis, cells in enumerate(grid):
            is_last = axis == len(grid) - 1
            limit = min(self.num_modes, (cells + 1) // 2)
            waves = torch.arange(0 if is_last else 1 - limit, limit)
            positions.append(waves % (cells // 2 + 1 if is_last else cells))
            weights.append(waves if is_last else waves + self.num_modes - 1)
        half = (*grid[:-1], grid[-1] // 2 + 1)
        stored = (*(2 * self.num_modes - 1,) * (len(grid) - 1), self.num_modes)
        return _flat(positions, half), _flat(weights, stored)


def _real_matrices(weight: Tensor) -> Tensor:
    """(..., I, O, 2) complex -> (..., 2 I, 2 O) real: (x + iy)(a + ib) as a row (x, y) by a block matrix."""
    real, imaginary = weight.unbind(dim=-1)
    upper, lower = torch.cat([real, imaginary], dim=-1), torch.cat([-imaginary, real], dim=-1)
    return torch.cat([upper, lower], dim=-2)


def _flat(indices: list[Tensor], shape: tuple[int, ...]) -> Tensor:
    mesh = torch.meshgrid(*indices, indexing="ij")
    flat = torch.zeros_like(mesh[0])
    for index, cells in zip(mesh, shape, strict=True):
        flat = flat * cells + index
    return flat.flatten()

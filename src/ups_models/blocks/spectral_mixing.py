"""Global mixing on a regular grid: a learned linear map per low Fourier mode."""

import functools
import math

import torch
from torch import Tensor, nn

from ups_models.blocks.precision import in_full_precision


class SpectralMixing(nn.Module):
    """y_k = W_k x_k for |k| < num_modes along each axis, grouped over channels; other modes are dropped.

    Source: the spectral convolution of FNO (Li et al. 2021, arXiv 2010.08895, eq. 5), with block-diagonal channel maps.
    As few modes are kept, each axis is transformed by a product with its cosines and sines; complex numbers are pairs.

    Args:
        num_dimensions: 1, 2 or 3.
        channels: C of (B, C, *grid).
        num_modes: kept wavenumbers per axis, fewer where the grid has fewer.
        groups: number of diagonal blocks of each channel map.
    """

    def __init__(self, num_dimensions: int, channels: int, num_modes: int, groups: int) -> None:
        super().__init__()
        self.num_modes, self.groups = num_modes, groups
        self.stored = (*(2 * num_modes - 1,) * (num_dimensions - 1), num_modes)
        size = channels // groups
        scale = 0.5 / math.sqrt(size)
        self.weight = nn.Parameter(scale * torch.randn(*self.stored, groups, size, size, 2) / math.sqrt(2))

    @in_full_precision
    def forward(self, field: Tensor) -> Tensor:
        """(B, C, *grid) -> (B, C, *grid)."""
        grid = field.shape[2:]
        spectrum = field[..., None]  # (B, C, *grid, 1), then one axis after another becomes modes of pairs
        for axis in reversed(range(len(grid))):
            spectrum = _along(spectrum, axis + 2, self._basis(grid, axis, field))
        spectrum = self._mix(spectrum, self._kept_weight(grid))
        for axis in range(len(grid)):
            spectrum = _along(spectrum, axis + 2, self._basis(grid, axis, field, is_inverse=True))
        return spectrum[..., 0]

    def _mix(self, spectrum: Tensor, weight: Tensor) -> Tensor:
        """(B, C, *modes, 2) by (*modes, G, C / G, C / G, 2): a product of real matrices for each mode and group."""
        batch_size, channels, *modes, _ = spectrum.shape
        rows = spectrum.flatten(2, -2).unflatten(1, (self.groups, -1)).permute(3, 1, 0, 4, 2)  # (M, G, B, 2, C / G)
        mixed = torch.bmm(rows.flatten(3).flatten(0, 1), _real_matrices(weight).flatten(0, -3))
        mixed = mixed.unflatten(0, (-1, self.groups)).unflatten(3, (2, -1)).permute(2, 1, 4, 0, 3)
        return mixed.reshape(batch_size, channels, *modes, 2)

    def _basis(self, grid: torch.Size, axis: int, like: Tensor, is_inverse: bool = False) -> Tensor:
        waves = _kept_waves(grid, axis, self.num_modes)
        is_real = axis == len(grid) - 1
        return _transform(grid[axis], waves.start, waves.stop, is_real, is_inverse, like.dtype, like.device)

    def _kept_weight(self, grid: torch.Size) -> Tensor:
        """The weights of the modes that the grid has."""
        weight = self.weight
        for axis in range(len(grid)):
            waves, first = _kept_waves(grid, axis, self.num_modes), 1 - self.num_modes
            first = 0 if axis == len(grid) - 1 else first
            weight = weight.narrow(axis, waves.start - first, len(waves))
        return weight


def _kept_waves(grid: torch.Size, axis: int, num_modes: int) -> range:
    """The wavenumbers below `num_modes` and the grid's limit; of a real field's last axis, those not negative."""
    limit = min(num_modes, (grid[axis] + 1) // 2)
    return range(0 if axis == len(grid) - 1 else 1 - limit, limit)


def _along(field: Tensor, axis: int, basis: Tensor) -> Tensor:
    """Contract one axis, together with the last one of real and imaginary parts: (N, R) by (N, R, K, S) -> (K, S)."""
    pairs = field.movedim(axis, -2).flatten(-2) @ basis.flatten(2).flatten(0, 1)
    return pairs.unflatten(-1, basis.shape[2:]).movedim(-2, axis)


@functools.lru_cache(maxsize=64)
@torch.inference_mode(False)  # a table that an evaluation makes serves the next training
def _transform(
    cells: int, first: int, stop: int, is_real: bool, is_inverse: bool, dtype: torch.dtype, device: torch.device
) -> Tensor:
    """(N, R, K, 2) orthonormal transform to waves `first` to `stop`, R = 1 if real; (K, 2, N, R) its inverse."""
    angle = 2 * math.pi / cells * torch.outer(torch.arange(cells).double(), torch.arange(first, stop).double())
    cosine, sine = angle.cos() / math.sqrt(cells), angle.sin() / math.sqrt(cells)
    rows = [torch.stack([cosine, -sine], dim=-1), torch.stack([sine, cosine], dim=-1)]  # of a real, an imaginary part
    basis = torch.stack(rows[:1] if is_real else rows, dim=1)
    if is_inverse:
        if is_real:  # a wave and its conjugate, which is not kept
            basis = basis * torch.where(torch.arange(first, stop) > 0, 2.0, 1.0)[:, None]
        basis = basis.permute(2, 3, 0, 1)
    return basis.to(device, dtype).contiguous()


def _real_matrices(weight: Tensor) -> Tensor:
    """(..., I, O, 2) complex -> (..., 2 I, 2 O) real: (x + iy)(a + ib) as a row (x, y) by a block matrix."""
    real, imaginary = weight.unbind(dim=-1)
    upper, lower = torch.cat([real, imaginary], dim=-1), torch.cat([-imaginary, real], dim=-1)
    return torch.cat([upper, lower], dim=-2)

"""What the equations never violate, imposed on a predicted state: exact, whatever a network says."""

import math

import torch
from torch import Tensor

from ups_models.geometry import GridGeometry
from ups_models.space_means import mean_square, spatial_mean


def keep_mean(change: Tensor) -> Tensor:
    """A change (B, C, *space) without its mean: the integral of the field is conserved."""
    return change - spatial_mean(change)


def limit_fluctuation(following: Tensor, before: Tensor) -> Tensor:
    """The following state (B, C, *space) with its rms about the mean scaled down to that before, where it is larger.

    Without a source, transport conserves and diffusion lowers int (c - <c>)^2 dx. No gradient passes through the
    factor: it would cancel that of the fluctuation's size, and a network above the limit would never learn to go below.
    """
    mean, fluctuation = spatial_mean(following), following - spatial_mean(following)
    with torch.no_grad():
        now, allowed = mean_square(fluctuation), mean_square(before - spatial_mean(before))
        factor = torch.where(now > allowed, allowed / now, 1.0).sqrt()
    return mean + factor.reshape(-1, *(1,) * (following.ndim - 1)) * fluctuation


def velocity_of_vorticity(vorticity: Tensor, geometry: GridGeometry) -> Tensor:
    """The divergence-free velocity of zero mean whose curl v_x - u_y is `vorticity`, on a periodic plane.

    lap psi = -w, (u, v) = (psi_y, -psi_x), solved in Fourier space without the modes at the grid's limit.

    Args:
        vorticity: (B, 1, N_x, N_y) of zero mean.
        geometry: of the plane.

    Returns:
        (B, 2, N_x, N_y).
    """
    rows, columns = geometry.shape
    x_wave = _waves(torch.fft.fftfreq(rows, 1 / rows), rows, geometry.domain_extent[0])[:, None].to(vorticity)
    y_wave = _waves(torch.arange(columns // 2 + 1), columns, geometry.domain_extent[1])[None].to(vorticity)
    square = x_wave**2 + y_wave**2
    stream = torch.fft.rfft2(vorticity) * torch.where(square > 0, 1 / square.clamp_min(1e-30), torch.zeros(()))
    curl = torch.cat([1j * y_wave * stream, -1j * x_wave * stream], dim=1)
    return torch.fft.irfft2(curl, s=(rows, columns))


def _waves(numbers: Tensor, cells: int, extent: float) -> Tensor:
    """Angular wavenumbers; the one at the grid's limit has no derivative on it."""
    return torch.where(2 * numbers.abs() < cells, 2 * math.pi / extent * numbers, torch.zeros(()))

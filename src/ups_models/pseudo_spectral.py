"""Incompressible flow on a periodic plane by waves: what a textbook would solve it with."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ups_models.courant import in_parts, num_parts_of, part_of

COURANT = 0.7
"""Cells per part, summed over both axes: the largest wave turns by at most pi times this, and RK4 bears 2.8."""
FILTER_STRENGTH, FILTER_ORDER = 36.0, 36


def vorticity_step(
    fields: Tensor, mean: Tensor, source: Tensor, rate: Tensor, waves: Tensor, time_step: Tensor
) -> Tensor:
    """Vorticity and passive scalars q after one step of q_t = - u . grad q + s + d q.

    u is the velocity whose curl is the vorticity, and a constant mean. Products are made on the grid and smoothed
    against aliases (Hou & Li 2007, doi 10.1016/j.jcp.2007.04.014); d is integrated exactly, the rest by the classical
    scheme of fourth order (Canuto et al. 2007, doi 10.1007/978-3-540-30728-0, section D.3).

    Args:
        fields: (B, C, N_x, N_y) the vorticity, and the scalars.
        mean: (B, 2) of the velocity.
        source: (B, C, N_x, N_y) what s adds in one step.
        rate: (B, 1, N_x, N_y // 2 + 1) what diffusion does to the logarithm of each wave in one step.
        waves: (N_x, N_y // 2 + 1, 2) angular wavevectors.
        time_step: (B,).

    Returns:
        (B, C, N_x, N_y).
    """
    space, of_source = fields.shape[2:], torch.fft.rfft2(source)
    spectrum, times = torch.fft.rfft2(fields), time_step.reshape(-1, 1, 1, 1)
    plane = _Plane.of(waves, space)
    num_parts = num_parts_of(plane.cells(times * plane.velocity(spectrum, mean)), COURANT)

    def advance(state: Tensor, running: Tensor) -> Tensor:
        def slope(now: Tensor) -> Tensor:
            return of_source[running] - times[running] * plane.transport(now, mean[running])

        part = part_of(num_parts, running, 3)
        decay = (rate[running] * part / 2).exp()
        first = slope(state)
        second = slope(decay * (state + part / 2 * first))
        third = slope(decay * state + part / 2 * second)
        fourth = slope(decay**2 * state + part * decay * third)
        return decay**2 * state + part / 6 * (decay**2 * first + 2 * decay * (second + third) + fourth)

    return torch.fft.irfft2(in_parts(spectrum, num_parts, advance), s=space)


@dataclass(frozen=True)
class _Plane:
    """A periodic plane as its waves see it.

    Attributes:
        waves: (N_x, N_y // 2 + 1, 2) angular wavevectors.
        inverse, smoothing: (N_x, N_y // 2 + 1) 1 / |k|^2, zero for the mean, and the filter against aliases.
        space: (N_x, N_y).
    """

    waves: Tensor
    inverse: Tensor
    smoothing: Tensor
    space: torch.Size

    @classmethod
    def of(cls, waves: Tensor, space: torch.Size) -> "_Plane":
        square = waves.square().sum(dim=-1)
        part = (waves.abs() / waves.abs().amax(dim=(0, 1))).amax(dim=-1)
        smoothing = torch.exp(-FILTER_STRENGTH * part**FILTER_ORDER)
        return cls(waves, torch.where(square > 0, 1 / square.clamp_min(1e-30), 0.0), smoothing, space)

    def transport(self, spectrum: Tensor, mean: Tensor) -> Tensor:
        """u . grad q of each field, smoothed: (B, C, *half spectrum)."""
        smooth = self.smoothing * spectrum
        velocity = self.velocity(smooth, mean)
        slopes = [torch.fft.irfft2(1j * self.waves[..., axis] * smooth, s=self.space) for axis in range(2)]
        return self.smoothing * torch.fft.rfft2(velocity[:, :1] * slopes[0] + velocity[:, 1:] * slopes[1])

    def velocity(self, spectrum: Tensor, mean: Tensor) -> Tensor:
        """(B, 2, N_x, N_y) (psi_y, - psi_x) + m for lap psi = - w."""
        stream = spectrum[:, :1] * self.inverse
        curl = torch.cat([1j * self.waves[..., 1] * stream, -1j * self.waves[..., 0] * stream], dim=1)
        return torch.fft.irfft2(curl, s=self.space) + mean[..., None, None]

    def cells(self, moved: Tensor) -> Tensor:
        """(B,) the most cells along which a displacement moves, summed over both axes."""
        per_length = self.waves.abs().amax(dim=(0, 1)) / torch.pi
        return (moved.abs() * per_length.reshape(1, 2, 1, 1)).sum(dim=1).amax(dim=(1, 2))

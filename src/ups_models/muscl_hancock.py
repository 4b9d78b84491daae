"""Burgers' equation as the conservation law that it is: a Godunov scheme of second order, whose shocks move rightly."""

import torch
from torch import Tensor

from ups_models.courant import in_parts, num_parts_of, part_of

COURANT = 0.9


def burgers_step(velocity: Tensor, rate: Tensor) -> Tensor:
    """u after one step of u_t + (u^2 / 2)_x = d u on a periodic line.

    The MUSCL-Hancock scheme (Toro 2009, doi 10.1007/b79761, section 14.4) with the monotonised central slopes of van
    Leer 1977, doi 10.1016/0021-9991(77)90095-X, and Godunov's flux. Half of the diffusion, exact for each wave, comes
    before the transport of a part and half after it (Strang 1968, doi 10.1137/0705041).

    Args:
        velocity: (B, N) in cells per step.
        rate: (B, N // 2 + 1) what diffusion does to the logarithm of each wave in one step.

    Returns:
        (B, N).
    """
    num_parts = num_parts_of(velocity.abs().amax(dim=1), COURANT)

    def advance(moving: Tensor, running: Tensor) -> Tensor:
        part = part_of(num_parts, running, 1)
        decay = (rate[running] * part / 2).exp()
        return _diffused(_transported(_diffused(moving, decay), part), decay)

    return in_parts(velocity, num_parts, advance)


def _diffused(u: Tensor, decay: Tensor) -> Tensor:
    return torch.fft.irfft(torch.fft.rfft(u) * decay, n=u.shape[1])


def _transported(u: Tensor, part: Tensor) -> Tensor:
    slope = _limited_slope(u)
    low, high = u - slope / 2, u + slope / 2
    half = part / 4 * (high**2 - low**2)
    left, right = high - half, (low - half).roll(-1, 1)  # of the upper edge of each cell
    flux = torch.maximum(left.clamp_min(0) ** 2, right.clamp_max(0) ** 2) / 2
    return u - part * (flux - flux.roll(1, 1))


def _limited_slope(u: Tensor) -> Tensor:
    below, above = u - u.roll(1, 1), u.roll(-1, 1) - u
    size = torch.minimum(2 * torch.minimum(below.abs(), above.abs()), (below + above).abs() / 2)
    return torch.where(below * above > 0, below.sign() * size, 0.0)

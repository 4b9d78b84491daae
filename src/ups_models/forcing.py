"""What the force that a card declares changes in one step of the velocity, or, as its curl, of the vorticity."""

import math

import torch
from torch import Tensor

from ups_models.batch import Batch
from ups_models.blocks.exponential_step import wavevectors
from ups_models.dimensionless import DimensionlessState
from ups_models.geometry import GridGeometry
from ups_models.physical_fields import physical_field
from ups_models.problem import FrameSpec


def forced_field(frame: FrameSpec) -> str | None:
    """The field that the declared force changes: the velocity, or the vorticity where there is one."""
    return None if frame.forcing is None else frame.vorticity or frame.velocity


def forced_change(batch: Batch, state: DimensionlessState, frame: FrameSpec) -> Tensor:
    """dt f / s of the velocity, or dt (curl f) / s of the vorticity where there is one: (B, C, *space).

    Args:
        batch: for its time step.
        state: the same state, dimensionless; s is its scale.
        frame: of its problem, with a force.
    """
    name = forced_field(frame)
    assert name is not None and frame.forcing is not None
    force = physical_field(frame.forcing, state.constant_fields[frame.forcing], state)
    force = force if name == frame.velocity else _curl(force, state.geometry)
    return force * batch.time_step.reshape(-1, *(1,) * (force.ndim - 1)) / state.scale[name]


def _curl(force: Tensor, geometry: GridGeometry) -> Tensor:
    """(B, 2, N_x, N_y) -> f_y,x - f_x,y, (B, 1, N_x, N_y), on a periodic plane."""
    waves = 2 * math.pi * wavevectors(force.shape[2:], geometry.domain_extent).to(force)
    spectrum = torch.fft.rfft2(force)
    curl = 1j * (waves[..., 0] * spectrum[:, 1] - waves[..., 1] * spectrum[:, 0])
    return torch.fft.irfft2(curl, s=force.shape[2:])[:, None]

"""The fields as the flow carries them: each node's value where its fluid was one step before."""

import torch
from torch import Tensor
from torch.nn import functional

from ups_models.batch import Batch
from ups_models.blocks.boundary_convolution import pad
from ups_models.constraints import velocity_of_vorticity
from ups_models.dimensionless import DimensionlessState
from ups_models.geometry import GridGeometry
from ups_models.problem import FrameSpec

MARGIN = 2
"""Cells by which a field is continued for the four-point interpolation."""


def carried_fields(batch: Batch, state: DimensionlessState, frame: FrameSpec, num_parts: int) -> dict[str, Tensor]:
    """Each transported field at the departure points, name -> (B, C, *space), dimensionless.

    Semi-Lagrangian steps (Staniforth & Cote 1991, doi 10.1175/1520-0493(1991)119<2206:SLISFA>2.0.CO;2), each a part of
    the time step: c(X) for X = x - dt u((x + X) / 2), u the velocity half a part later, which is found by the same
    means from the velocity now. They know nothing of diffusion, sources or pressure: that is left to the network.

    Args:
        batch: for its time step and geometry.
        state: the same state, dimensionless.
        frame: of its problem; its `transported` fields are carried.
        num_parts: of a time step.
    """
    moving = {name: state.fields[name] for name in frame.transported}
    if not moving:
        return {}
    with torch.autocast(state.step_size.device.type, enabled=False):
        velocity = state.offset[frame.velocity] + state.scale[frame.velocity] * state.fields[frame.velocity]
        for _ in range(num_parts):
            now = _velocity_of(moving, velocity, state, frame)
            half_way = _carry(moving, _cells(now, batch, state) / (2 * num_parts), state.geometry)
            middle = _velocity_of(half_way, velocity, state, frame)
            moving = _carry(moving, _cells(middle, batch, state) / num_parts, state.geometry)
        return moving


def _cells(velocity: Tensor, batch: Batch, state: DimensionlessState) -> Tensor:
    """(B, D, *space) cells by which a velocity moves in one step, seen from the moving frame."""
    ones = (1,) * state.geometry.num_dimensions
    size = torch.tensor(state.geometry.cell_size, device=velocity.device).reshape(1, -1, *ones)
    cells = velocity * batch.time_step.reshape(-1, 1, *ones) / size
    return cells if state.shift is None else cells - state.shift.reshape(*state.shift.shape, *ones)


def _velocity_of(
    carried: dict[str, Tensor], velocity: Tensor, state: DimensionlessState, frame: FrameSpec
) -> Tensor:
    """The velocity that belongs to carried fields; that of the state, where they do not tell."""
    if frame.velocity in carried:
        return state.offset[frame.velocity] + state.scale[frame.velocity] * carried[frame.velocity]
    if frame.vorticity is not None and frame.vorticity in carried:
        change = state.scale[frame.vorticity] * (carried[frame.vorticity] - state.fields[frame.vorticity])
        return velocity + velocity_of_vorticity(change, state.geometry)
    return velocity


def _carry(fields: dict[str, Tensor], cells: Tensor, geometry: GridGeometry) -> dict[str, Tensor]:
    """Fields at the departure points of a displacement (B, D, *space) in cells."""
    axes = [torch.arange(float(number), device=cells.device) for number in geometry.shape]
    nodes = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    middle = nodes - 0.5 * _at(cells, nodes - 0.5 * cells, geometry)
    departure = nodes - _at(cells, middle, geometry)
    stacked = _at(torch.cat(list(fields.values()), dim=1), departure, geometry)
    return dict(zip(fields, stacked.split([field.shape[1] for field in fields.values()], dim=1), strict=True))


def _at(field: Tensor, positions: Tensor, geometry: GridGeometry) -> Tensor:
    """(B, C, *space) at positions (B, D, *space) in cells: as torch has it, cubic in 1D and 2D, linear in 3D."""
    padded = pad(field, MARGIN, geometry.boundary)
    axes = []
    for axis, cells in enumerate(geometry.shape):
        along = positions[:, axis]
        inside = along.remainder(cells) if geometry.is_periodic[axis] else along.clamp(0, cells - 1)
        axes.append((2 * (inside + MARGIN) + 1) / (cells + 2 * MARGIN) - 1)
    if geometry.num_dimensions == 1:
        axes, padded = [torch.zeros_like(axes[0])[:, None], axes[0][:, None]], padded[:, :, None]
    grid = torch.stack(axes[::-1], dim=-1)  # the library's order: the last axis first
    mode = "bilinear" if geometry.num_dimensions == 3 else "bicubic"
    taken = functional.grid_sample(padded, grid, mode=mode, padding_mode="border", align_corners=False)
    return taken.reshape(*field.shape)

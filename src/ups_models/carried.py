"""The fields as the flow carries them on while they diffuse and are forced: what the card says of the next frame."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from ups_models.batch import Batch
from ups_models.blocks.boundary_convolution import pad
from ups_models.constraints import velocity_of_vorticity
from ups_models.dimensionless import DimensionlessState
from ups_models.forcing import forced_change, forced_field
from ups_models.geometry import GridGeometry
from ups_models.physical_fields import cells_per_step, physical_field
from ups_models.problem import FrameSpec

MARGIN = 2
"""Cells by which a field is continued for the four-point interpolation."""


def carried_fields(
    batch: Batch, state: DimensionlessState, frame: FrameSpec, num_parts: int, rates: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Each transported field after one step, name -> (B, C, *space), dimensionless.

    Semi-Lagrangian steps (Staniforth & Cote 1991, doi 10.1175/1520-0493(1991)119<2206:SLISFA>2.0.CO;2), each a part of
    the time step: c(X) for X = x - dt u((x + X) / 2), u the velocity half a part later, extrapolated from this part's
    and the one's before (at the first part, from half a step). Velocities are interpolated linearly, fields by cubics.
    Half of what diffusion and the declared force do in a part comes before the carrying and half after it (Strang 1968,
    doi 10.1137/0705041). Of other sources and of pressure nothing is known here.

    Args:
        batch: for its time step and geometry.
        state: the same state, dimensionless.
        frame: of its problem; its `transported` fields are carried.
        num_parts: of a time step.
        rates: name -> (B, 1, *half spectrum) what diffusion does to the logarithm of each wave in one step; fields
            without one do not diffuse.
    """
    moving = {name: state.fields[name] for name in frame.transported}
    if not moving:
        return {}
    with torch.autocast(state.step_size.device.type, enabled=False):
        known = physical_field(frame.velocity, state.fields[frame.velocity], state)
        decays = {name: (rate / (2 * num_parts)).exp() for name, rate in rates.items()}
        forced = forced_field(frame)
        forces = {forced: forced_change(batch, state, frame) / (2 * num_parts)} if forced in moving else {}
        moving = _forced(_diffused(moving, decays), forces)
        before = _velocity_of(moving, known, state, frame)
        half_way = _carry(moving, cells_per_step(before, batch, state) / (2 * num_parts), state.geometry)
        middle = _velocity_of(half_way, known, state, frame)
        for part in range(num_parts):
            if part > 0:
                moving = _forced(_diffused(moving, {name: decay**2 for name, decay in decays.items()}), forces)
                now = _velocity_of(moving, known, state, frame)
                before, middle = now, now + (now - before) / 2
            moving = _forced(_carry(moving, cells_per_step(middle, batch, state) / num_parts, state.geometry), forces)
        return _diffused(moving, decays)


def _diffused(fields: Mapping[str, Tensor], decays: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: _decayed(field, decays[name]) if name in decays else field for name, field in fields.items()}


def _decayed(field: Tensor, decay: Tensor) -> Tensor:
    axes = tuple(range(2, field.ndim))
    return torch.fft.irfftn(torch.fft.rfftn(field, dim=axes) * decay, s=field.shape[2:], dim=axes)


def _forced(fields: Mapping[str, Tensor], forces: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: field + forces[name] if name in forces else field for name, field in fields.items()}


def _velocity_of(
    carried: dict[str, Tensor], velocity: Tensor, state: DimensionlessState, frame: FrameSpec
) -> Tensor:
    """The velocity that belongs to carried fields; that of the state, where they do not tell."""
    if frame.velocity in carried:
        return physical_field(frame.velocity, carried[frame.velocity], state)
    if frame.vorticity is not None and frame.vorticity in carried:
        change = state.scale[frame.vorticity] * (carried[frame.vorticity] - state.fields[frame.vorticity])
        return velocity + velocity_of_vorticity(change, state.geometry)
    return velocity


def _carry(fields: dict[str, Tensor], cells: Tensor, geometry: GridGeometry) -> dict[str, Tensor]:
    """Fields at the departure points of a displacement (B, D, *space) in cells.

    What the interpolation changes between nodes and departure points is added to the field itself: the round-off of a
    place, which a shock magnifies, is the same in both, so that where nothing moves nothing changes.
    """
    axes = [torch.arange(float(number), device=cells.device, dtype=cells.dtype) for number in geometry.shape]
    nodes = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    middle = nodes - 0.5 * _at(cells, nodes - 0.5 * cells, geometry, is_cubic=False)
    departure = nodes - _at(cells, middle, geometry, is_cubic=False)
    start, is_cubic = torch.cat(list(fields.values()), dim=1), geometry.num_dimensions < 3
    there, here = (_at(start, places, geometry, is_cubic) for places in (departure, nodes.expand_as(departure)))
    stacked = start + (there - here)
    return dict(zip(fields, stacked.split([field.shape[1] for field in fields.values()], dim=1), strict=True))


def _at(field: Tensor, positions: Tensor, geometry: GridGeometry, is_cubic: bool) -> Tensor:
    """(B, C, *space) at positions (B, D, *space) in cells, by cubics (not in 3D) or linearly.

    Cubic convolution (Keys 1981, doi 10.1109/TASSP.1981.1163711) with a = -1/2, the only one of its kernels that is
    exact for parabolas, is 1/3 of the one with a = 0 and 2/3 of the one with a = -3/4. torch has the latter; the former
    is linear interpolation at places smoothed between the nodes. In 2D this leaves out a mixed term of second order.
    """
    padded = pad(field, MARGIN, geometry.boundary)
    places = []
    for axis, cells in enumerate(geometry.shape):
        along = positions[:, axis]
        places.append(MARGIN + (along.remainder(cells) if geometry.is_periodic[axis] else along.clamp(0, cells - 1)))
    if not is_cubic:
        return _sampled(padded, places, "bilinear").reshape(field.shape)
    smoothed = [place.floor() + _smoothstep(place - place.floor()) for place in places]
    taken = _sampled(padded, smoothed, "bilinear") / 3 + _sampled(padded, places, "bicubic") * (2 / 3)
    return taken.reshape(field.shape)


def _sampled(padded: Tensor, places: list[Tensor], mode: str) -> Tensor:
    """A padded field at places in its cells, one tensor (B, *space) for each axis, as torch interpolates."""
    axes = [(2 * place + 1) / cells - 1 for place, cells in zip(places, padded.shape[2:], strict=True)]
    if len(axes) == 1:
        axes, padded = [torch.zeros_like(axes[0])[:, None], axes[0][:, None]], padded[:, :, None]
    grid = torch.stack(axes[::-1], dim=-1)  # the library's order: the last axis first
    return functional.grid_sample(padded, grid, mode=mode, padding_mode="border", align_corners=False)


def _smoothstep(part: Tensor) -> Tensor:
    return part * part * (3 - 2 * part)

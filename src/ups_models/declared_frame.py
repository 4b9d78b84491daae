"""A state in its own units, as its card's `frame` allows.

With the domain's extent L and r^2 = rms(u - m)^2 + L rms(f), a field of units m^a s^b is divided by L^(a+b) r^(-b). A
Galilean-invariant problem is seen in the frame of its mean velocity m, in whole cells; a field in which the equations
are linear is measured in its own mean and rms. So scaled problems have scaled answers, to round-off.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Batch
from ups_models.dimensionless import DimensionlessState
from ups_models.problem import Problem
from ups_models.space_means import mean_square, spatial_mean

TINY = 1e-12
"""Added to dimensionless numbers before the logarithm, so that a step of zero length has a finite one."""

ROUND_OFF = 1e-6
"""Fluctuations below this fraction of a sample's rms are round-off of float32 and set no scale."""


def see_in_own_units(
    batch: Batch,
    problem: Problem,
    present: Mapping[str, Tensor],
    constant: Mapping[str, Tensor],
    sizes: Mapping[str, Tensor],
) -> DimensionlessState:
    """The dimensionless state of a problem whose card declares a frame.

    Args:
        batch: its geometry, parameters and time step.
        problem: with a frame.
        present, constant: name -> (B, C, *space), physical.
        sizes: name -> () rms of each field in its sample's units over the training split: constants that bring all
            fields to order one.
    """
    frame = problem.frame
    assert frame is not None
    ones = (1,) * problem.num_dimensions
    length = math.prod(batch.geometry.domain_extent) ** (1 / problem.num_dimensions)
    mean = spatial_mean(present[frame.velocity])
    offset = {name: torch.zeros_like(spatial_mean(field)) for name, field in {**present, **constant}.items()}
    offset |= {name: spatial_mean(present[name]) for name in frame.linear}
    if frame.is_galilean_invariant:
        offset[frame.velocity] = mean
    speed = _velocity_scale(present, constant, problem, offset, length)
    scale = {}
    for name, field in {**present, **constant}.items():
        powers = problem.fields[name].powers
        if name in frame.linear or powers is None:
            scale[name] = _fluctuation(field, offset[name])
        else:
            scale[name] = length ** (powers[0] + powers[1]) * speed ** (-powers[1])
    scale = {name: sizes[name] * value.reshape(-1, 1, *ones) for name, value in scale.items()}
    numbers, rate = _dimensionless_numbers(batch, problem, speed, length)
    shift = None
    if frame.is_galilean_invariant:
        shift, remainder = _whole_cells(mean.flatten(1), batch)
        numbers |= {f"shift_{axis}": remainder[:, axis] for axis in range(problem.num_dimensions)}
    fields, constants = scaled(present, offset, scale), scaled(constant, offset, scale)
    step_size = (rate / (1 + rate)).reshape(-1, 1, *ones)
    return DimensionlessState(
        batch.dataset, batch.geometry, fields, constants, numbers, offset, scale, step_size, shift
    )


def _velocity_scale(
    present: Mapping[str, Tensor],
    constant: Mapping[str, Tensor],
    problem: Problem,
    offset: Mapping[str, Tensor],
    length: float,
) -> Tensor:
    """(B,) r, with r^2 = rms(u - m)^2 + L rms(f)."""
    frame = problem.frame
    assert frame is not None
    square = _fluctuation(present[frame.velocity], offset[frame.velocity]).square()
    if frame.forcing is not None:
        square = square + length * mean_square(constant[frame.forcing]).sqrt()
    return square.sqrt()


def _dimensionless_numbers(
    batch: Batch, problem: Problem, speed: Tensor, length: float
) -> tuple[dict[str, Tensor], Tensor]:
    """The numbers p dt^(-b) L^(-a), and the rate of change (2 pi r / L + sum of p (2 pi / L)^a) dt."""
    rate = 2 * math.pi * speed * batch.time_step / length
    numbers = {"courant": _scaled_logarithm(speed * batch.time_step / length)}
    for name, spec in problem.parameters.items():
        if spec.powers is None:
            numbers[name] = (torch.log10(batch.parameters[name].abs() + TINY) - spec.log_centre) / spec.log_spread
            continue
        number = batch.parameters[name] * batch.time_step ** (-spec.powers[1]) / length ** spec.powers[0]
        numbers[name] = _scaled_logarithm(number)
        if spec.powers[1] == -1:
            rate = rate + number * (2 * math.pi) ** spec.powers[0]
    return numbers, rate


def _whole_cells(mean: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """(B, D) whole cells that the mean velocity moves in one step, and the remaining part of a cell."""
    size = torch.tensor(batch.geometry.cell_size, dtype=mean.dtype, device=mean.device)
    cells = mean * batch.time_step[:, None] / size
    whole = cells.round()
    return whole.long(), cells - whole


def _scaled_logarithm(number: Tensor) -> Tensor:
    """A positive number between 1e-8 and 1e2, as one of order one."""
    return (torch.log10(number + TINY).clamp(-8.0, 2.0) + 3.0) / 1.5


def _fluctuation(field: Tensor, offset: Tensor) -> Tensor:
    """(B,) rms of a field about its offset, never below the round-off of its own rms.

    One root, above a floor: the root of zero has an infinite slope, and a rollout is differentiated through its states.
    """
    return (mean_square(field - offset) + ROUND_OFF**2 * mean_square(field) + 1e-30).sqrt()


def scaled(
    fields: Mapping[str, Tensor], offset: Mapping[str, Tensor], scale: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """(field - offset) / scale, name by name."""
    return {name: (field - offset[name]) / scale[name] for name, field in fields.items()}

"""Units change here and nowhere else: physical -> dimensionless, and the network's output -> the next physical state.

Two frames, one interface:

- *standard*: each field loses its training mean and is divided by its training standard deviation.
- *declared*: each sample is measured in its own units, as its card's `frame` allows. With the domain's extent L and
  r^2 = rms(u - m)^2 + L rms(f), a field of units m^a s^b is divided by L^(a+b) r^(-b). A Galilean-invariant problem
  is seen in the frame of its mean velocity m, in whole cells; a field in which the equations are linear is
  measured in its own mean and rms. So scaled problems have scaled answers, to round-off.

In both, a residual prediction is `u(t + dt) = u(t) + scale s delta f`, where `delta(dt)` vanishes with dt and `s` is
the training rms of the increment in these units, so that f is of order one.
"""

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from ups_models.batch import Batch, Fields
from ups_models.dimensionless import DimensionlessState
from ups_models.interfaces import AbstractNormaliser
from ups_models.problem import Problem, Problems

TINY = 1e-12
"""Added to dimensionless numbers before the logarithm, so that a step of zero length has a finite one."""

ROUND_OFF = 1e-6
"""Fluctuations below this fraction of a sample's rms are round-off of float32 and set no scale."""


class Normaliser(AbstractNormaliser):
    """The two changes of units of one model, with the statistics of each of its datasets as buffers.

    Args:
        problems: dataset name -> Problem.
        frame: `declared` or `standard`; a dataset whose card declares none gets the standard one.
        prediction: `residual` or `direct`.
    """

    def __init__(
        self, problems: Problems, frame: Literal["declared", "standard"], prediction: Literal["residual", "direct"]
    ) -> None:
        super().__init__()
        self.problems, self.frame, self.prediction = dict(problems), frame, prediction
        for dataset, problem in self.problems.items():
            for name, spec in problem.fields.items():
                self.register_buffer(_key(dataset, name, "mean"), torch.zeros(spec.num_components))
                self.register_buffer(_key(dataset, name, "std"), torch.ones(()))
                self.register_buffer(_key(dataset, name, "increment"), torch.ones(()))

    def statistic(self, dataset: str, field: str, name: str) -> Tensor:
        """`mean` (C,), `std` () or `increment` () of one field of one dataset."""
        return self.get_buffer(_key(dataset, field, name))

    def set_statistics(self, dataset: str, means: Mapping[str, Tensor], stds: Mapping[str, Tensor]) -> None:
        """Take over the training split's mean (C,) and standard deviation (C,); components share one scale."""
        for name in self.problems[dataset].fields:
            self.statistic(dataset, name, "mean").copy_(means[name])
            self.statistic(dataset, name, "std").copy_(stds[name].square().mean().sqrt().clamp_min(1e-30))

    def fit_increments(self, pairs: Batch) -> None:
        """Measure the rms of the dimensionless increment between the first two frames of a large training batch."""
        state = self.to_dimensionless(pairs.window(0, 1))
        target = _moved(pairs.window(1, 2).fields, state, -1)
        for name, field in state.fields.items():
            increment = (target[name] - state.offset[name]) / state.scale[name] - field
            rms = (increment / state.step_size).square().mean().sqrt()
            self.statistic(pairs.dataset, name, "increment").copy_(rms)

    def to_dimensionless(self, batch: Batch) -> DimensionlessState:
        """Frame 0 of a batch in dimensionless fields and numbers."""
        problem = self.problems[batch.dataset]
        present = {name: _channels_first(field[:, 0]) for name, field in batch.fields.items()}
        constant = {name: _channels_first(field) for name, field in batch.constant_fields.items()}
        if self.frame == "declared" and problem.frame is not None:
            return _declared(batch, problem, present, constant)
        return self._standard(batch, problem, present, constant)

    def to_physical(self, outputs: Mapping[str, Tensor], state: DimensionlessState) -> Fields:
        """The next state from the network's outputs (B, C, *space), name by name."""
        conserved = self._conserved_means(state.dataset)
        following: Fields = {}
        for name, output in outputs.items():
            field, scale = state.fields[name], state.scale[name]
            if self.prediction == "residual":
                change = output * (state.step_size * self.statistic(state.dataset, name, "increment"))
            else:
                change = output - field
            change = change - _spatial_mean(change) if name in conserved else change
            following[name] = (state.offset[name] + scale * field) + scale * change
        return _channels_last(_rolled(following, state.shift, 1))

    def number_names(self, problem: Problem) -> tuple[str, ...]:
        """The names of the numbers of this frame's states of a problem, in their order."""
        if self.frame == "standard" or problem.frame is None:
            return tuple(problem.parameters)
        axes = range(problem.num_dimensions) if problem.frame.is_galilean_invariant else ()
        return ("courant", *problem.parameters, *(f"shift_{axis}" for axis in axes))

    def _conserved_means(self, dataset: str) -> tuple[str, ...]:
        frame = self.problems[dataset].frame
        return frame.conserved_means if frame is not None and self.frame == "declared" else ()

    def _standard(
        self, batch: Batch, problem: Problem, present: Mapping[str, Tensor], constant: Mapping[str, Tensor]
    ) -> DimensionlessState:
        ones = (1,) * problem.num_dimensions
        offset = {name: self.statistic(batch.dataset, name, "mean").reshape(1, -1, *ones) for name in problem.fields}
        scale = {name: self.statistic(batch.dataset, name, "std").reshape(1, 1, *ones) for name in problem.fields}
        numbers = {
            name: (torch.log10(batch.parameters[name].abs() + TINY) - spec.log_centre) / spec.log_spread
            for name, spec in problem.parameters.items()
        }
        fields, constants = _scaled(present, offset, scale), _scaled(constant, offset, scale)
        step_size = (batch.time_step / problem.time_step).reshape(-1, 1, *ones)
        return DimensionlessState(
            batch.dataset, batch.geometry, fields, constants, numbers, offset, scale, step_size, None
        )


def _declared(
    batch: Batch, problem: Problem, present: Mapping[str, Tensor], constant: Mapping[str, Tensor]
) -> DimensionlessState:
    frame = problem.frame
    assert frame is not None
    ones = (1,) * problem.num_dimensions
    length = math.prod(batch.geometry.domain_extent) ** (1 / problem.num_dimensions)
    mean = _spatial_mean(present[frame.velocity])
    offset = {name: torch.zeros_like(_spatial_mean(field)) for name, field in {**present, **constant}.items()}
    offset |= {name: _spatial_mean(present[name]) for name in frame.linear}
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
    scale = {name: value.reshape(-1, 1, *ones) for name, value in scale.items()}
    numbers, rate = _dimensionless_numbers(batch, problem, speed, length)
    shift = None
    if frame.is_galilean_invariant:
        shift, remainder = _whole_cells(mean.flatten(1), batch)
        numbers |= {f"shift_{axis}": remainder[:, axis] for axis in range(problem.num_dimensions)}
    fields, constants = _scaled(present, offset, scale), _scaled(constant, offset, scale)
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
        square = square + length * _mean_square(constant[frame.forcing]).sqrt()
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


def _rolled(fields: Mapping[str, Tensor], shift: Tensor | None, sign: int) -> dict[str, Tensor]:
    """Periodic roll of (B, C, *space) by a whole number of cells of each sample's own."""
    if shift is None:
        return dict(fields)
    rolled = dict(fields)
    for axis in range(shift.shape[1]):
        for name, field in rolled.items():
            dimension = axis + 2
            cells = field.shape[dimension]
            index = (torch.arange(cells, device=field.device) - sign * shift[:, axis, None]) % cells
            index = index.reshape(len(index), *(cells if d == dimension else 1 for d in range(1, field.ndim)))
            rolled[name] = field.gather(dimension, index.expand(field.shape))
    return rolled


def _moved(fields: Fields, state: DimensionlessState, sign: int) -> dict[str, Tensor]:
    return _rolled({name: _channels_first(field[:, 0]) for name, field in fields.items()}, state.shift, sign)


def _scaled(
    fields: Mapping[str, Tensor], offset: Mapping[str, Tensor], scale: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    return {name: (field - offset[name]) / scale[name] for name, field in fields.items()}


def _scaled_logarithm(number: Tensor) -> Tensor:
    """A positive number between 1e-8 and 1e2, as one of order one."""
    return (torch.log10(number + TINY).clamp(-8.0, 2.0) + 3.0) / 1.5


def _fluctuation(field: Tensor, offset: Tensor) -> Tensor:
    """(B,) rms of a field about its offset, never below the round-off of its own rms.

    One root, above a floor: the root of zero has an infinite slope, and a rollout is differentiated through its states.
    """
    return (_mean_square(field - offset) + ROUND_OFF**2 * _mean_square(field) + 1e-30).sqrt()


def _mean_square(field: Tensor) -> Tensor:
    """(B,) mean over space of the squared length of a vector."""
    return field.square().sum(1).flatten(1).mean(1)


def _spatial_mean(field: Tensor) -> Tensor:
    return field.mean(dim=tuple(range(2, field.ndim)), keepdim=True)


def _channels_first(field: Tensor) -> Tensor:
    return field.movedim(-1, 1)


def _channels_last(fields: Mapping[str, Tensor]) -> Fields:
    return {name: field.movedim(1, -1)[:, None] for name, field in fields.items()}


def _key(dataset: str, field: str, statistic: str) -> str:
    return f"{dataset}__{field}__{statistic}"

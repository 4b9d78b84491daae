"""Units change here and nowhere else: physical -> dimensionless, and the network's output -> the next physical state.

Two frames, one interface:

- *standard*: each field loses its training mean and is divided by its training standard deviation.
- *declared*: each sample is measured in its own units, and the next state obeys what the card declares.

In both, a residual prediction is `u(t + dt) = u(t) + scale s delta f`, where `delta(dt)` vanishes with dt and `s` is
the training rms of the increment in these units, so that f is of order one.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from ups_models.batch import Batch, Fields
from ups_models.constraints import keep_mean, limit_fluctuation, velocity_of_vorticity
from ups_models.declared_frame import TINY, scaled, see_in_own_units
from ups_models.dimensionless import DimensionlessState
from ups_models.interfaces import AbstractNormaliser
from ups_models.problem import FieldSpec, FrameSpec, Problem, Problems


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
                self.register_buffer(_key(dataset, name, "size"), torch.ones(()))
                self.register_buffer(_key(dataset, name, "increment"), torch.ones(()))

    def statistic(self, dataset: str, field: str, name: str) -> Tensor:
        """`mean` (C,), `std` (), `size` () or `increment` () of one field of one dataset."""
        return self.get_buffer(_key(dataset, field, name))

    def set_statistics(self, dataset: str, means: Mapping[str, Tensor], stds: Mapping[str, Tensor]) -> None:
        """Take over the training split's mean (C,) and standard deviation (C,); components share one scale."""
        for name in self.problems[dataset].fields:
            self.statistic(dataset, name, "mean").copy_(means[name])
            self.statistic(dataset, name, "std").copy_(stds[name].square().mean().sqrt().clamp_min(1e-30))

    def fit_increments(self, pairs: Batch) -> None:
        """Measure, over many training windows, the rms of the dimensionless fields, then of their increments."""
        state = self.to_dimensionless(pairs.window(0, 1))
        for name, field in {**state.fields, **state.constant_fields}.items():
            if self.frame_of(self.problems[pairs.dataset]) is not None:
                self.statistic(pairs.dataset, name, "size").mul_(field.square().mean().sqrt())
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
        if self.frame_of(problem) is None:
            return self._standard(batch, problem, present, constant)
        sizes = {name: self.statistic(batch.dataset, name, "size") for name in problem.fields}
        return see_in_own_units(batch, problem, present, constant, sizes)

    def changes(self, outputs: Mapping[str, Tensor], state: DimensionlessState) -> dict[str, Tensor]:
        """Dimensionless changes from the network's outputs (B, C, *space), one for each of `output_fields`."""
        if self.prediction == "direct":
            return {name: output - state.fields[name] for name, output in outputs.items()}
        return {name: output * self.change_scale(name, state) for name, output in outputs.items()}

    def change_scale(self, name: str, state: DimensionlessState) -> Tensor:
        """(B, 1, 1...) the size of a field's change in one step, zero for a step of zero length."""
        return state.step_size * self.statistic(state.dataset, name, "increment")

    def to_physical(self, changes: Mapping[str, Tensor], state: DimensionlessState) -> Fields:
        """The next state from dimensionless changes, with all that the frame declares."""
        before = {name: state.offset[name] + state.scale[name] * field for name, field in state.fields.items()}
        physical = {name: state.scale[name] * change for name, change in changes.items()}
        following = self._constrained(before, physical, state)
        return _channels_last(rolled(following, state.shift, 1))

    def frame_of(self, problem: Problem) -> FrameSpec | None:
        """The frame in which a problem is seen, if it is a declared one."""
        return problem.frame if self.frame == "declared" else None

    def number_names(self, problem: Problem) -> tuple[str, ...]:
        """The names of the numbers of this frame's states of a problem, in their order."""
        frame = self.frame_of(problem)
        if frame is None:
            return tuple(problem.parameters)
        axes = range(problem.num_dimensions) if frame.is_galilean_invariant else ()
        return ("courant", *problem.parameters, *(f"shift_{axis}" for axis in axes))

    def output_fields(self, problem: Problem) -> dict[str, FieldSpec]:
        """The variable fields that a network gives; a velocity that follows from its vorticity is not one."""
        fields, frame = problem.variable_fields, self.frame_of(problem)
        if frame is None or frame.vorticity is None:
            return fields
        return {name: spec for name, spec in fields.items() if name != frame.velocity}

    def _constrained(
        self, before: Mapping[str, Tensor], changes: Mapping[str, Tensor], state: DimensionlessState
    ) -> dict[str, Tensor]:
        """The state after physical changes, with all that the frame declares."""
        frame = self.frame_of(self.problems[state.dataset])
        if frame is None:
            return {name: before[name] + change for name, change in changes.items()}
        changes = {n: keep_mean(change) if n in frame.conserved_means else change for n, change in changes.items()}
        if frame.vorticity is not None:
            velocity = velocity_of_vorticity(changes[frame.vorticity], state.geometry)
            changes = {frame.velocity: velocity, **changes}
        following = {name: before[name] + changes[name] for name in before}
        limited = {name: limit_fluctuation(following[name], before[name]) for name in frame.dissipated}
        return {**following, **limited}

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
        fields, constants = scaled(present, offset, scale), scaled(constant, offset, scale)
        step_size = (batch.time_step / problem.time_step).reshape(-1, 1, *ones)
        return DimensionlessState(
            batch.dataset, batch.geometry, fields, constants, numbers, offset, scale, step_size, None
        )


def rolled(fields: Mapping[str, Tensor], shift: Tensor | None, sign: int) -> dict[str, Tensor]:
    """Periodic roll of (B, C, *space) by a whole number of cells of each sample's own."""
    if shift is None:
        return dict(fields)
    turned = dict(fields)
    for axis in range(shift.shape[1]):
        for name, field in turned.items():
            dimension = axis + 2
            cells = field.shape[dimension]
            index = (torch.arange(cells, device=field.device) - sign * shift[:, axis, None]) % cells
            index = index.reshape(len(index), *(cells if d == dimension else 1 for d in range(1, field.ndim)))
            turned[name] = field.gather(dimension, index.expand(field.shape))
    return turned


def _moved(fields: Fields, state: DimensionlessState, sign: int) -> dict[str, Tensor]:
    return rolled({name: _channels_first(field[:, 0]) for name, field in fields.items()}, state.shift, sign)


def _channels_first(field: Tensor) -> Tensor:
    return field.movedim(-1, 1)


def _channels_last(fields: Mapping[str, Tensor]) -> Fields:
    return {name: field.movedim(1, -1)[:, None] for name, field in fields.items()}


def _key(dataset: str, field: str, statistic: str) -> str:
    return f"{dataset}__{field}__{statistic}"

"""A state as one stack of channels, for networks that know channels by position."""

import torch
from torch import Tensor

from ups_models.dimensionless import DimensionlessState
from ups_models.problem import Problem


def stack_channels(state: DimensionlessState) -> Tensor:
    """(B, F, *space): fields, constant fields, and each number as a constant channel."""
    stacked = torch.cat([*state.fields.values(), *state.constant_fields.values()], dim=1)
    space = stacked.shape[2:]
    numbers = [number.reshape(-1, 1, *(1,) * len(space)).expand(-1, 1, *space) for number in state.numbers.values()]
    return torch.cat([stacked, *numbers], dim=1)


def unstack_channels(stacked: Tensor, problem: Problem) -> dict[str, Tensor]:
    """(B, F, *space) -> variable field name -> (B, C, *space)."""
    fields = problem.variable_fields
    parts = stacked.split([spec.num_components for spec in fields.values()], dim=1)
    return dict(zip(fields, parts, strict=True))


def stacked_widths(problem: Problem, num_numbers: int) -> tuple[int, int]:
    """Number of channels into and out of a network."""
    components = sum(spec.num_components for spec in problem.fields.values())
    return components + num_numbers, sum(spec.num_components for spec in problem.variable_fields.values())

"""A state as one stack of channels, for networks that know channels by position."""

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from ups_models.problem import Problem


class StackableState(Protocol):
    """What is stacked: see `ups_models.normaliser.DimensionlessState`."""

    @property
    def fields(self) -> Mapping[str, Tensor]: ...  # noqa: D102
    @property
    def constant_fields(self) -> Mapping[str, Tensor]: ...  # noqa: D102
    @property
    def numbers(self) -> Mapping[str, Tensor]: ...  # noqa: D102


def stack_channels(state: StackableState) -> Tensor:
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

"""A state as one stack of channels, for networks that know channels by position."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.dimensionless import DimensionlessState
from ups_models.problem import FieldSpec


def stack_channels(state: DimensionlessState) -> Tensor:
    """(B, F, *space): fields, constant fields, and each number as a constant channel."""
    stacked = torch.cat([*state.fields.values(), *state.constant_fields.values()], dim=1)
    space = stacked.shape[2:]
    numbers = [number.reshape(-1, 1, *(1,) * len(space)).expand(-1, 1, *space) for number in state.numbers.values()]
    return torch.cat([stacked, *numbers], dim=1)


def unstack_channels(stacked: Tensor, fields: Mapping[str, FieldSpec]) -> dict[str, Tensor]:
    """(B, F, *space) -> field name -> (B, C, *space)."""
    parts = stacked.split([spec.num_components for spec in fields.values()], dim=1)
    return dict(zip(fields, parts, strict=True))


def num_channels(fields: Mapping[str, FieldSpec]) -> int:
    """Number of channels of some fields."""
    return sum(spec.num_components for spec in fields.values())

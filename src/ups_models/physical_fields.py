"""A dimensionless state's fields in physical units again, and what its flow moves by on the grid."""

import torch
from torch import Tensor

from ups_models.batch import Batch
from ups_models.dimensionless import DimensionlessState


def physical_field(name: str, field: Tensor, state: DimensionlessState) -> Tensor:
    """A dimensionless field of this name, (B, C, *space), in the units of the state's physical one."""
    return state.offset[name] + state.scale[name] * field


def cells_per_step(velocity: Tensor, batch: Batch, state: DimensionlessState) -> Tensor:
    """(B, D, *space) cells by which a velocity in m/s moves in one step, seen from the moving frame."""
    ones = (1,) * state.geometry.num_dimensions
    size = torch.tensor(state.geometry.cell_size, dtype=velocity.dtype, device=velocity.device).reshape(1, -1, *ones)
    cells = velocity * batch.time_step.reshape(-1, 1, *ones) / size
    return cells if state.shift is None else cells - state.shift.reshape(*state.shift.shape, *ones)

"""Means over space of fields (B, C, *space)."""

from torch import Tensor


def spatial_mean(field: Tensor) -> Tensor:
    """(B, C, 1...) mean of each component."""
    return field.mean(dim=tuple(range(2, field.ndim)), keepdim=True)


def mean_square(field: Tensor) -> Tensor:
    """(B,) mean over space of the squared length of a vector."""
    return field.square().sum(1).flatten(1).mean(1)

"""Values of a grid's field at any points, by Lagrange polynomials on the nearest nodes."""

import math

import torch
from torch import Tensor

from ups_models.geometry import GridGeometry


def interpolate(field: Tensor, points: Tensor, geometry: GridGeometry, num_taps: int) -> Tensor:
    """Interpolate along each axis through `num_taps` nodes, exact for polynomials of degree `num_taps - 1`.

    Args:
        field: (B, C, *space) values at the cells' centres.
        points: (B, N, D) positions, in the geometry's length unit; periodic axes wrap, others repeat their last value.
        geometry: where the nodes are.
        num_taps: even.

    Returns:
        (B, C, N) values; at a node, that node's value to round-off.
    """
    positions = node_positions(points, geometry)
    index, weight = torch.zeros_like(positions[..., :1]).long(), torch.ones_like(positions[..., :1])
    for axis, cells in enumerate(geometry.shape):
        along, weights = _axis_taps(positions[..., axis], cells, geometry.is_periodic[axis], num_taps)
        index = (index[..., None] * cells + along[..., None, :]).flatten(-2)
        weight = (weight[..., None] * weights[..., None, :]).flatten(-2)
    taken = index.flatten(1)[:, None].expand(-1, field.shape[1], -1)
    values = field.flatten(2).gather(2, taken).unflatten(2, index.shape[1:])
    return (values * weight[:, None]).sum(dim=-1)


def node_positions(points: Tensor, geometry: GridGeometry) -> Tensor:
    """(B, N, D) points in units of cells, whole numbers at the nodes."""
    low = torch.tensor([low for low, _ in geometry.extent], dtype=points.dtype, device=points.device)
    size = torch.tensor(geometry.cell_size, dtype=points.dtype, device=points.device)
    return (points - low) / size - 0.5


def _axis_taps(position: Tensor, cells: int, is_periodic: bool, num_taps: int) -> tuple[Tensor, Tensor]:
    """(B, N, taps) indices of the nodes around each position, and their weights."""
    base = position.floor()
    offsets = torch.arange(num_taps, device=position.device) - (num_taps // 2 - 1)
    index = base[..., None].long() + offsets
    index = index % cells if is_periodic else index.clamp(0, cells - 1)
    return index, _lagrange_weights(position - base, offsets.tolist())


def _lagrange_weights(inside: Tensor, offsets: list[int]) -> Tensor:
    """prod over m != j of (t - m) / (j - m), for each offset j; t in [0, 1)."""
    weights = []
    for own in offsets:
        others = [other for other in offsets if other != own]
        factors = torch.stack([inside - other for other in others], dim=-1).prod(dim=-1)
        weights.append(factors / math.prod(own - other for other in others))
    return torch.stack(weights, dim=-1)

"""Where the values stand: the geometry that all samples of a batch share."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class GridGeometry:
    """A regular grid of equal cells.

    Attributes:
        shape: number of cells along each axis.
        extent: low and high end of each axis, in the dataset's length unit.
        boundary: kind of boundary at the low and the high end of each axis.
    """

    shape: tuple[int, ...]
    extent: tuple[tuple[float, float], ...]
    boundary: tuple[tuple[str, str], ...]

    @property
    def num_dimensions(self) -> int:
        """Number of spatial axes, D."""
        return len(self.shape)

    @property
    def num_cells(self) -> int:
        """Number of cells, N."""
        return math.prod(self.shape)

    @property
    def domain_extent(self) -> tuple[float, ...]:
        """Length of each axis, in the dataset's length unit."""
        return tuple(high - low for low, high in self.extent)

    @property
    def cell_size(self) -> tuple[float, ...]:
        """Edge of a cell along each axis."""
        return tuple(length / cells for length, cells in zip(self.domain_extent, self.shape, strict=True))

    @property
    def is_periodic(self) -> tuple[bool, ...]:
        """For each axis, whether it closes on itself."""
        return tuple(pair == ("periodic", "periodic") for pair in self.boundary)

    def coordinates(self, axis: int) -> Tensor:
        """(N_axis,) cell centres along one axis."""
        low, size = self.extent[axis][0], self.cell_size[axis]
        return low + size * (torch.arange(self.shape[axis], dtype=torch.float64) + 0.5)

    def scaled(self, factor: float) -> "GridGeometry":
        """The same grid on a domain `factor` times as long."""
        extent = tuple((low * factor, high * factor) for low, high in self.extent)
        return GridGeometry(self.shape, extent, self.boundary)

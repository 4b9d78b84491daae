"""One trajectory in physical units, between a source and an artifact.

Shapes use one legend: T time, C channels (components of a tensor, row-major), space one axis per dimension.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

BoundaryKind = Literal["periodic", "open", "wall", "dirichlet", "neumann", "robin"]
SplitName = Literal["train", "valid", "test"]


@dataclass(frozen=True, eq=False)
class Axis:
    """One axis of a regular grid.

    Attributes:
        name: `x`, `y` or `z`.
        coordinates: (N,) cell centres, ascending, in the card's length unit.
        extent: the domain's low and high end in the same unit; outside or at the outermost cells' faces.
        boundary: the kind of boundary at the low and at the high end.
    """

    name: str
    coordinates: np.ndarray
    extent: tuple[float, float]
    boundary: tuple[BoundaryKind, BoundaryKind]

    @property
    def is_periodic(self) -> bool:
        """Whether the axis closes on itself."""
        return self.boundary == ("periodic", "periodic")


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular grid: one `Axis` per spatial dimension, in the order of the fields' axes."""

    axes: tuple[Axis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of cells along each axis."""
        return tuple(len(axis.coordinates) for axis in self.axes)


@dataclass(frozen=True, eq=False)
class Domain:
    """One part of space with its fields.

    Attributes:
        geometry: where the values stand.
        fields: name -> (T, *space, C), variable in time; C is 1 for scalars, D for vectors.
        constant_fields: name -> (*space, C), the same at all times.
    """

    geometry: Grid
    fields: Mapping[str, np.ndarray]
    constant_fields: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Sample:
    """One trajectory.

    Attributes:
        trajectory_id: unique in its dataset, and the same for trajectories that share an initial condition
            up to the last `/`, so that splits can keep them together.
        split: the split the source assigned, before anything is shuffled.
        domains: name -> Domain; a single-domain problem calls it `domain`.
        times: (T,) in the card's time unit, ascending; (1,) for a steady problem.
        parameters: physical parameters by name, in the card's units.
    """

    trajectory_id: str
    split: SplitName
    domains: Mapping[str, Domain]
    times: np.ndarray
    parameters: Mapping[str, float]

    @property
    def initial_condition(self) -> str:
        """What no two splits may share."""
        return initial_condition(self.trajectory_id)

    @property
    def domain(self) -> Domain:
        """The only domain of a single-domain trajectory.

        Raises:
            ValueError: when there are several.
        """
        (domain,) = self.domains.values()
        return domain


def initial_condition(trajectory_id: str) -> str:
    """A trajectory's id up to its last `/`."""
    return trajectory_id.rpartition("/")[0] or trajectory_id

"""A batch in physical units: border 1 between the world and the mathematics.

Shapes use one legend: B batch, T time, C channels (components), space one axis per dimension.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from ups_models.geometry import GridGeometry

Fields = dict[str, Tensor]
"""Field name -> (B, T, *space, C), physical units."""


@dataclass(frozen=True)
class Batch:
    """Windows of trajectories of one dataset.

    Attributes:
        dataset: the card's name; it selects the normaliser's statistics.
        geometry: shared by all samples.
        fields: variable fields, (B, T, *space, C); frame 0 is the input, the others (if any) the targets.
        constant_fields: (B, *space, C).
        parameters: physical parameters, (B,) each.
        time_step: (B,) time between two frames.
    """

    dataset: str
    geometry: GridGeometry
    fields: Fields
    constant_fields: Mapping[str, Tensor]
    parameters: Mapping[str, Tensor]
    time_step: Tensor

    @property
    def size(self) -> int:
        """Number of samples, B."""
        return self.time_step.shape[0]

    @property
    def num_frames(self) -> int:
        """Number of frames, T."""
        return next(iter(self.fields.values())).shape[1]

    def window(self, start: int, stop: int) -> "Batch":
        """The same samples, frames `start` to `stop` (excluded)."""
        return replace(self, fields={name: field[:, start:stop] for name, field in self.fields.items()})

    def with_fields(self, fields: Fields) -> "Batch":
        """The same samples in another state."""
        return replace(self, fields=fields)

    def map(self, function: Callable[[Tensor], Tensor]) -> "Batch":
        """Apply `function` to every tensor: a move to a device, a selection of samples."""
        return replace(
            self,
            fields={name: function(tensor) for name, tensor in self.fields.items()},
            constant_fields={name: function(tensor) for name, tensor in self.constant_fields.items()},
            parameters={name: function(tensor) for name, tensor in self.parameters.items()},
            time_step=function(self.time_step),
        )

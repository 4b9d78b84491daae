"""A state in dimensionless fields and numbers: what a network sees, and what leads back to physical units."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from ups_models.geometry import GridGeometry


@dataclass(frozen=True)
class DimensionlessState:
    """What a network sees.

    Attributes:
        dataset: the name of the dataset.
        geometry: of the batch.
        fields, constant_fields: name -> (B, C, *space), dimensionless, components first.
        numbers: name -> (B,), dimensionless numbers of order one.
        offset, scale: name -> (B, C, 1...) and (B, 1, 1...): physical = offset + scale * dimensionless.
        step_size: (B, 1, 1...) delta(dt), zero for dt = 0.
        shift: (B, D) whole cells by which the frame moves in one step.
        carried: fields as the flow carries them in one step, for a network that asks for them (`carried.py`).
    """

    dataset: str
    geometry: GridGeometry
    fields: Mapping[str, Tensor]
    constant_fields: Mapping[str, Tensor]
    numbers: Mapping[str, Tensor]
    offset: Mapping[str, Tensor]
    scale: Mapping[str, Tensor]
    step_size: Tensor
    shift: Tensor | None
    carried: Mapping[str, Tensor] = field(default_factory=dict)

    def first(self, count: int) -> "DimensionlessState":
        """The first samples."""
        parts = {
            name: {key: tensor[:count] for key, tensor in getattr(self, name).items()}
            for name in ("fields", "constant_fields", "numbers", "offset", "scale", "carried")
        }
        shift = None if self.shift is None else self.shift[:count]
        return replace(self, **parts, step_size=self.step_size[:count], shift=shift)


Network = Callable[[DimensionlessState], Mapping[str, Tensor]]
"""Outputs by field name, (B, C, *space)."""

"""What a dataset's card says, as the mathematics needs it: fields, parameters, dimensions of both, and the frame."""

import re
from collections.abc import Mapping

from pydantic import Field

from ups_models.errors import ModelError
from ups_models.interfaces import PartConfig


class FieldSpec(PartConfig):
    """One field: its number of components and the powers of length and time in its units (None: other units)."""

    num_components: int
    is_constant: bool = False
    powers: tuple[int, int] | None = None


class ParameterSpec(PartConfig):
    """One parameter: the powers of length and time in its units, and the centre and spread of its log10."""

    powers: tuple[int, int] | None = None
    log_centre: float = 0.0
    log_spread: float = 1.0


class FrameSpec(PartConfig):
    """The scaling that the equations allow; see `upsctl.frame_card.FrameCard`."""

    velocity: str
    forcing: str | None = None
    is_galilean_invariant: bool = False
    vorticity: str | None = None
    transported: tuple[str, ...] = ()
    conserved_means: tuple[str, ...] = ()
    dissipated: tuple[str, ...] = ()
    linear: tuple[str, ...] = ()


class Problem(PartConfig):
    """One dataset's physics."""

    num_dimensions: int
    time_step: float
    fields: dict[str, FieldSpec]
    parameters: dict[str, ParameterSpec] = Field(default_factory=dict)
    frame: FrameSpec | None = None

    @property
    def variable_fields(self) -> dict[str, FieldSpec]:
        """The fields that change in time, in the card's order."""
        return {name: spec for name, spec in self.fields.items() if not spec.is_constant}

    @property
    def constant_fields(self) -> dict[str, FieldSpec]:
        """The fields that do not, in the card's order."""
        return {name: spec for name, spec in self.fields.items() if spec.is_constant}


Problems = Mapping[str, Problem]
"""Dataset name -> Problem."""


def unit_powers(units: str) -> tuple[int, int] | None:
    """The powers (a, b) of length and time in `m^a s^b`, written like `m2/s`, `1/s` or `m/s2`.

    Returns:
        (a, b), or None where another unit occurs.

    Raises:
        ModelError: when the text is not a product of powers.
    """
    powers = {"m": 0, "s": 0}
    for number, part in enumerate(units.split("/")):
        for factor in part.split():
            match = re.fullmatch(r"([A-Za-z%]+)(-?\d+)?|1", factor)
            if match is None:
                raise ModelError(f"units `{units}`: expected a product like `m2/s`, got `{factor}`")
            name = match[1]
            if name is None:
                continue
            if name not in powers:
                return None
            powers[name] += (1 if number == 0 else -1) * int(match[2] or 1)
    return powers["m"], powers["s"]

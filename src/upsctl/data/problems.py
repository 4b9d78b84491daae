"""A dataset card as the mathematics needs it."""

import hashlib
import math

from ups_models.problem import FieldSpec, FrameSpec, ParameterSpec, Problem, unit_powers
from upsctl.dataset_card import DatasetCard, ParameterCard


def problem_of(card: DatasetCard) -> Problem:
    """The `Problem` of a card: components and dimensions of its fields and parameters, its time step and frame."""
    fields = {
        name: FieldSpec(
            num_components=card.num_components(name),
            is_constant=field.role == "constant",
            powers=unit_powers(field.units),
        )
        for name, field in card.fields.items()
    }
    return Problem(
        num_dimensions=card.num_dimensions,
        time_step=card.time.dt,
        fields=fields,
        parameters={name: _parameter_spec(parameter) for name, parameter in card.parameters.items()},
        frame=FrameSpec.model_validate(card.frame.model_dump()) if card.frame is not None else None,
    )


def problem_digest(problem: Problem) -> str:
    """The first digits of the SHA-256 over a problem: what a model knows of a card, its frame too."""
    return hashlib.sha256(problem.model_dump_json().encode()).hexdigest()[:16]


def _parameter_spec(parameter: ParameterCard) -> ParameterSpec:
    ends = parameter.values or parameter.range
    assert ends is not None
    logarithms = [math.log10(abs(value)) for value in ends if value != 0] or [0.0]
    low, high = min(logarithms), max(logarithms)
    return ParameterSpec(
        powers=unit_powers(parameter.units), log_centre=(low + high) / 2, log_spread=max((high - low) / 2, 0.5)
    )

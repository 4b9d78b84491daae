"""Every loss in the folder: zero on identical fields, free of units, per sample, with finite gradients everywhere."""

import pytest
import torch

from ups_models.batch import Fields
from ups_models.interfaces import AbstractLoss
from ups_models.registry import list_parts, load_part

LOSSES = list_parts("ups_models.losses")
SHAPES = [(24,), (16, 12), (8, 6, 10)]


def load(name: str) -> AbstractLoss:
    return load_part("ups_models.losses", name, AbstractLoss)()


def random_fields(shape: tuple[int, ...], seed: int, num_frames: int = 2) -> Fields:
    generator = torch.Generator().manual_seed(seed)
    components = {"velocity": len(shape), "tracer": 1}
    sizes = {name: (3, num_frames, *shape, count) for name, count in components.items()}
    return {name: torch.randn(size, generator=generator) + 0.3 for name, size in sizes.items()}


def three(shape: tuple[int, ...]) -> tuple[Fields, Fields, Fields]:
    """Prediction, target, reference."""
    return random_fields(shape, 0), random_fields(shape, 1), random_fields(shape, 2, num_frames=1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", LOSSES)
def test_one_number_per_sample_zero_on_identical_and_positive_otherwise(name: str, shape: tuple[int, ...]) -> None:
    prediction, target, reference = three(shape)
    values = load(name)(prediction, target, reference)
    assert values.shape == (3,)
    assert (values > 0.1).all()
    assert load(name)(target, target, reference).abs().max() <= 1e-5


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("name", LOSSES)
def test_units_change_nothing(name: str, factor: float, shape: tuple[int, ...]) -> None:
    """Each field in its own units: all are scaled, then one alone."""
    fields = three(shape)
    expected = load(name)(*fields)
    every = [{key: factor * field for key, field in part.items()} for part in fields]
    one = [{**part, "tracer": factor * part["tracer"]} for part in fields]
    for scaled in (every, one):
        torch.testing.assert_close(load(name)(*scaled), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("name", LOSSES)
def test_other_samples_and_the_order_of_fields_change_nothing(name: str) -> None:
    fields = three((16, 12))
    together = load(name)(*fields)
    backwards = [dict(reversed(part.items())) for part in fields]
    torch.testing.assert_close(load(name)(*backwards), together)
    alone = load(name)(*({key: field[1:2] for key, field in part.items()} for part in fields))
    torch.testing.assert_close(alone, together[1:2])


@pytest.mark.parametrize("name", LOSSES)
def test_a_larger_error_costs_more(name: str) -> None:
    _, target, reference = three((24,))
    errors = [{key: field + size for key, field in target.items()} for size in (0.01, 0.1, 1.0)]
    values = [load(name)(error, target, reference).mean() for error in errors]
    assert values[0] < values[1] < values[2]


@pytest.mark.parametrize("state", ["exact", "zero", "decayed", "steady"])
@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_where_the_error_or_the_state_vanishes(name: str, state: str) -> None:
    """The root in a relative norm has an infinite slope at zero: it must not reach the weights."""
    size = {"exact": 1.0, "zero": 0.0, "decayed": 1e-18, "steady": 1.0}[state]
    target = {key: size * field for key, field in random_fields((24,), 1).items()}
    if state == "steady":
        target = {key: torch.ones_like(field) for key, field in target.items()}
    reference = {key: field[:, :1] for key, field in target.items()}
    prediction = {key: field.clone().requires_grad_() for key, field in target.items()}
    load(name)(prediction, target, reference).sum().backward()
    for field in prediction.values():
        assert field.grad is not None
        assert field.grad.isfinite().all()


@pytest.mark.parametrize("name", LOSSES)
def test_every_field_and_frame_gets_a_gradient(name: str) -> None:
    prediction, target, reference = three((16, 12))
    leaves = {key: field.requires_grad_() for key, field in prediction.items()}
    load(name)(leaves, target, reference).sum().backward()
    for field in leaves.values():
        assert field.grad is not None
        assert (field.grad.flatten(2).abs().amax(2) > 0).all()

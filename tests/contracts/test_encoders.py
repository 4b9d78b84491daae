"""Every encoder in the folder, through the universal model that holds it: fields by name -> tokens."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from contracts.small_problems import PROBLEMS, perturb, selected, shifted, small_batch, untrained
from ups_models.batch import Batch
from ups_models.dimensionless import DimensionlessState
from ups_models.errors import ModelError
from ups_models.latent import LatentState
from ups_models.registry import list_parts, load_part
from ups_models.universal import Universal

ENCODERS = list_parts("ups_models.encoders")


def model_with_noise(encoder: str, dataset: str) -> Universal:
    """A universal model whose encoder is the named one."""
    model, _ = untrained("universal", dataset)
    assert isinstance(model, Universal)
    assert isinstance(model.encoder, load_part("ups_models.encoders", encoder, nn.Module))
    perturb(model)
    return model


def dimensionless(model: Universal, batch: Batch) -> DimensionlessState:
    return model.see(batch)


def encoded(model: Universal, state: DimensionlessState) -> LatentState:
    return model.encoder.encode(state, model.conditioning(state))


def tensors(latent: LatentState) -> Mapping[str, Tensor]:
    """Everything that carries the state on; a latent state's geometry is data of the batch."""
    return {key: value for key, value in vars(latent).items() if isinstance(value, Tensor)}


def assert_same(first: LatentState, second: LatentState) -> None:
    for key, tensor in tensors(first).items():
        torch.testing.assert_close(tensor, tensors(second)[key], rtol=0, atol=1e-5, msg=key)


@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", ENCODERS)
def test_tokens_are_finite_and_of_order_one(name: str, dataset: str) -> None:
    model = model_with_noise(name, dataset)
    for key, tensor in tensors(encoded(model, dimensionless(model, small_batch(dataset)))).items():
        assert tensor.shape[0] == 3
        assert tensor.isfinite().all(), key
        assert 1e-3 < tensor.std() < 1e3, key


@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", ENCODERS)
def test_other_samples_change_nothing(name: str, dataset: str) -> None:
    model, batch = model_with_noise(name, dataset), small_batch(dataset)
    together = encoded(model, dimensionless(model, batch))
    alone = encoded(model, dimensionless(model, selected(batch, 1)))
    for key, tensor in tensors(alone).items():
        torch.testing.assert_close(tensor, tensors(together)[key][1:2], rtol=0, atol=1e-5, msg=key)


@pytest.mark.parametrize("name", ENCODERS)
def test_fields_are_known_by_name_not_by_order(name: str) -> None:
    model = model_with_noise(name, "navier_stokes2d")
    state = dimensionless(model, small_batch("navier_stokes2d"))
    backwards = replace(
        state, fields=dict(reversed(state.fields.items())), numbers=dict(reversed(state.numbers.items())))
    assert_same(encoded(model, backwards), encoded(model, state))


@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", ENCODERS)
def test_every_field_and_number_reaches_the_tokens(name: str, dataset: str) -> None:
    model, batch = model_with_noise(name, dataset), small_batch(dataset)
    state = dimensionless(model, batch)
    leaves = {key: field.clone().requires_grad_() for key, field in state.fields.items()}
    constants = {key: field.clone().requires_grad_() for key, field in state.constant_fields.items()}
    numbers = {key: number.clone().requires_grad_() for key, number in state.numbers.items()}
    latent = encoded(model, replace(state, fields=leaves, constant_fields=constants, numbers=numbers))
    latent.tokens.square().sum().backward()
    for key, leaf in {**leaves, **constants, **numbers}.items():
        assert leaf.grad is not None, key
        assert (leaf.grad.reshape(len(leaf), -1).abs().amax(1) > 0).all(), key


@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", ENCODERS)
def test_every_parameter_gets_a_gradient(name: str, dataset: str) -> None:
    model, batch = model_with_noise(name, dataset), small_batch(dataset)
    latent = encoded(model, dimensionless(model, batch))
    sum(tensor.square().sum() for tensor in tensors(latent).values()).backward()  # type: ignore[union-attr]
    missing = [key for key, parameter in model.encoder.named_parameters()
               if parameter.grad is None or not float(parameter.grad.abs().max()) > 0]  # fmt: skip
    assert not missing


@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", ENCODERS)
def test_shifted_periodic_fields_have_other_tokens_of_the_same_content(name: str, dataset: str) -> None:
    """By half the grid, a multiple of the patch: the tokens are the same ones in other places."""
    model, batch = model_with_noise(name, dataset), small_batch(dataset)
    tokens = encoded(model, dimensionless(model, batch)).tokens
    moved = encoded(model, dimensionless(model, shifted(batch, batch.geometry.shape[0] // 2))).tokens
    assert (moved - tokens).abs().max() > 1e-2
    axes = tuple(range(2, tokens.ndim))
    back = moved.roll(tuple(tokens.shape[axis] // 2 for axis in axes), axes)
    torch.testing.assert_close(back, tokens, rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ENCODERS)
def test_an_unknown_field_is_named(name: str) -> None:
    model = model_with_noise(name, "burgers1d")
    state = dimensionless(model, small_batch("burgers1d"))
    with pytest.raises(ModelError, match="pressure"):
        encoded(model, replace(state, fields={**state.fields, "pressure": state.fields["u"]}))


@pytest.mark.parametrize("name", ENCODERS)
def test_an_unknown_number_is_named(name: str) -> None:
    model = model_with_noise(name, "burgers1d")
    state = dimensionless(model, small_batch("burgers1d"))
    with pytest.raises(ModelError, match="density"):
        encoded(model, replace(state, numbers={**state.numbers, "density": state.numbers["viscosity"]}))


@pytest.mark.parametrize("name", ENCODERS)
def test_the_kind_of_boundary_is_seen(name: str) -> None:
    model = model_with_noise(name, "navier_stokes2d")
    periodic = encoded(model, dimensionless(model, small_batch("navier_stokes2d"))).tokens
    wall = encoded(model, dimensionless(model, small_batch("navier_stokes2d", end="wall"))).tokens
    assert (periodic - wall).abs().max() > 1e-3

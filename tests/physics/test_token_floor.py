"""The tokens' own decoder: exact where tokens hold the state, and fitted on other states than it is asked for."""

import pytest
import torch

from contracts.small_problems import PROBLEMS, small_batch, trained, untrained
from ups_models.batch import Fields
from ups_models.interfaces import AbstractEmulator
from ups_models.token_floor import TokenDecoder, fit_token_decoder
from ups_models.universal import Universal


def fitted(model: AbstractEmulator, dataset: str) -> TokenDecoder:
    assert isinstance(model, Universal)
    with torch.no_grad():
        return fit_token_decoder(model, [small_batch(dataset, size=24, num_frames=4, seed=seed) for seed in (1, 2)])


def error(decoder: TokenDecoder, dataset: str) -> float:
    """The largest relative error of a field in states that the fit has not seen."""
    batch = small_batch(dataset, size=4, num_frames=3, seed=3)
    with torch.no_grad():
        found = decoder.decode(batch)
    return max(float((found[name] - truth).norm() / truth.norm()) for name, truth in batch.fields.items())


def shapes(fields: Fields) -> dict[str, torch.Size]:
    return {name: field.shape for name, field in fields.items()}


@pytest.mark.parametrize("dataset", PROBLEMS)
def test_every_frame_and_field_comes_back_in_its_shape(dataset: str) -> None:
    decoder, batch = fitted(trained("universal", dataset), dataset), small_batch(dataset, size=3, num_frames=2)
    with torch.no_grad():
        assert shapes(decoder.decode(batch)) == shapes(batch.fields)


def test_tokens_of_a_trained_model_hold_a_smooth_state() -> None:
    assert error(fitted(trained("universal", "burgers1d"), "burgers1d"), "burgers1d") < 0.1


def test_tokens_without_content_hold_nothing() -> None:
    model, _ = untrained("universal", "burgers1d")
    assert isinstance(model, Universal)
    torch.nn.init.zeros_(model.encoder.get_submodule("patches.1d").weight)
    assert error(fitted(model, "burgers1d"), "burgers1d") > 0.5

"""The change of units: scaled problems have scaled answers with trained weights, means stay, frames move exactly."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from contracts.small_problems import PROBLEMS, rescaled, shifted, small_batch, trained, untrained
from ups_models.batch import Batch, Fields
from ups_models.dimensionless import DimensionlessState
from ups_models.interfaces import AbstractEmulator
from ups_models.normaliser import Normaliser

NETWORKS = ("universal", "unet", "fno", "fno_with_coordinates")
FRAMED = ("burgers1d", "navier_stokes2d")
SCALES = ((0.5, 1.0, 1.0), (2.0, 1.0, 1.0), (1.0, 0.5, 1.0), (1.0, 2.0, 1.0), (0.5, 2.0, 2.0), (3.0, 0.7, 0.1))
"""Of length, time and linear fields; the last is no power of two, so that round-off counts."""


def trained_network(network: str, dataset: str, prediction: str = "residual") -> AbstractEmulator:
    settings = {"with_coordinates": True} if network == "fno_with_coordinates" else {}
    return trained(network.partition("_")[0], dataset, "declared", prediction, **settings)


def predicted(emulator: AbstractEmulator, batch: Batch, num_steps: int) -> Fields:
    with torch.no_grad():
        return emulator.predict(batch.window(0, 1), num_steps)


def assert_near(fields: Fields, expected: Fields, tolerance: float = 1e-5) -> None:
    """To `tolerance` of each sample's own rms."""
    for name, field in fields.items():
        size = expected[name].square().flatten(1).mean(1).sqrt()
        worst = ((field - expected[name]).abs().flatten(1).amax(1) / size).max()
        assert worst <= tolerance, f"{name}: {float(worst):.1e}"


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("dataset", FRAMED)
@pytest.mark.parametrize("network", NETWORKS)
def test_a_scaled_problem_has_the_scaled_answer(network: str, dataset: str, scale: Sequence[float]) -> None:
    """Fields, parameters, time step and domain: only units differ, so the network must see the same numbers."""
    emulator, problem = trained_network(network, dataset), PROBLEMS[dataset]
    batch = small_batch(dataset)
    answer = batch.with_fields(predicted(emulator, batch, 1))
    scaled = predicted(emulator, rescaled(batch, problem, *scale), 1)
    assert_near(scaled, rescaled(answer, problem, *scale).fields)
    change = answer.fields[problem.frame.velocity] - batch.fields[problem.frame.velocity][:, :1]  # type: ignore[union-attr]
    assert change.abs().max() > 1e-4  # a network that does nothing would pass


def test_the_standard_frame_has_no_such_symmetry() -> None:
    """The test above bites: standardised fields are seen in the training set's units."""
    emulator, problem = trained("universal", "burgers1d", "standard"), PROBLEMS["burgers1d"]
    batch = small_batch("burgers1d")
    answer = batch.with_fields(predicted(emulator, batch, 1))
    scaled = predicted(emulator, rescaled(batch, problem, 1.0, 2.0), 1)
    with pytest.raises(AssertionError):
        assert_near(scaled, rescaled(answer, problem, 1.0, 2.0).fields)


@pytest.mark.parametrize("prediction", ["residual", "direct"])
@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("network", NETWORKS)
def test_conserved_means_stay_over_a_rollout(network: str, dataset: str, prediction: str) -> None:
    emulator, problem = trained_network(network, dataset, prediction), PROBLEMS[dataset]
    batch = small_batch(dataset)
    rollout = predicted(emulator, batch, 8)
    assert problem.frame is not None
    for name in problem.frame.conserved_means:
        space = tuple(range(2, 2 + problem.num_dimensions))
        means, start = rollout[name].mean(space), batch.fields[name][:, :1].mean(space)
        torch.testing.assert_close(means, start.expand_as(means), rtol=0, atol=1e-5 * float(rollout[name].abs().max()))


@pytest.mark.parametrize("cells", [1, -5, 40])
@pytest.mark.parametrize("dataset", ["burgers1d", "burgers3d"])
@pytest.mark.parametrize("network", NETWORKS)
def test_a_mean_flow_of_whole_cells_moves_the_answer(network: str, dataset: str, cells: int) -> None:
    """Galilean invariance: u + m has the answer of u, moved by m dt and plus m."""
    emulator, batch = trained_network(network, dataset), without_mean(small_batch(dataset))
    flow = cells * torch.tensor(batch.geometry.cell_size) / float(batch.time_step[0])
    moving = batch.with_fields({"u": batch.fields["u"] + flow})
    answer = shifted(batch.with_fields(predicted(emulator, batch, 1)), cells).fields["u"]
    torch.testing.assert_close(predicted(emulator, moving, 1)["u"], answer + flow, rtol=0,
                               atol=1e-5 * float(flow.abs().max()) + 1e-5)  # fmt: skip


@pytest.mark.parametrize("network", NETWORKS)
def test_a_pure_mean_flow_goes_on(network: str) -> None:
    """A uniform state has no fluctuation that could grow: whatever the weights, it stays uniform."""
    emulator, batch = trained_network(network, "burgers1d"), small_batch("burgers1d")
    uniform = batch.with_fields({"u": torch.full_like(batch.fields["u"], 0.625)})
    assert_near(predicted(emulator, uniform, 4), {"u": uniform.fields["u"][:, :1].expand(-1, 4, -1, -1)})


@pytest.mark.parametrize("frame", ["declared", "standard"])
@pytest.mark.parametrize("prediction", ["residual", "direct"])
@pytest.mark.parametrize("dataset", PROBLEMS)
def test_to_dimensionless_and_back(dataset: str, prediction: str, frame: str) -> None:
    emulator, _ = untrained("persistence", dataset, frame, prediction)
    normaliser, batch = normaliser_of(emulator), without_mean(small_batch(dataset))
    state = normaliser.to_dimensionless(batch)
    nothing = {name: torch.zeros_like(field) for name, field in state.fields.items()}
    same = nothing if prediction == "residual" else dict(state.fields)
    assert_near(normaliser.to_physical(normaliser.changes(same, state), state), batch.window(0, 1).fields, 1e-6)


@pytest.mark.parametrize("dataset", FRAMED)
def test_dimensionless_fields_are_of_order_one(dataset: str) -> None:
    emulator, _ = untrained("persistence", dataset)
    tiny = rescaled(small_batch(dataset), PROBLEMS[dataset], 1e-3, 1e3, 1e-4)
    state = normaliser_of(emulator).to_dimensionless(tiny)
    for field in (*state.fields.values(), *state.constant_fields.values()):
        assert 0.01 < field.square().mean().sqrt() < 100


@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("change", ["no_time", "no_viscosity", "zero_state", "steady_state", "long_step"])
def test_numbers_are_finite_at_every_limit(change: str, dataset: str) -> None:
    emulator, _ = untrained("persistence", dataset)
    state = normaliser_of(emulator).to_dimensionless(at_limit(small_batch(dataset), change))
    for tensor in every_tensor(state):
        assert tensor.isfinite().all()
    assert all(number.abs().max() < 10 for number in state.numbers.values())


def test_increments_are_of_order_one_after_the_fit() -> None:
    """Residual outputs stand in units of the training increments: the right answer has rms 1."""
    emulator, _ = untrained("persistence", "navier_stokes2d")
    normaliser, pairs = normaliser_of(emulator), small_batch("navier_stokes2d", size=8, seed=5)
    state = normaliser.to_dimensionless(pairs)
    target = normaliser.to_dimensionless(pairs.window(1, 2))
    for name, field in state.fields.items():
        following = target.offset[name] + target.scale[name] * target.fields[name]
        change = (following - state.offset[name]) / state.scale[name] - field
        output = change / (state.step_size * normaliser.statistic("navier_stokes2d", name, "increment"))
        assert output.square().mean().sqrt() == pytest.approx(1.0, rel=1e-4)


def normaliser_of(emulator: AbstractEmulator) -> Normaliser:
    assert isinstance(emulator.normaliser, Normaliser)
    return emulator.normaliser


def without_mean(batch: Batch) -> Batch:
    space = tuple(range(2, 2 + batch.geometry.num_dimensions))
    return batch.with_fields({name: field - field.mean(space, keepdim=True) for name, field in batch.fields.items()})


def at_limit(batch: Batch, change: str) -> Batch:
    fields = batch.fields
    if change == "zero_state":
        return batch.with_fields({name: torch.zeros_like(field) for name, field in fields.items()})
    if change == "steady_state":
        return batch.with_fields({name: torch.full_like(field, 0.3) for name, field in fields.items()})
    if change == "no_viscosity":
        return replace(batch, parameters={"viscosity": torch.zeros_like(batch.parameters["viscosity"])})
    return replace(batch, time_step=batch.time_step * (0 if change == "no_time" else 1e6))


def every_tensor(state: DimensionlessState) -> list[Tensor]:
    named = (state.fields, state.constant_fields, state.numbers, state.offset, state.scale)
    return [state.step_size, *(tensor for tensors in named for tensor in tensors.values())]

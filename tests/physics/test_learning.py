"""What training can and cannot learn: it overfits one trajectory, shuffled targets teach it nothing, and it goes on
learning with its budget, beats persistence at every horizon and learns which way a parameter acts."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from contracts.small_problems import is_trainable, own_stage, small_batch, total, untrained
from ups_models.batch import Batch
from ups_models.checkpoint import list_emulators
from ups_models.interfaces import AbstractEmulator

NUM_STEPS = 5
EMULATORS = [name for name in list_emulators() if is_trainable(name)]


def solved(dataset: str, size: int, seed: int = 0) -> Batch:
    """All pairs of neighbouring frames of trajectories that the coarse solver makes, as one batch of two frames."""
    solver, _ = untrained("coarse_solver", dataset)
    state, frames = small_batch(dataset, size=size, num_frames=1, seed=seed), []
    for _ in range(NUM_STEPS + 1):
        frames.append(state.fields)
        with torch.no_grad():
            state = state.with_fields(solver.step(state))
    pairs = [{name: torch.cat([before[name], after[name]], dim=1) for name in before}
             for before, after in pairwise(frames)]  # fmt: skip
    joined = {name: torch.cat([pair[name] for pair in pairs]) for name in frames[0]}
    return replace(state.map(lambda tensor: torch.cat([tensor] * NUM_STEPS)), fields=joined)


def train(emulator: AbstractEmulator, name: str, batch: Batch, num_updates: int) -> None:
    """Adam with a cosine."""
    stage, generator = own_stage(name), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(emulator.parameters(), lr=4e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, num_updates)
    for _ in range(num_updates):
        optimiser.zero_grad()
        total(stage.loss(emulator, batch, 0.0, generator)).backward()
        torch.nn.utils.clip_grad_norm_(emulator.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    emulator.eval()


def error(emulator: AbstractEmulator, batch: Batch) -> float:
    """Mean nRMSE of one step, over samples and fields."""
    with torch.no_grad():
        found = emulator.step(batch.window(0, 1))
    truth = {name: field[:, 1:2] for name, field in batch.fields.items()}
    return float(torch.stack([distance(found[name], truth[name]) for name in truth]).mean())


def distance(found: Tensor, truth: Tensor) -> Tensor:
    """Mean over samples of the relative L2 distance."""
    return ((found - truth).flatten(1).norm(dim=1) / truth.flatten(1).norm(dim=1)).mean()


@pytest.mark.parametrize(
    ("frame", "prediction"), [("declared", "residual"), ("declared", "direct"), ("standard", "residual")])
@pytest.mark.parametrize("name", EMULATORS)
def test_one_trajectory_is_overfitted_to_a_thousandth(name: str, frame: str, prediction: str) -> None:
    """A constraint through which no gradient flows would stand in the way of some network."""
    emulator, _ = untrained(name, "burgers1d", frame, prediction)
    batch = solved("burgers1d", size=1)
    train(emulator, name, batch, num_updates=700)
    assert error(emulator, batch) < 1e-3


@pytest.mark.parametrize("name", EMULATORS)
def test_nothing_in_the_frame_of_a_flow_stops_the_learning(name: str) -> None:
    """A velocity that follows from its vorticity, a tracer without a source: in every field to a hundredth, soon."""
    emulator, _ = untrained(name, "navier_stokes2d")
    batch = solved("navier_stokes2d", size=1)
    train(emulator, name, batch, num_updates=200)
    assert error(emulator, batch) < 1e-2


@pytest.mark.parametrize("name", EMULATORS)
def test_shuffled_targets_teach_nothing(name: str) -> None:
    """Else something of the target reaches the network on another way than through its input."""
    emulator, _ = untrained(name, "burgers1d", "standard")
    batch, unseen = solved("burgers1d", size=32), solved("burgers1d", size=32, seed=1)
    others = batch.fields["u"].clone()
    others[:, 1] = others[:, 1].unflatten(0, (NUM_STEPS, 32)).roll(1, 1).flatten(0, 1)  # of the next trajectory
    train(emulator, name, replace(batch, fields={"u": others}), num_updates=60)
    truth = unseen.fields["u"][:, 1:2]
    assert error(emulator, unseen) > 0.9 * distance(batch.fields["u"].mean(), truth)


@cache
def taught(name: str, num_updates: int) -> AbstractEmulator:
    """Trained on many trajectories, on standardised fields: nothing in the frame knows the physics."""
    emulator, _ = untrained(name, "burgers1d", "standard")
    train(emulator, name, solved("burgers1d", size=16), num_updates)
    return emulator


@pytest.mark.parametrize("name", EMULATORS)
def test_twice_the_updates_do_no_harm(name: str) -> None:
    unseen = solved("burgers1d", size=32, seed=1)
    assert error(taught(name, 200), unseen) < 1.05 * error(taught(name, 100), unseen)


@pytest.mark.parametrize("name", EMULATORS)
def test_persistence_is_beaten_at_every_horizon(name: str) -> None:
    given = small_batch("burgers1d", size=32, num_frames=1, seed=1)
    emulator, (solver, _) = taught(name, 200), untrained("coarse_solver", "burgers1d")
    with torch.no_grad():
        truth, found = (one.predict(given, NUM_STEPS)["u"] for one in (solver, emulator))
    for step in range(NUM_STEPS):
        assert distance(found[:, step], truth[:, step]) < 0.5 * distance(given.fields["u"][:, 0], truth[:, step])


@pytest.mark.parametrize("name", EMULATORS)
def test_a_changed_parameter_acts_as_it_does_in_the_solver(name: str) -> None:
    """Each state with the other viscosity: the answer moves along the way that the solver's answer moves."""
    given = small_batch("burgers1d", size=32, num_frames=1, seed=1)
    other = replace(given, parameters={"viscosity": given.parameters["viscosity"].roll(1)})
    emulator, (solver, _) = taught(name, 200), untrained("coarse_solver", "burgers1d")
    with torch.no_grad():
        moved, wanted = ((one.step(other)["u"] - one.step(given)["u"]).flatten() for one in (emulator, solver))
    assert torch.nn.functional.cosine_similarity(moved, wanted, dim=0) > 0.8

"""What training can and cannot learn: it overfits one trajectory, and shuffled targets teach it nothing."""

from dataclasses import replace
from itertools import pairwise, product

import pytest
import torch

from contracts.small_problems import is_trainable, own_stage, small_batch, total, untrained
from ups_models.batch import Batch
from ups_models.checkpoint import list_emulators
from ups_models.interfaces import AbstractEmulator

NUM_STEPS = 5
EMULATORS = [name for name in list_emulators() if is_trainable(name)]


def solved(size: int, seed: int = 0) -> Batch:
    """All pairs of neighbouring frames of trajectories that the coarse solver makes, as one batch of two frames."""
    solver, _ = untrained("coarse_solver", "burgers1d")
    state, frames = small_batch("burgers1d", size=size, num_frames=1, seed=seed), []
    for _ in range(NUM_STEPS + 1):
        frames.append(state.fields["u"])
        with torch.no_grad():
            state = state.with_fields(solver.step(state))
    pairs = torch.cat([torch.cat(pair, dim=1) for pair in pairwise(frames)])
    repeated = state.map(lambda tensor: torch.cat([tensor] * NUM_STEPS))
    return replace(repeated, fields={"u": pairs})


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
    """Mean nRMSE of one step."""
    with torch.no_grad():
        found = emulator.step(batch.window(0, 1))["u"]
    truth = batch.fields["u"][:, 1:2]
    return float(((found - truth).flatten(1).norm(dim=1) / truth.flatten(1).norm(dim=1)).mean())


@pytest.mark.parametrize(("name", "frame"), list(product(EMULATORS, ["declared", "standard"])))
def test_one_trajectory_is_overfitted_to_a_thousandth(name: str, frame: str) -> None:
    emulator, _ = untrained(name, "burgers1d", frame)
    batch = solved(size=1)
    train(emulator, name, batch, num_updates=500)
    assert error(emulator, batch) < 1e-3


@pytest.mark.parametrize("name", EMULATORS)
def test_shuffled_targets_teach_nothing(name: str) -> None:
    """Else something of the target reaches the network on another way than through its input."""
    emulator, _ = untrained(name, "burgers1d", "standard")
    batch, unseen = solved(size=32), solved(size=32, seed=1)
    others = batch.fields["u"].clone()
    others[:, 1] = others[:, 1].unflatten(0, (NUM_STEPS, 32)).roll(1, 1).flatten(0, 1)  # of the next trajectory
    train(emulator, name, replace(batch, fields={"u": others}), num_updates=60)
    mean = batch.fields["u"].mean()
    truth = unseen.fields["u"][:, 1:2]
    of_mean = float(((mean - truth).flatten(1).norm(dim=1) / truth.flatten(1).norm(dim=1)).mean())
    assert error(emulator, unseen) > 0.9 * of_mean

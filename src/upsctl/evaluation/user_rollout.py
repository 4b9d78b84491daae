"""A rollout from a user's own initial state, written to a file, with a summary of each field."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ups_models.batch import Batch, Fields
from ups_models.interfaces import AbstractEmulator
from ups_models.universal import Universal
from upsctl.console import Result
from upsctl.dataset_card import DatasetCard
from upsctl.errors import DivergedError, UsageError
from upsctl.evaluation.trajectory_file import write_trajectory

COLUMNS = ("field", "units", "first rms", "last rms", "last min", "last max")


@dataclass(frozen=True, eq=False)
class RolloutPlan:
    """What is predicted, and where it goes.

    Attributes:
        card: names and units.
        initial: a batch of one sample and one frame.
        num_steps: time steps.
        points: (1, N, D) where the fields are wanted, in the card's units of length; None for the grid's nodes.
        target: the file that is written.
        device: where it is predicted.
    """

    card: DatasetCard
    initial: Batch
    num_steps: int
    points: Tensor | None
    target: Path
    device: str

    @property
    def times(self) -> np.ndarray:
        """(num_steps + 1,) of the given frame and the predicted ones."""
        return float(self.initial.time_step[0]) * np.arange(self.num_steps + 1)

    @property
    def values(self) -> dict[str, Any]:
        """The plan as plain values."""
        num_points = None if self.points is None else self.points.shape[1]
        return {"output": str(self.target), "num_steps": self.num_steps, "dataset": self.card.name,
                "end_time": float(self.times[-1]), "num_points": num_points}


def describe_rollout(plan: RolloutPlan) -> Result:
    """What `roll_out` would do."""
    return Result(plan.values | {"is_dry_run": True}, [f"would write {plan.num_steps} steps to {plan.target}"])


def roll_out(emulator: AbstractEmulator, plan: RolloutPlan) -> Result:
    """Write `times` and fields: at the grid's nodes with the given state first, at points the predicted frames alone.

    Raises:
        DivergedError: when a predicted value is not finite; nothing is written.
        UsageError: when points are wanted of an emulator that knows its grid alone.
        DiskError: when the target cannot be written.
    """
    with torch.inference_mode():
        arrays = _on_grid(emulator, plan) if plan.points is None else _at_points(emulator, plan, plan.points)
    fields = {name: array for name, array in arrays.items() if name in plan.card.fields}
    for name, array in fields.items():
        _refuse_diverged(name, array)
    write_trajectory(plan.target, arrays)
    summary = {name: _summary(array) for name, array in fields.items()}
    rows = [[name, plan.card.fields[name].units, *(f"{number:.4g}" for number in numbers.values())]
            for name, numbers in summary.items()]
    end = f"to t = {plan.times[-1]:.4g} {plan.card.time.units}"
    line = f"{plan.target}: {plan.num_steps} steps of {plan.card.name}, {end}"
    return Result(plan.values | {"fields": summary}, lines=[line], columns=COLUMNS, rows=rows)


def _on_grid(emulator: AbstractEmulator, plan: RolloutPlan) -> Mapping[str, np.ndarray]:
    predicted = emulator.predict(plan.initial.map(lambda tensor: tensor.to(plan.device)), plan.num_steps)
    fields = plan.initial.fields
    return {"times": plan.times, **{
        name: torch.cat([given[0], predicted[name][0].cpu()]).numpy() for name, given in fields.items()}}


def _at_points(emulator: AbstractEmulator, plan: RolloutPlan, points: Tensor) -> Mapping[str, np.ndarray]:
    """The state goes on from node to node; what lies between is read from each step."""
    if not isinstance(emulator, Universal):
        raise UsageError("--points", expected="a universal model", got="one that knows its grid alone")
    state, frames = plan.initial.map(lambda tensor: tensor.to(plan.device)), list[Fields]()
    for _ in range(plan.num_steps):
        frames.append(emulator.step_at(state, points.to(plan.device)))
        state = state.with_fields(emulator.step(state))
    fields = {name: torch.cat([frame[name][0] for frame in frames]).cpu().numpy() for name in frames[0]}
    return {"times": plan.times[1:], "points": points[0].numpy(), **fields}


def _refuse_diverged(name: str, array: np.ndarray) -> None:
    finite = np.isfinite(array.reshape(len(array), -1)).all(axis=1)
    if not finite.all():
        step = int(np.argmin(finite))
        raise DivergedError(f"the rollout of `{name}` is not finite from step {step} on", next_step="take fewer steps")


def _summary(array: np.ndarray) -> dict[str, float]:
    first, last = array[0].astype(np.float64), array[-1].astype(np.float64)
    return {
        "first_rms": float(np.sqrt(np.mean(first**2))), "last_rms": float(np.sqrt(np.mean(last**2))),
        "last_min": float(last.min()), "last_max": float(last.max()),
    }

"""A rollout from a user's own initial state, written to a file, with a summary of each field."""

from pathlib import Path

import numpy as np
import torch

from ups_models.batch import Batch
from ups_models.interfaces import AbstractEmulator
from upsctl.console import Result
from upsctl.dataset_card import DatasetCard
from upsctl.errors import DivergedError
from upsctl.evaluation.initial_state import write_trajectory

COLUMNS = ("field", "units", "first rms", "last rms", "last min", "last max")


def roll_out(
    emulator: AbstractEmulator, card: DatasetCard, batch: Batch, num_steps: int, target: Path, device: str,
    is_dry_run: bool,
) -> Result:
    """Roll out `batch` and write `times` and fields, the given state first, to `target`.

    Raises:
        DivergedError: when a predicted value is not finite; nothing is written.
        DiskError, UsageError: see `write_trajectory`.
    """
    times = float(batch.time_step[0]) * np.arange(num_steps + 1)
    values = {"output": str(target), "num_steps": num_steps, "dataset": card.name, "end_time": float(times[-1])}
    if is_dry_run:
        return Result(values | {"is_dry_run": True}, lines=[f"would write {num_steps} steps to {target}"])
    with torch.inference_mode():
        predicted = emulator.predict(batch.map(lambda tensor: tensor.to(device)), num_steps)
    fields = {name: torch.cat([given[0], predicted[name][0].cpu()]).numpy() for name, given in batch.fields.items()}
    for name, array in fields.items():
        _refuse_diverged(name, array)
    write_trajectory(target, times, fields)
    summary = {name: _summary(array) for name, array in fields.items()}
    rows = [[name, card.fields[name].units, *(f"{number:.4g}" for number in numbers.values())]
            for name, numbers in summary.items()]
    line = f"{target}: {num_steps} steps of {card.name}, to t = {times[-1]:.4g} {card.time.units}"
    return Result(values | {"fields": summary}, lines=[line], columns=COLUMNS, rows=rows)


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

"""An emulator on one split: border 2 between the mathematics and the world."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from ups_models.batch import Batch, Fields
from ups_models.interfaces import AbstractEmulator
from upsctl.data.artifact import Artifact
from upsctl.data.loader import iter_split
from upsctl.interfaces import Predictions
from upsctl.sample import SplitName

Forecast = Callable[[AbstractEmulator, Batch], Fields]
"""Whole trajectories (B, T, *space, C) -> the frames 1 to T - 1, predicted."""


def predict_split(
    emulator: AbstractEmulator, artifact: Artifact, split: SplitName, batch_size: int, emulator_label: str,
    device: str = "cpu",
) -> Predictions:
    """Roll out from the first frame of every trajectory over all the rest, autoregressively.

    Args:
        emulator: on `device`, in evaluation mode.
        artifact, split: what to predict.
        batch_size: trajectories at a time; it changes no number.
        emulator_label: how the predictions name the emulator.
        device: where the batches go.

    Returns:
        Predictions with all frames, the given first one included.
    """
    return predict_frames(_roll_out, emulator, artifact, split, batch_size, emulator_label, device)


def predict_one_step(
    emulator: AbstractEmulator, artifact: Artifact, split: SplitName, batch_size: int, emulator_label: str,
    device: str = "cpu",
) -> Predictions:
    """Every frame from its true predecessor; arguments and form as of `predict_split`."""
    return predict_frames(_step_from_truth, emulator, artifact, split, batch_size, emulator_label, device)


def _roll_out(emulator: AbstractEmulator, batch: Batch) -> Fields:
    return emulator.predict(batch.window(0, 1), batch.num_frames - 1)


def _step_from_truth(emulator: AbstractEmulator, batch: Batch) -> Fields:
    frames = [emulator.step(batch.window(frame, frame + 1)) for frame in range(batch.num_frames - 1)]
    return {name: torch.cat([frame[name] for frame in frames], dim=1) for name in frames[0]}


def predict_frames(
    forecast: Forecast, emulator: AbstractEmulator, artifact: Artifact, split: SplitName, batch_size: int, label: str,
    device: str,
) -> Predictions:
    """What a forecast makes of every trajectory of a split; arguments and form as of `predict_split`."""
    truth: list[Fields] = []
    prediction: list[Fields] = []
    parameters: list[Mapping[str, Tensor]] = []
    for batch in _on_device(iter_split(artifact, split, batch_size), device):
        with torch.inference_mode():
            predicted = forecast(emulator, batch)
        truth.append(batch.fields)
        prediction.append({name: _with_given(field, predicted[name]) for name, field in batch.fields.items()})
        parameters.append(batch.parameters)
    return Predictions(
        emulator=label, card=artifact.card, split=split, trajectory_ids=tuple(artifact.trajectory_ids(split)),
        times=np.asarray(artifact.times(split)), axes=tuple(artifact.axes),
        parameters=_joined(parameters), truth=_joined(truth), prediction=_joined(prediction),
    )


def _on_device(batches: Iterator[Batch], device: str) -> Iterator[Batch]:
    for batch in batches:
        yield batch.map(lambda tensor: tensor.to(device))


def _with_given(truth: Tensor, predicted: Tensor) -> Tensor:
    return torch.cat([truth[:, :1], predicted.to(truth.dtype)], dim=1)


def _joined(parts: list[Fields] | list[Mapping[str, Tensor]]) -> dict[str, np.ndarray]:
    return {name: torch.cat([part[name] for part in parts]).cpu().numpy() for name in parts[0]}

"""A checkpoint named on the command line, opened, with the errors that a person understands."""

from pathlib import Path

import torch

from ups_models.checkpoint import Checkpoint, load_checkpoint
from ups_models.errors import CheckpointError
from upsctl.errors import IntegrityError, ResourcesError, UsageError


def open_checkpoint(path: Path, device: str = "cpu") -> Checkpoint:
    """Load a checkpoint's folder; its emulator goes to `device`.

    Raises:
        IntegrityError: when there is no whole checkpoint of this schema.
        ResourcesError: when the device is not there.
    """
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise ResourcesError(f"device `{device}`", got="no CUDA device", next_step="use --device cpu")
    try:
        checkpoint = load_checkpoint(path)
    except CheckpointError as error:
        next_step = "give the folder of a checkpoint, such as runs/latest/stages/operator/checkpoint"
        raise IntegrityError(str(error), next_step=next_step) from error
    checkpoint.emulator.to(device)
    return checkpoint


def choose_dataset(checkpoint: Checkpoint, dataset: str | None) -> str:
    """The dataset whose physics is meant: the one named, or the only one of the checkpoint.

    Raises:
        UsageError: when the checkpoint does not know it, or knows several and none is named.
    """
    known = list(checkpoint.description.problems)
    if dataset is None and len(known) == 1:
        return known[0]
    if dataset in known:
        return str(dataset)
    problem = "knows several datasets" if dataset is None else f"does not know `{dataset}`"
    raise UsageError(f"{checkpoint.path} {problem}", expected="--dataset " + " or ".join(known))

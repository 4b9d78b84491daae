"""What a training needs to go on bit for bit: live weights, the optimiser's moments, the mixture's position."""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ups_models.checkpoint import write_tensors
from upsctl.errors import IntegrityError

STATE_NAME = "training_state.safetensors"
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")
"""What AdamW keeps of each parameter; the steps differ, as a batch of one dataset does not reach all."""


def write_state(
    path: Path, parameters: Mapping[str, Tensor], optimiser: torch.optim.Optimizer, position: Mapping[str, int]
) -> None:
    """Write the live weights and moments by name, and the batches drawn from each dataset in the header.

    Raises:
        OSError: when the disk is full or not writable.
    """
    tensors = {f"weight/{name}": parameter.detach() for name, parameter in parameters.items()}
    for name, parameter in parameters.items():
        moments = optimiser.state[parameter]
        tensors |= {f"{moment}/{name}": moments[moment] for moment in _MOMENTS if moment in moments}
    write_tensors(tensors, path, {"position": json.dumps(dict(position))})


def read_state(path: Path, parameters: Mapping[str, Tensor], optimiser: torch.optim.Optimizer) -> dict[str, int]:
    """Copy weights and moments into place; returns the mixture's position.

    Raises:
        IntegrityError: when the file is missing, cut, or of another model.
    """
    is_fused = {one: group["fused"] for group in optimiser.param_groups for one in group["params"]}
    try:
        with safe_open(path, framework="pt") as stored:
            position = json.loads(stored.metadata()["position"])
            names = set(stored.keys())
            for name, parameter in parameters.items():
                parameter.data.copy_(stored.get_tensor(f"weight/{name}"))
                if f"{_MOMENTS[0]}/{name}" in names:
                    moments = {moment: stored.get_tensor(f"{moment}/{name}") for moment in _MOMENTS}
                    step = moments.pop("step")  # only a fused update wants it beside the parameter
                    optimiser.state[parameter] = {
                        "step": step.to(parameter.device) if is_fused[parameter] else step,
                        **{moment: tensor.to(parameter) for moment, tensor in moments.items()},
                    }
    except (FileNotFoundError, SafetensorError, KeyError, RuntimeError) as error:
        problem = f"{path}: the training cannot go on from it ({str(error).splitlines()[0]})"
        raise IntegrityError(problem, next_step="start a new run") from None
    return {str(name): int(count) for name, count in position.items()}

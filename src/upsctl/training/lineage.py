"""The facts of a training, as its checkpoints tell them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from torch import nn

from ups_models.lineage import DatasetDigests
from upsctl.checkout import present_commit
from upsctl.data.artifact import Artifact
from upsctl.data.problems import problem_digest, problem_of
from upsctl.machine import count_threads, device_class, device_name
from upsctl.profiles import RunProfile
from upsctl.source_digest import training_digest


def describe_lineage(
    profile: RunProfile, run_name: str, model: nn.Module, artifacts: Mapping[str, Artifact], device: str, command: str
) -> dict[str, Any]:
    """The values of a `Lineage` that do not change while a stage is trained."""
    return {
        "label": profile.label,
        "run": run_name,
        "num_parameters": count_parameters(model),
        "num_evaluations_per_step": 1,
        "seed": profile.seed,
        "budget_seconds": profile.budget_seconds,
        "datasets": {name: digests.model_dump() for name, digests in describe_datasets(artifacts).items()},
        "profile_digest": profile_digest(profile),
        "source_digest": training_digest(profile.model.emulator),
        "commit": present_commit(),
        "device": device_name(device),
        "device_class": device_class(device, profile.num_threads),
        "num_threads": count_threads(profile.num_threads),
        "command": command,
    }


def count_parameters(model: nn.Module) -> int:
    """Real numbers; a complex weight is two."""
    return sum(weight.numel() * (2 if weight.is_complex() else 1) for weight in model.parameters())


def describe_datasets(artifacts: Mapping[str, Artifact]) -> dict[str, DatasetDigests]:
    """Dataset -> the digests of what a training takes from it."""
    return {
        name: DatasetDigests(
            recipe_digest=artifact.recipe_digest,
            content_digest=artifact.content_digest,
            problem_digest=problem_digest(problem_of(artifact.card)),
        )
        for name, artifact in artifacts.items()
    }


def profile_digest(profile: RunProfile) -> str:
    """SHA-256 over the resolved profile."""
    return hashlib.sha256(json.dumps(profile.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()

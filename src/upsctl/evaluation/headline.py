"""One number for one checkpoint: what sweeps choose by."""

from typing import Literal

import numpy as np
import torch

from ups_models.checkpoint import Checkpoint
from ups_models.metrics.nrmse import frame_errors
from upsctl.data.artifact import Artifact
from upsctl.evaluation.bootstrap import estimate_headline
from upsctl.evaluation.evaluate import BATCH_SIZE
from upsctl.evaluation.predictions import predict_split
from upsctl.evaluation.scores import score
from upsctl.interfaces import Predictions
from upsctl.sample import SplitName

Mean = Literal["arithmetic", "geometric"]
"""Over the frames of a rollout. The arithmetic mean is the leaderboard's. The geometric one tells networks apart that
have all lost the truth at the end, where their errors are about one, and noise: it sees early and late frames alike."""

ROUND_OFF = 1e-6
"""A smaller error counts as this in a geometric mean: decayed states can be exact, and float32 has no more to tell."""


def headline_error(checkpoint: Checkpoint, artifact: Artifact, split: SplitName, mean: Mean = "arithmetic") -> float:
    """The rollout's nRMSE: the median of each parameter value, then the geometric mean; infinite if diverged.

    Args:
        checkpoint: whose emulator is asked.
        artifact, split: what is predicted.
        mean: over the frames of each trajectory.
    """
    rollout = predict_split(checkpoint.emulator, artifact, split, BATCH_SIZE, checkpoint.lineage.label)
    return group_headline(rollout, mean)


def group_headline(rollout: Predictions, mean: Mean) -> float:
    """The median of each parameter value, then the geometric mean."""
    errors = _leaderboard_errors(rollout) if mean == "arithmetic" else _geometric_errors(rollout)
    return estimate_headline([[errors[index] for index in rollout.group_trajectories().values()]]).value


def _leaderboard_errors(rollout: Predictions) -> np.ndarray:
    """(N,) one nRMSE per trajectory."""
    (every, *_) = score(rollout, ["nrmse"])
    return every.per_sample


def _geometric_errors(rollout: Predictions) -> np.ndarray:
    """(N,) the geometric mean over its frames, for each trajectory."""
    found, truth = (
        {name: torch.from_numpy(frames[:, 1:]).double() for name, frames in arrays.items()}
        for arrays in (rollout.prediction, rollout.truth)
    )
    return frame_errors(found, truth).clamp(min=ROUND_OFF).log().mean(dim=1).exp().numpy()

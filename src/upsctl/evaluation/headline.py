"""One number for one checkpoint: what sweeps choose by."""

import math

from ups_models.checkpoint import Checkpoint
from upsctl.data.artifact import Artifact
from upsctl.evaluation.bootstrap import estimate_headline
from upsctl.evaluation.evaluate import BATCH_SIZE
from upsctl.evaluation.predictions import predict_split
from upsctl.evaluation.rows import ALL_FIELDS
from upsctl.evaluation.scores import score
from upsctl.sample import SplitName

METRIC = "nrmse"


def headline_error(checkpoint: Checkpoint, artifact: Artifact, split: SplitName, share: float = 1.0) -> float:
    """The rollout's nRMSE: the median of each parameter value, then the geometric mean; infinite if diverged.

    Args:
        checkpoint: whose emulator is asked.
        artifact, split: what is predicted.
        share: of the predicted frames, from the first on, that count.
    """
    rollout = predict_split(checkpoint.emulator, artifact, split, BATCH_SIZE, checkpoint.lineage["label"])
    rollout = rollout.first_frames(1 + math.ceil(share * (len(rollout.times) - 1)))
    (entry,) = [found for found in score(rollout, [METRIC]) if found.field == ALL_FIELDS]
    groups = [entry.per_sample[index] for index in rollout.group_trajectories().values()]
    return estimate_headline([groups]).value

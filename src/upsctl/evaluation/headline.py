"""One number for one checkpoint: what sweeps choose by."""

from ups_models.checkpoint import Checkpoint
from upsctl.data.artifact import Artifact
from upsctl.evaluation.bootstrap import estimate_headline
from upsctl.evaluation.evaluate import BATCH_SIZE
from upsctl.evaluation.predictions import predict_split
from upsctl.evaluation.rows import ALL_FIELDS
from upsctl.evaluation.scores import score
from upsctl.sample import SplitName

METRIC = "nrmse"


def headline_error(checkpoint: Checkpoint, artifact: Artifact, split: SplitName) -> float:
    """The full rollout's nRMSE: the median of each parameter value, then the geometric mean; infinite if diverged."""
    rollout = predict_split(checkpoint.emulator, artifact, split, BATCH_SIZE, checkpoint.lineage["label"])
    (entry,) = [found for found in score(rollout, [METRIC]) if found.field == ALL_FIELDS]
    groups = [entry.per_sample[index] for index in rollout.group_trajectories().values()]
    return estimate_headline([groups]).value

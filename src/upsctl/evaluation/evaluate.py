"""A checkpoint on one split of one dataset -> rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import torch

from ups_models.checkpoint import Checkpoint
from ups_models.universal import Universal
from upsctl.data.artifact import Artifact
from upsctl.data.loader import iter_split
from upsctl.data.problems import problem_digest
from upsctl.evaluation import token_floor
from upsctl.evaluation.bootstrap import Estimate, estimate_headline, estimate_mean, estimate_median
from upsctl.evaluation.predictions import predict_one_step, predict_split
from upsctl.evaluation.rows import ALL_FIELDS, Horizon, Row, Statistic, source_digest
from upsctl.evaluation.scores import Score, score
from upsctl.evaluation.speed import Speed, cost_metric, measure_speed
from upsctl.interfaces import Predictions
from upsctl.machine import device_class, device_name
from upsctl.sample import SplitName

BATCH_SIZE = 16


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The rows of one checkpoint on one split, and the rollouts behind them."""

    rows: list[Row]
    rollout: Predictions


@dataclass(frozen=True)
class Measured:
    """The part of a row that differs between the rows of one evaluation."""

    horizon: Horizon
    metric: str
    field: str
    parameter_value: str | None
    statistic: Statistic
    estimate: Estimate | float
    per_sample: tuple[tuple[float, ...], ...] = ()


def evaluate_checkpoint(
    checkpoint: Checkpoint, artifact: Artifact, split: SplitName, metrics: Sequence[str], *, campaign: str,
    command: str, device: str = "cpu",
) -> Evaluation:
    """Predict the split one step at a time and in full rollout, and measure both.

    As many threads are taken as trained the checkpoint: sums in another order differ in their last digits.

    Args:
        checkpoint: its emulator is on `device`.
        artifact, split: what to predict.
        metrics: names of files of `ups_models/metrics/`.
        campaign: the comparison that the rows belong to, or ''.
        command: what a person types to make these rows again.
        device: where predictions are made.

    Raises:
        UnknownPartError: when no metric has one of the names.
    """
    torch.set_num_threads(checkpoint.lineage.num_threads)
    emulator, label = checkpoint.emulator, checkpoint.lineage.label
    rollout = predict_split(emulator, artifact, split, BATCH_SIZE, label, device)
    one_step = predict_one_step(emulator, artifact, split, BATCH_SIZE, label, device)
    first = next(iter_split(artifact, split, 1)).map(lambda tensor: tensor.to(device))
    measured = [
        *_measure("rollout", rollout, metrics),
        *_measure("one_step", one_step, metrics),
        *_measure_tokens(checkpoint, artifact, split, metrics, device),
    ]
    facts = _facts(checkpoint, artifact, split) | {"campaign": campaign, "command": command}
    threads = checkpoint.lineage.num_threads
    here = facts | {"device": device_name(device), "device_class": device_class(device, threads)}
    costs = [_row(here, checkpoint, entry) for entry in _measure_cost(measure_speed(emulator, first))]
    return Evaluation([*(_row(facts, checkpoint, entry) for entry in measured), *costs], rollout)


def _measure(horizon: Horizon, predictions: Predictions, metrics: Sequence[str]) -> Iterator[Measured]:
    groups = {_group_name(predictions, values): index for values, index in predictions.group_trajectories().items()}
    for entry in score(predictions, metrics):
        yield from _summarise(horizon, entry, {name: entry.per_sample[index] for name, index in groups.items()})


def _measure_tokens(
    checkpoint: Checkpoint, artifact: Artifact, split: SplitName, metrics: Sequence[str], device: str
) -> Iterator[Measured]:
    """What the tokens alone hold, for an emulator that has any."""
    emulator, chosen = checkpoint.emulator, [name for name in metrics if name in token_floor.METRICS]
    if isinstance(emulator, Universal) and chosen:
        label = checkpoint.lineage.label
        decoded = token_floor.decode_tokens_alone(emulator, artifact, split, BATCH_SIZE, label, device)
        yield from _measure("tokens", decoded, chosen)


def _group_name(predictions: Predictions, values: Sequence[float]) -> str:
    """`viscosity=0.001`."""
    return ",".join(f"{name}={value:.6g}" for name, value in zip(predictions.discrete_parameters, values, strict=True))


def _summarise(horizon: Horizon, entry: Score, groups: Mapping[str, np.ndarray]) -> Iterator[Measured]:
    """Per parameter value first, then the geometric mean over the values; where there are none, one median and mean."""

    def measured(value: str | None, statistic: Statistic, found: Estimate | float, headline: bool = False) -> Measured:
        behind = tuple(_rounded(group) for group in groups.values()) if headline else ()
        return Measured(horizon, entry.metric, entry.field, value, statistic, found, behind)

    values = list(groups.values())
    if len(groups) > 1:
        for name, group in groups.items():
            yield measured(name, "median", estimate_median([group]))
            yield measured(name, "mean", estimate_mean([group]))
        yield measured(None, "geometric_mean", estimate_headline([values]), headline=True)
    yield measured(None, "median", estimate_median(values), headline=len(groups) == 1)
    yield measured(None, "mean", estimate_mean(values))
    if entry.pooled is not None:
        yield measured(None, "pooled", entry.pooled)


def _measure_cost(speed: Speed) -> Iterator[Measured]:
    for size, seconds in speed.seconds_per_step.items():
        yield Measured("one_step", cost_metric(size), ALL_FIELDS, None, "median", seconds)
    yield Measured("one_step", "peak_memory_bytes", ALL_FIELDS, None, "median", float(speed.peak_memory_bytes))


def _rounded(group: np.ndarray) -> tuple[float, ...]:
    """Five digits: enough to resample, a tenth of the bytes."""
    return tuple(float(f"{value:.5g}") if np.isfinite(value) else float("inf") for value in group)


def _facts(checkpoint: Checkpoint, artifact: Artifact, split: SplitName) -> dict[str, Any]:
    lineage, description = checkpoint.lineage, checkpoint.description
    return {
        "emulator": description.emulator, "frame": description.frame, "prediction": description.prediction,
        "label": lineage.label, "stages": lineage.stages, "num_parameters": lineage.num_parameters,
        "num_steps": lineage.num_steps, "num_evaluations_per_step": lineage.num_evaluations_per_step,
        "is_deterministic": True, "dataset": artifact.card.name, "recipe_digest": artifact.recipe_digest,
        "content_digest": artifact.content_digest, "split": split,
        "has_probe_misses": bool(artifact.manifest.probe_misses), "seed": lineage.seed,
        "checkpoint_digest": checkpoint.digest, "profile_digest": lineage.profile_digest,
        "commit": lineage.commit, "device": lineage.device, "device_class": lineage.device_class,
        "budget_seconds": lineage.budget_seconds, "wall_seconds": lineage.wall_seconds,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _row(facts: Mapping[str, Any], checkpoint: Checkpoint, measured: Measured) -> Row:
    found = measured.estimate
    interval = {"value": found, "low": None, "high": None} if isinstance(found, float) else vars(found)
    return Row(
        **facts, **interval, horizon=measured.horizon, metric=measured.metric, field=measured.field,
        parameter_value=measured.parameter_value, statistic=measured.statistic, per_sample=measured.per_sample,
        source_digest=_source_digest(checkpoint, facts["dataset"], measured),
    )


def _source_digest(checkpoint: Checkpoint, dataset: str, measured: Measured) -> str:
    of_problem = problem_digest(checkpoint.description.problems[dataset])
    return source_digest(checkpoint.lineage.source_digest, of_problem, measured.metric, measured.horizon)

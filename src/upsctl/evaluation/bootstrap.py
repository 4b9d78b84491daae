"""Statistics over trajectories with bootstrap intervals, seeded, so that a row is the same whenever it is made.

Trajectories come in groups, one for each value of a parameter that takes few; resampling is within groups. A value that
is not finite (a rollout that diverged) counts as infinite.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

NUM_RESAMPLES = 1000
SEED = 0
INTERVAL = (0.025, 0.975)
Groups = Sequence[np.ndarray]
"""One array of per-trajectory values for each parameter value."""


@dataclass(frozen=True)
class Estimate:
    """A value with the low and high end of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


def estimate_mean(groups: Groups) -> Estimate:
    """The mean over all trajectories."""
    return _estimate(lambda indices: _pooled(groups, indices).mean(axis=-1), groups)


def estimate_median(groups: Groups) -> Estimate:
    """The median over all trajectories."""
    return _estimate(lambda indices: np.median(_pooled(groups, indices), axis=-1), groups)


def estimate_headline(seeds: Sequence[Groups]) -> Estimate:
    """The median of each group, their geometric mean over groups, its mean over seeds."""
    return _estimate(lambda indices: _headline(seeds, indices), seeds[0])


def estimate_ratio(ours: Sequence[Groups], theirs: Sequence[Groups]) -> Estimate:
    """The ratio of two headlines, paired: both see the same resampled trajectories.

    Raises:
        ValueError: when the two do not have the same trajectories.
    """
    if {_sizes(groups) for groups in (*ours, *theirs)} != {_sizes(ours[0])}:
        raise ValueError("a paired ratio needs the same trajectories on both sides")
    return _estimate(lambda indices: _headline(ours, indices) / _headline(theirs, indices), ours[0])


def _headline(seeds: Sequence[Groups], indices: Groups) -> np.ndarray:
    numbers = []
    for groups in seeds:
        medians = [np.median(group[index], axis=-1) for group, index in zip(_finite(groups), indices, strict=True)]
        with np.errstate(divide="ignore"):
            numbers.append(np.exp(np.mean(np.log(medians), axis=0)))
    return np.mean(numbers, axis=0)


def _pooled(groups: Groups, indices: Groups) -> np.ndarray:
    return np.concatenate([group[index] for group, index in zip(_finite(groups), indices, strict=True)], axis=-1)


def _estimate(statistic: Callable[[Groups], np.ndarray], groups: Groups) -> Estimate:
    """Apply `statistic` to the identity and to resampled indices (R, n) of every group."""
    generator = np.random.default_rng(SEED)
    resampled = [generator.integers(len(group), size=(NUM_RESAMPLES, len(group))) for group in groups]
    with np.errstate(invalid="ignore", divide="ignore"):
        value = statistic([np.arange(len(group)) for group in groups])
        low, high = np.quantile(statistic(resampled), INTERVAL, method="inverted_cdf")
    return Estimate(float(value), float(low), float(high))


def _finite(groups: Groups) -> list[np.ndarray]:
    return [np.where(np.isfinite(group), group, np.inf) for group in map(np.asarray, groups)]


def _sizes(groups: Groups) -> tuple[int, ...]:
    return tuple(len(group) for group in groups)

"""The settings of one contestant on one dataset, by successive halving on validation."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Protocol

from upsctl.campaign.configuration import Configuration, Specialists, mixture_candidates
from upsctl.evaluation.headline import Mean
from upsctl.suite_profile import ChosenSettings, Contestant, SuiteProfile

Error = Callable[[Configuration], float]
"""A trial whose length and mean are decided."""


class Trial(Protocol):
    """Trains a configuration for so many seconds' worth of updates; its validation error, by a mean over frames."""

    def __call__(self, configuration: Configuration, seconds: float, mean: Mean) -> float:
        """Infinite where the training diverged."""
        ...


def run_sweep(suite: SuiteProfile, contestant: Contestant, dataset: str, trial: Trial) -> ChosenSettings:
    """The whole grid for a short time, the best few for longer, the best of these residual and direct.

    The first two rounds compare geometric means over the rollout's frames: networks so little trained have all lost the
    truth at its end, and noise would choose. The last compares arithmetic ones, as the leaderboard does.

    Args:
        suite: with a sweep.
        contestant: one that is trained by gradient.
        dataset: what it is tuned on.
        trial: how an error is found; asked for the same trial twice, it may remember.
    """
    sweep = suite.sweep
    assert sweep is not None
    start = Configuration(suite, contestant, (dataset,), contestant.label, prediction=contestant.model.prediction)
    grid = [
        replace(start, width=width, learning_rate=rate)
        for width, rate in product(contestant.widths, contestant.learning_rates)
    ]
    tried = _until_inside(grid, partial(trial, seconds=sweep.first_seconds, mean="geometric"))
    best = tried[: sweep.num_finalists]
    finalists = _until_inside(best, partial(trial, seconds=sweep.final_seconds, mean="geometric"))
    forms = [replace(finalists[0], prediction=prediction) for prediction in ("residual", "direct")]
    last_trial = partial(trial, seconds=sweep.prediction_seconds, mean="arithmetic")
    winner, *_ = _ranked(forms, last_trial)
    return winner.settings(error=last_trial(winner))


def run_mixture_sweep(suite: SuiteProfile, specialists: Specialists, trial: Trial) -> ChosenSettings:
    """The settings of one model for all datasets: the specialists' widths and rates, and rates beyond an edge.

    Each trial has the last round's length for each dataset; the form is not varied.
    """
    assert suite.sweep is not None
    last_trial = partial(trial, seconds=suite.sweep.prediction_seconds, mean="arithmetic")
    winner, *_ = _until_inside(mixture_candidates(suite, specialists), last_trial)
    return winner.settings(error=last_trial(winner))


def planned_sweep_seconds(suite: SuiteProfile) -> float:
    """Seconds of training of a suite's sweep: all rounds without their extensions, the mixture's at most."""
    sweep, num_datasets = suite.sweep, len(suite.datasets)
    if sweep is None:
        return 0.0
    later = sweep.num_finalists * sweep.final_seconds + 2 * sweep.prediction_seconds
    sizes = {one.label: len(one.learning_rates) * len(one.widths) for one in suite.contestants if one.is_trained}
    seconds = num_datasets * sum(size * sweep.first_seconds + later for size in sizes.values())
    if suite.mixture is None:
        return seconds
    candidates = min(sizes[suite.contestant(suite.mixture.of).label], num_datasets**2)
    return seconds + candidates * num_datasets * sweep.prediction_seconds


def _until_inside(candidates: Iterable[Configuration], error: Error) -> list[Configuration]:
    """Best first; while the best stands at an edge of this round's rates with its width, the next by a factor of two.

    A rate that an earlier, shorter round left behind is tried again where it is the neighbour of the best: the longer
    the training, the more a small rate or a large one may gain.
    """
    candidates = list(candidates)
    while True:
        ranked = _ranked(candidates, error)
        beyond = _beyond_the_edge(ranked[0], candidates)
        if beyond is None:
            return ranked
        candidates.append(beyond)


def _beyond_the_edge(best: Configuration, tried: Sequence[Configuration]) -> Configuration | None:
    rates = sorted(_rate(one) for one in tried if one.width == best.width)
    if _rate(best) == rates[-1]:
        return replace(best, learning_rate=2 * rates[-1])
    if _rate(best) == rates[0]:
        return replace(best, learning_rate=rates[0] / 2)
    return None


def _ranked(configurations: Sequence[Configuration], error: Error) -> list[Configuration]:
    errors = [error(configuration) for configuration in configurations]
    order = sorted(range(len(errors)), key=lambda index: errors[index])
    return [configurations[index] for index in order]


def _rate(configuration: Configuration) -> float:
    assert configuration.learning_rate is not None
    return configuration.learning_rate

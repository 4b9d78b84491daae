"""The settings of one contestant on one dataset, by successive halving on validation."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import product

from upsctl.campaign.configuration import Configuration, model_digest
from upsctl.source_digest import training_digest
from upsctl.suite_profile import ChosenSettings, Contestant, SuiteProfile

Trial = Callable[[Configuration, float], float]
"""Trains a configuration for so many seconds' worth of updates; returns its validation error."""


def run_sweep(suite: SuiteProfile, contestant: Contestant, dataset: str, trial: Trial) -> ChosenSettings:
    """The whole grid for a short time, the best few for longer, the best of these residual and direct.

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
    tried = _until_inside(grid, grid, sweep.first_seconds, trial)
    finalists = _until_inside(tried[: sweep.num_finalists], tried, sweep.final_seconds, trial)
    forms = [replace(finalists[0], prediction=prediction) for prediction in ("residual", "direct")]
    winner, *_ = _ranked(forms, sweep.prediction_seconds, trial)
    assert winner.learning_rate is not None and winner.width is not None
    return ChosenSettings(
        learning_rate=winner.learning_rate,
        width=winner.width,
        prediction=winner.prediction,
        error=float(f"{trial(winner, sweep.prediction_seconds):.6g}"),
        model_digest=model_digest(contestant, suite),
        source_digest=training_digest(contestant.model.emulator)[:16],
    )


def _until_inside(
    candidates: Sequence[Configuration], tried: Sequence[Configuration], seconds: float, trial: Trial
) -> list[Configuration]:
    """Best first; while the best stands at an edge of the rates tried with its width, the next by a factor of two."""
    candidates, tried = list(candidates), list(tried)
    while True:
        ranked = _ranked(candidates, seconds, trial)
        beyond = _beyond_the_edge(ranked[0], tried)
        if beyond is None:
            return ranked
        candidates.append(beyond)
        tried.append(beyond)


def _beyond_the_edge(best: Configuration, tried: Iterable[Configuration]) -> Configuration | None:
    rates = sorted(_rate(one) for one in tried if one.width == best.width)
    if _rate(best) == rates[-1]:
        return replace(best, learning_rate=2 * rates[-1])
    if _rate(best) == rates[0]:
        return replace(best, learning_rate=rates[0] / 2)
    return None


def _ranked(configurations: Sequence[Configuration], seconds: float, trial: Trial) -> list[Configuration]:
    errors = [trial(configuration, seconds) for configuration in configurations]
    order = sorted(range(len(errors)), key=lambda index: errors[index])
    return [configurations[index] for index in order]


def _rate(configuration: Configuration) -> float:
    assert configuration.learning_rate is not None
    return configuration.learning_rate

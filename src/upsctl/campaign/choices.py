"""The settings of a suite's contestants: found by its own sweep, or by the sweep that it names."""

import math
from collections.abc import Callable

from upsctl.campaign.configuration import Configuration, model_digest
from upsctl.campaign.sweep import Trial, run_sweep
from upsctl.errors import ProfileError
from upsctl.profile_reader import load_profile
from upsctl.source_digest import short_training_digest
from upsctl.suite_profile import ChosenSettings, Contestant, SuiteProfile, SweepResult


def only_choices(name: str, suite: SuiteProfile) -> SweepResult:
    """The one setting that each contestant of an untuned suite has, whose name is `name`."""
    chosen = {one.label: dict.fromkeys(suite.datasets, _only(suite, one)) for one in trained_contestants(suite)}
    mixture = None if suite.mixture is None else _only(suite, suite.contestant(suite.mixture.of))
    return SweepResult(suite=name, chosen=chosen, mixture=mixture)


def known_choices(suite: SuiteProfile) -> SweepResult:
    """What the sweep named by `tuned_by` chose.

    Raises:
        ProfileError: when it lacks a contestant or dataset, or chose for another model.
    """
    assert suite.tuned_by is not None
    result: SweepResult = load_profile("sweeps", suite.tuned_by).profile
    chosen = {
        one.label: {
            name: _known(suite, one, result.chosen.get(one.label, {}).get(name), f"{one.label} on {name}")
            for name in suite.datasets}
        for one in trained_contestants(suite)
    }  # fmt: skip
    if suite.mixture is None:
        return SweepResult(suite=result.suite, chosen=chosen)
    label, contestant = suite.mixture.label, suite.contestant(suite.mixture.of)
    return SweepResult(suite=result.suite, chosen=chosen, mixture=_known(suite, contestant, result.mixture, label))


def tuned_before(suite: SuiteProfile) -> list[str]:
    """The labels of contestants whose settings were chosen for other sources than the present."""
    choices, present = known_choices(suite), {}
    for one in trained_contestants(suite):
        present[one.label] = short_training_digest(one.model.emulator), list(choices.chosen[one.label].values())
    if suite.mixture is not None and choices.mixture is not None:
        present[suite.mixture.label] = present[suite.mixture.of][0], [choices.mixture]
    return [label for label, (digest, chosen) in present.items() if any(one.source_digest != digest for one in chosen)]


def swept_choices(name: str, suite: SuiteProfile, trial: Trial, keep: Callable[[SweepResult], None]) -> SweepResult:
    """What this suite's own sweep chooses for each contestant on each dataset alone.

    Args:
        name: the suite's.
        suite: with a sweep.
        trial: how an error is found.
        keep: gets all that is known after each contestant on each dataset.
    """
    chosen: dict[str, dict[str, ChosenSettings]] = {}
    for one in trained_contestants(suite):
        for dataset in suite.datasets:
            chosen.setdefault(one.label, {})[dataset] = run_sweep(suite, one, dataset, trial)
            keep(SweepResult(suite=name, chosen=chosen))
    return SweepResult(suite=name, chosen=chosen)


def swept_configurations(suite: SuiteProfile) -> list[Configuration]:
    """One configuration for each cost that the sweep's trials can have."""
    return [
        Configuration(suite, one, (name,), one.label, width=width)
        for one in trained_contestants(suite)
        for name in suite.datasets
        for width in one.widths
    ]


def trained_contestants(suite: SuiteProfile) -> list[Contestant]:
    """Those that gradient steps train."""
    return [contestant for contestant in suite.contestants if contestant.is_trained]


def _only(suite: SuiteProfile, contestant: Contestant) -> ChosenSettings:
    (rate,), (width,) = contestant.learning_rates, contestant.widths
    form = contestant.model.prediction
    only = Configuration(suite, contestant, tuple(suite.datasets), contestant.label, rate, width, form)
    return only.settings(error=math.nan)


def _known(suite: SuiteProfile, contestant: Contestant, settings: ChosenSettings | None, whose: str) -> ChosenSettings:
    if settings is None:
        problem = "has no settings for"
    elif settings.model_digest != model_digest(contestant, suite):
        problem = "chose for another model of"
    else:
        return settings
    raise ProfileError(
        f"sweeps/{suite.tuned_by} {problem} {whose}",
        next_step=f"give the suite a `sweep` of its own in place of `tuned_by: {suite.tuned_by}`",
    )

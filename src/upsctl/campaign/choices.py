"""The settings of a suite's contestants: found by its own sweep, or by the sweep that it names."""

import math
from collections.abc import Callable

from upsctl.campaign.configuration import Configuration, model_digest
from upsctl.campaign.entries import Choices
from upsctl.campaign.sweep import Trial, run_sweep
from upsctl.console import warn
from upsctl.errors import ProfileError
from upsctl.profile_reader import load_profile
from upsctl.source_digest import training_digest
from upsctl.suite_profile import ChosenSettings, Contestant, SuiteProfile, SweepResult


def only_choices(suite: SuiteProfile) -> Choices:
    """The one setting that each contestant of an untuned suite has."""
    return {one.label: dict.fromkeys(suite.datasets, _only(suite, one)) for one in trained_contestants(suite)}


def known_choices(suite: SuiteProfile) -> Choices:
    """What the sweep named by `tuned_by` chose.

    Raises:
        ProfileError: when it lacks a contestant or dataset, or chose for another model.
    """
    assert suite.tuned_by is not None
    result: SweepResult = load_profile("sweeps", suite.tuned_by).profile
    return {
        one.label: {name: _known(result, suite, one, name) for name in suite.datasets}
        for one in trained_contestants(suite)
    }


def swept_choices(suite: SuiteProfile, trial: Trial, keep: Callable[[Choices], None]) -> Choices:
    """What this suite's own sweep chooses; `keep` gets all that is known after each contestant on each dataset."""
    choices: dict[str, dict[str, ChosenSettings]] = {one.label: {} for one in trained_contestants(suite)}
    for one in trained_contestants(suite):
        for name in suite.datasets:
            choices[one.label][name] = run_sweep(suite, one, name, trial)
            keep(choices)
    return choices


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
    return ChosenSettings(
        learning_rate=rate,
        width=width,
        prediction=contestant.model.prediction,
        error=math.nan,
        model_digest=model_digest(contestant, suite),
        source_digest=training_digest(contestant.model.emulator)[:16],
    )


def _known(result: SweepResult, suite: SuiteProfile, contestant: Contestant, dataset: str) -> ChosenSettings:
    by_dataset = result.chosen.get(contestant.label, {})
    if dataset not in by_dataset:
        problem = "has no settings for"
    elif by_dataset[dataset].model_digest != model_digest(contestant, suite):
        problem = "chose for another model of"
    else:
        settings = by_dataset[dataset]
        if settings.source_digest != training_digest(contestant.model.emulator)[:16]:
            warn(f"{contestant.label}: sweeps/{suite.tuned_by} chose its settings for other sources than the present")
        return settings
    raise ProfileError(
        f"sweeps/{suite.tuned_by} {problem} {contestant.label} on {dataset}",
        next_step=f"give the suite a `sweep` of its own in place of `tuned_by: {suite.tuned_by}`",
    )

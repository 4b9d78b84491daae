"""Which trainings a suite consists of, once its settings are chosen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from upsctl.campaign.configuration import Configuration, chosen, untuned
from upsctl.evaluation.leaderboard import Leaderboard
from upsctl.suite_profile import SuiteProfile, SweepResult


@dataclass(frozen=True)
class Entry:
    """One training of a suite.

    Attributes:
        configuration: who, with which settings, on which datasets.
        seed: of the training.
        budget: seconds on each dataset; None for what is fitted in closed form.
    """

    configuration: Configuration
    seed: int
    budget: float | None

    @property
    def folder_name(self) -> str:
        """A name that no other entry of the suite has."""
        budget = "" if self.budget is None else f"-{self.budget:g}s"
        return f"{self.configuration.name}-seed{self.seed}{budget}"


def reference_entries(suite: SuiteProfile) -> Iterator[Entry]:
    """What is fitted in closed form, once for each dataset."""
    for contestant in suite.contestants:
        if not contestant.is_trained:
            yield from (Entry(untuned(suite, contestant, name), 0, None) for name in suite.datasets)


def trained_entries(suite: SuiteProfile, choices: SweepResult) -> Iterator[Entry]:
    """All trainings at the suite's budget, seed by seed, a mixture last."""
    for seed in suite.seeds:
        for contestant in suite.contestants:
            if contestant.is_trained:
                for name, settings in choices.chosen[contestant.label].items():
                    yield Entry(chosen(suite, contestant, name, settings), seed, suite.budget_seconds)
        if suite.mixture is not None:
            yield Entry(mixture_configuration(suite, choices), seed, suite.budget_seconds)


def long_entries(suite: SuiteProfile, choices: SweepResult, boards: Sequence[Leaderboard]) -> Iterator[Entry]:
    """Ours and the best baseline of each board, one seed, with several times the budget."""
    if suite.long_budget_factor is None:
        return
    budget = suite.long_budget_factor * suite.budget_seconds
    for board in boards:
        trained = [entry for entry in board.entries if entry.label in choices.chosen and entry.rank is not None]
        baselines = [entry for entry in trained if entry.role != "ours"]
        best = sorted(baselines, key=lambda entry: entry.estimate.value)[:1]
        for entry in (*(entry for entry in trained if entry.role == "ours"), *best):
            name, contestant = board.contest.dataset, suite.contestant(entry.label)
            yield Entry(chosen(suite, contestant, name, choices.chosen[entry.label][name]), suite.seeds[0], budget)


def mixture_configuration(suite: SuiteProfile, choices: SweepResult) -> Configuration:
    """One model for all datasets, with the settings that were chosen for it."""
    mixture, settings = suite.mixture, choices.mixture
    assert mixture is not None and settings is not None
    return Configuration(
        suite, suite.contestant(mixture.of), tuple(suite.datasets), mixture.label, settings.learning_rate,
        settings.width, settings.prediction)

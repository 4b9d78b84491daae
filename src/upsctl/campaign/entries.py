"""Which trainings a suite consists of, once its settings are chosen."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from upsctl.campaign.configuration import Configuration, chosen, untuned
from upsctl.evaluation.leaderboard import Leaderboard
from upsctl.suite_profile import ChosenSettings, SuiteProfile

Choices = Mapping[str, Mapping[str, ChosenSettings]]
"""Label -> dataset -> settings."""


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


def trained_entries(suite: SuiteProfile, choices: Choices) -> Iterator[Entry]:
    """All trainings at the suite's budget, seed by seed, a mixture last."""
    for seed in suite.seeds:
        for contestant in suite.contestants:
            if contestant.is_trained:
                for name, settings in choices[contestant.label].items():
                    yield Entry(chosen(suite, contestant, name, settings), seed, suite.budget_seconds)
        if suite.mixture is not None:
            yield Entry(mixture_configuration(suite, choices), seed, suite.budget_seconds)


def long_entries(suite: SuiteProfile, choices: Choices, boards: Sequence[Leaderboard]) -> Iterator[Entry]:
    """Ours and the best baseline of each board, one seed, with several times the budget."""
    if suite.long_budget_factor is None:
        return
    budget = suite.long_budget_factor * suite.budget_seconds
    for board in boards:
        trained = [entry for entry in board.entries if entry.label in choices and entry.rank is not None]
        baselines = [entry for entry in trained if entry.role != "ours"]
        best = sorted(baselines, key=lambda entry: entry.estimate.value)[:1]
        for entry in (*(entry for entry in trained if entry.role == "ours"), *best):
            name, contestant = board.contest.dataset, suite.contestant(entry.label)
            yield Entry(chosen(suite, contestant, name, choices[entry.label][name]), suite.seeds[0], budget)


def mixture_configuration(suite: SuiteProfile, choices: Choices) -> Configuration:
    """One model for all datasets: the largest width and the smallest learning rate that its specialists chose.

    Direct where all of them are.
    """
    mixture = suite.mixture
    assert mixture is not None
    settings = list(choices[mixture.of].values())
    return Configuration(
        suite,
        suite.contestant(mixture.of),
        tuple(suite.datasets),
        mixture.label,
        learning_rate=min(one.learning_rate for one in settings),
        width=max(one.width for one in settings),
        prediction="direct" if all(one.prediction == "direct" for one in settings) else "residual",
    )

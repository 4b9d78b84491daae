"""One point of a comparison: a contestant with its settings on some datasets, as a training's profile."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from upsctl.profiles import DatasetShare, ModelProfile, RunProfile, StageProfile
from upsctl.source_digest import short_training_digest, training_digest
from upsctl.suite_profile import ChosenSettings, Contestant, SuiteProfile

Specialists = Mapping[str, ChosenSettings]
"""Dataset -> what was chosen for a contestant that is trained on it alone."""


@dataclass(frozen=True)
class Configuration:
    """A contestant with chosen settings.

    Attributes:
        suite: the comparison.
        contestant: one of its contestants.
        datasets: what it is trained on; several for a mixture.
        label: its name in the leaderboard.
        learning_rate, width, prediction: the settings; None, None and the model's own where nothing is tuned.
    """

    suite: SuiteProfile
    contestant: Contestant
    datasets: tuple[str, ...]
    label: str
    learning_rate: float | None = None
    width: int | None = None
    prediction: Literal["residual", "direct"] = "residual"

    @property
    def name(self) -> str:
        """A file's name that no other configuration of the suite has."""
        parts = [self.label, "+".join(self.datasets), self.prediction]
        parts += [f"width{self.width}", f"lr{self.learning_rate:g}"] if self.learning_rate is not None else []
        return "-".join(_plain(part) for part in parts)

    @property
    def cost_name(self) -> str:
        """What one update's cost depends on, by name: label, width, and a digest of model, stage, batches and sources.

        The learning rate and the form of the prediction cost nothing.
        """
        name = f"{self.label} {self.width or ''}".strip()
        return f"{name} {self._cost_digest}"

    @property
    def _cost_digest(self) -> str:
        shares = {name: self.suite.datasets[name].batch_size for name in self.datasets}
        facts = [
            model_digest(self.contestant, self.suite), training_digest(self.model.emulator),
            shares, self.suite.num_threads]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:6]

    @property
    def model(self) -> ModelProfile:
        """The emulator with these settings."""
        model = self.contestant.model
        settings = dict(model.settings)
        if self.width is not None:
            settings = _with(settings, self.contestant.width_setting.split("."), self.width)
        prediction = self.prediction if self.contestant.is_trained else model.prediction
        return model.model_copy(update={"settings": settings, "prediction": prediction})

    def run_profile(
        self, num_steps: int, seed: int = 0, budget: float | None = None, weights: Mapping[str, float] | None = None
    ) -> RunProfile:
        """The profile of its training.

        Args:
            num_steps: updates in all.
            seed: of the training.
            budget: seconds that the updates were counted from.
            weights: dataset -> share of the updates; equal shares where None.
        """
        shares = {name: self._share(name, weights) for name in self.datasets}
        rate = {} if self.learning_rate is None else {"learning_rate": self.learning_rate}
        stage = StageProfile(num_steps=num_steps, settings=self.contestant.stage_settings)
        return RunProfile(
            datasets=shares,
            model=self.model,
            stages={self.contestant.stage: stage},
            label=self.label,
            budget_seconds=budget,
            optimiser=self.suite.optimiser.model_copy(update=rate),
            num_threads=self.suite.num_threads,
            seed=seed,
        )

    def budgeted_profile(
        self, steps: Mapping[str, int], seed: int = 0, budget: float | None = None
    ) -> RunProfile:
        """The profile of its training with so many updates on each dataset."""
        weights = {name: count / sum(steps.values()) for name, count in steps.items()}
        return self.run_profile(sum(steps.values()), seed, budget, weights if len(weights) > 1 else None)

    def settings(self, error: float) -> ChosenSettings:
        """Its settings as a sweep's choice, with the error that they reached."""
        assert self.learning_rate is not None and self.width is not None
        return ChosenSettings(
            learning_rate=self.learning_rate,
            width=self.width,
            prediction=self.prediction,
            error=float(f"{error:.6g}"),
            model_digest=model_digest(self.contestant, self.suite),
            source_digest=short_training_digest(self.model.emulator),
        )

    def _share(self, dataset: str, weights: Mapping[str, float] | None) -> DatasetShare:
        weight = 1.0 if weights is None else weights[dataset]
        return self.suite.datasets[dataset].model_copy(update={"weight": weight})


def untuned(suite: SuiteProfile, contestant: Contestant, dataset: str) -> Configuration:
    """A contestant as it stands in the suite."""
    return Configuration(suite, contestant, (dataset,), contestant.label)


def chosen(suite: SuiteProfile, contestant: Contestant, dataset: str, settings: ChosenSettings) -> Configuration:
    """A contestant with the settings that a sweep chose for a dataset."""
    return Configuration(
        suite, contestant, (dataset,), contestant.label, settings.learning_rate, settings.width, settings.prediction
    )


def mixture_candidates(suite: SuiteProfile, specialists: Specialists) -> list[Configuration]:
    """One model for all datasets with each width and learning rate that its specialists chose.

    It is direct where all of them are.
    """
    mixture, settings = suite.mixture, list(specialists.values())
    assert mixture is not None
    widths, rates = {one.width for one in settings}, {one.learning_rate for one in settings}
    form = "direct" if all(one.prediction == "direct" for one in settings) else "residual"
    return [
        Configuration(suite, suite.contestant(mixture.of), tuple(suite.datasets), mixture.label, rate, width, form)
        for width, rate in product(sorted(widths), sorted(rates))
    ]


def model_digest(contestant: Contestant, suite: SuiteProfile) -> str:
    """Of all that a sweep's choice depends on and that the sweep does not vary."""
    values = contestant.model_dump(mode="json", include={"model", "stage", "stage_settings", "width_setting"})
    optimiser = suite.optimiser.model_dump(mode="json", exclude={"learning_rate"})
    return hashlib.sha256(json.dumps([values, optimiser], sort_keys=True).encode()).hexdigest()[:16]


def _with(settings: dict[str, Any], keys: list[str], value: Any) -> dict[str, Any]:
    """`settings` with one nested value replaced."""
    first, rest = keys[0], keys[1:]
    if not rest:
        return {**settings, first: value}
    return {**settings, first: _with(settings.get(first, {}), rest, value)}  # the model's own defaults stay unsaid


def _plain(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_.+" else "_" for letter in text)

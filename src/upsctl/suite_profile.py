"""The typed profiles of a comparison: its contestants, their sweep, and what the sweep chose."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from upsctl.dataset_card import Frozen
from upsctl.profiles import DatasetShare, ModelProfile, OptimiserProfile, Seed


class SweepProfile(Frozen):
    """How a suite tunes each contestant on each dataset: successive halving on validation, the same for all.

    Attributes:
        first_seconds: training time of every configuration of the grid; the learning rates are extended by factors of
            two while the best one lies at an edge.
        num_finalists, final_seconds: how many go on from there, and their training time.
        prediction_seconds: training time of the best one, once residual and once direct.
    """

    first_seconds: float = Field(default=20.0, gt=0)
    num_finalists: int = Field(default=3, gt=0)
    final_seconds: float = Field(default=60.0, gt=0)
    prediction_seconds: float = Field(default=90.0, gt=0)


class Contestant(Frozen):
    """One emulator of a suite, and the grid that its sweep begins with.

    Attributes:
        label: its name in the leaderboard.
        model: the emulator, before tuning.
        stage: how it is trained.
        stage_settings: the stage's own config.
        learning_rates: ascending by factors of two; none for emulators that are fitted in closed form.
        width_setting: the dotted key of the emulator's settings that `widths` are values of.
        widths: the other axis of the grid.
    """

    label: str
    model: ModelProfile
    stage: str = "supervised"
    stage_settings: dict[str, Any] = Field(default_factory=dict)
    learning_rates: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = ()
    width_setting: str = "width"
    widths: tuple[Annotated[int, Field(gt=0)], ...] = ()

    @model_validator(mode="after")
    def _has_both_axes(self) -> "Contestant":
        if bool(self.learning_rates) != bool(self.widths):
            raise ValueError(f"`{self.label}` has either `learning_rates` and `widths`, or neither")
        return self

    @property
    def is_trained(self) -> bool:
        """Whether gradient steps train it."""
        return bool(self.learning_rates)


class MixtureContestant(Frozen):
    """One checkpoint for all datasets of a suite.

    Attributes:
        label: its name in the leaderboard.
        of: the contestant whose emulator it is.
    """

    label: str
    of: str


class SuiteProfile(Frozen):
    """One comparison.

    Attributes:
        datasets: name of a dataset -> batch size.
        contestants: who takes part.
        budget_seconds: training time of each, counted in steps that were measured beforehand.
        budget_tolerance: a contestant's first training whose time, scaled by the reference, differs from its budget by
            a larger factor is measured and made again.
        seeds: each contestant is trained once with each.
        split: what is evaluated; `--final` adds test.
        optimiser: all but the learning rate, the same for all.
        sweep: how settings are chosen, or
        tuned_by: whose sweep chose them: a profile of sweeps/; without both, each contestant has but one setting.
        mixture: one checkpoint for all datasets, if any.
        long_budget_factor: once more with that many times the budget, one seed: ours and the best baseline.
        num_threads: processor threads of its trainings; 0 takes all cores.
        reference: label of the contestant whose speed tells how busy the machine is.
        timing_seconds: how long that is timed at the start of each part, and each contestant before the first training.
        metrics, figures: names of files.
        note: printed with the leaderboard.
        record: the folder of the campaign's file, sweep and rows; else with the trainings.
    """

    datasets: dict[str, DatasetShare] = Field(min_length=1)
    contestants: tuple[Contestant, ...] = Field(min_length=1)
    budget_seconds: float = Field(gt=0)
    budget_tolerance: float = Field(default=1.1, gt=1)
    seeds: tuple[Seed, ...] = Field(default=(0,), min_length=1)
    split: Literal["valid", "test"] = "valid"
    optimiser: OptimiserProfile = OptimiserProfile()
    sweep: SweepProfile | None = None
    tuned_by: str | None = None
    mixture: MixtureContestant | None = None
    long_budget_factor: float | None = Field(default=None, gt=1)
    num_threads: int = Field(default=0, ge=0)
    reference: str
    timing_seconds: float = Field(default=15.0, gt=0)
    metrics: tuple[str, ...] = ("nrmse",)
    figures: tuple[str, ...] = ()
    note: str = ""
    record: str | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> "SuiteProfile":
        labels = [contestant.label for contestant in self.contestants]
        if self.sweep is not None and self.tuned_by is not None:
            raise ValueError("a suite has its own `sweep` or is `tuned_by` another's, not both")
        is_tuned = self.sweep is not None or self.tuned_by is not None
        several = [one.label for one in self.contestants if len(one.learning_rates) > 1 or len(one.widths) > 1]
        if several and not is_tuned:
            raise ValueError(f"`{several[0]}` has several settings: a `sweep` or `tuned_by` must choose")
        named = [self.reference, *([self.mixture.of] if self.mixture else [])]
        if unknown := [name for name in named if name not in labels]:
            raise ValueError(f"no contestant `{unknown[0]}`; expected one of {', '.join(labels)}")
        if len(set(labels)) < len(labels):
            raise ValueError("labels of contestants must differ")
        return self

    def contestant(self, label: str) -> Contestant:
        """The contestant of that label."""
        return next(contestant for contestant in self.contestants if contestant.label == label)


class ChosenSettings(Frozen):
    """What a sweep chose for one contestant on one dataset, or for a mixture on all of them.

    Attributes:
        learning_rate, width, prediction: the settings.
        error: their validation error in the sweep's last round.
        model_digest: of the contestant's model before tuning; another model needs another sweep.
        source_digest: of the sources that trained the trials.
    """

    learning_rate: float
    width: int
    prediction: Literal["residual", "direct"]
    error: float
    model_digest: str
    source_digest: str


class SweepResult(Frozen):
    """What the sweep of a suite chose; written by `upsctl bench run`.

    Attributes:
        suite: whose sweep.
        chosen: label -> dataset -> settings.
        mixture: settings of the one model for all datasets; None where the suite has none, or has not come to it yet.
    """

    suite: str
    chosen: dict[str, dict[str, ChosenSettings]]
    mixture: ChosenSettings | None = None

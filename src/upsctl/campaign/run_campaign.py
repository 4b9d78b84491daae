"""A suite from beginning to end: step times, settings, trainings, rows; what is found done is not done again."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from itertools import product
from pathlib import Path

from upsctl.campaign.campaign_file import CampaignFile, StepSeconds
from upsctl.campaign.choices import known_choices, only_choices, swept_choices, swept_configurations
from upsctl.campaign.configuration import Configuration, mixture_candidates, untuned
from upsctl.campaign.counted_rows import CountedRows
from upsctl.campaign.entries import Entry, long_entries, reference_entries, trained_entries
from upsctl.campaign.planned_training import train_planned, wall_seconds
from upsctl.campaign.step_times import measure_step_seconds, time_reference
from upsctl.campaign.sweep import run_mixture_sweep
from upsctl.campaign.trials import Trials
from upsctl.checkout import present_commit
from upsctl.console import say, warn
from upsctl.data.artifact import Artifact
from upsctl.data.fetch import open_dataset
from upsctl.errors import DivergedError
from upsctl.evaluation.leaderboard import Leaderboard, build_leaderboards
from upsctl.evaluation.looks import record_look
from upsctl.evaluation.opened_checkpoint import open_checkpoint
from upsctl.evaluation.recorded_evaluation import EvaluationPlan, evaluate_and_record
from upsctl.evaluation.rows import Row
from upsctl.evaluation.rows_file import FILE_NAME, read_rows
from upsctl.machine import device_class, device_name
from upsctl.profile_reader import write_yaml
from upsctl.profiles import RunProfile
from upsctl.sample import SplitName
from upsctl.suite_profile import SuiteProfile, SweepResult
from upsctl.training.trained_run import TrainingData, choose_device


@dataclass(frozen=True)
class Campaign:
    """A suite on this machine.

    Attributes:
        name, suite: the comparison.
        splits: what is evaluated.
        folder: trainings, predictions and figures.
        record: the campaign's file, sweep and rows.
        command: what a person types to run it.
        looked_at: the datasets whose test split was measured in this process.
    """

    name: str
    suite: SuiteProfile
    splits: tuple[SplitName, ...]
    folder: Path
    record: Path
    command: str
    looked_at: set[str] = field(default_factory=set)

    @cached_property
    def data(self) -> TrainingData:
        """Training and validation data of all datasets, in memory."""
        return TrainingData.open(list(self.suite.datasets))

    @cached_property
    def file(self) -> CampaignFile:
        """The campaign's file."""
        facts = (device_name(self.device), device_class(self.device, self.suite.num_threads), present_commit())
        return CampaignFile.open(self.record, self.name, *facts)

    @cached_property
    def device(self) -> str:
        """Where it trains and evaluates."""
        first, *_ = self.suite.datasets
        return choose_device(untuned(self.suite, self.suite.contestants[0], first).run_profile(0))

    @cached_property
    def evaluated(self) -> dict[str, Artifact]:
        """Each dataset, opened for the splits that are evaluated."""
        return {name: open_dataset(name, self.splits) for name in self.suite.datasets}

    @property
    def rows_path(self) -> Path:
        """Where rows grow."""
        return self.record / FILE_NAME

    def run(self) -> None:
        """Everything that is not done yet."""
        self._time_reference()
        self._make_all(list(reference_entries(self.suite)))
        choices = self._choose_settings()
        entries = list(trained_entries(self.suite, choices))
        self._measure([entry.configuration for entry in entries], self.file.facts.step_seconds)
        self._make_all(entries)
        self._make_all(list(long_entries(self.suite, choices, self._boards())))

    def _time_reference(self) -> None:
        """Say in the campaign's file how fast the machine is now; the first time of all stands for it at rest."""
        contestant, facts = self.suite.contestant(self.suite.reference), self.file.facts
        times = {
            name: time_reference(
                untuned(self.suite, contestant, name), name, self.data, self.suite.timing_seconds)
            for name in self.suite.datasets
        }
        facts.reference_seconds.update({name: seconds for name, seconds in times.items()
                                        if name not in facts.reference_seconds})  # fmt: skip
        facts.parts.append({"time": datetime.now(UTC).isoformat(timespec="seconds"), "reference_seconds": times})
        self.file.write()

    def _choose_settings(self) -> SweepResult:
        if self.suite.tuned_by is not None:
            return known_choices(self.suite)
        if self.suite.sweep is None:
            return only_choices(self.name, self.suite)
        self._measure(swept_configurations(self.suite), self.file.facts.sweep_step_seconds)
        valid = {name: open_dataset(name, ("valid",)) for name in self.suite.datasets}
        trials = Trials(self.name, self.command, self.record, self.folder / "trainings", self.file, self.data, valid)
        choices = swept_choices(self.name, self.suite, trials.error, self._keep_choices)
        if self.suite.mixture is None:
            return choices
        specialists = choices.chosen[self.suite.mixture.of]
        self._measure(mixture_candidates(self.suite, specialists), self.file.facts.sweep_step_seconds)
        mixture = run_mixture_sweep(self.suite, specialists, trials.error)
        choices = choices.model_copy(update={"mixture": mixture})
        self._keep_choices(choices)
        return choices

    def _keep_choices(self, choices: SweepResult) -> None:
        """Write what the sweep has chosen so far; it is shipped as a profile of the kind `sweeps`."""
        write_yaml(choices.model_dump(mode="json"), self.record / "sweep.yaml")

    def _measure(self, configurations: Sequence[Configuration], times: StepSeconds) -> None:
        """The step times that a table of the campaign's file lacks, in turn with those that it has."""
        wanted = {(one.cost_name, name): (one, name) for one in configurations for name in one.datasets}
        if any(dataset not in times.get(name, {}) for name, dataset in wanted):
            self.file.add(times, measure_step_seconds(list(wanted.values()), self.data, self.suite.timing_seconds))

    def _make_all(self, entries: Sequence[Entry]) -> None:
        configurations = [entry.configuration for entry in entries]
        for entry in entries:
            self._make_rows(entry, configurations)

    def _make_rows(self, entry: Entry, compared: Sequence[Configuration]) -> None:
        """Train and evaluate one entry, unless its rows are there; one that diverges has no row and stops nobody."""
        try:
            self._try_rows(entry, compared)
        except DivergedError as problem:
            warn(f"{entry.folder_name}: {problem.problem}; it gets no row")

    def _try_rows(self, entry: Entry, compared: Sequence[Configuration]) -> None:
        """Train and evaluate; once more where the budget was counted wrongly."""
        for is_last_try in (False, True):
            profile = self._run_profile(entry)
            rows, places = self._rows(), product(profile.datasets, self.splits)
            missing = [place for place in places if not self._is_made(rows, profile, *place)]
            if not missing:
                return
            path = self.folder / "trainings" / entry.folder_name
            checkpoint = train_planned(path, profile, self.name, self.command, self.data)
            if is_last_try or self._is_settled(entry) or self._is_in_budget(entry, checkpoint):
                self._evaluate(checkpoint, missing)
                return
            say(f"{path.name}: its time and its budget differ by a factor of more than {self.suite.budget_tolerance:g};"
                " measured and trained again")  # fmt: skip
            times = self.file.facts.step_seconds
            times[entry.configuration.cost_name] = {}
            self._measure(compared, times)
            shutil.rmtree(path)

    def _run_profile(self, entry: Entry) -> RunProfile:
        """The training's profile: as many updates on each dataset as the budget buys."""
        one = entry.configuration
        if entry.budget is None:
            return one.run_profile(0)
        steps = {name: self.file.count_steps(one.cost_name, name, entry.budget) for name in one.datasets}
        return one.budgeted_profile(steps, entry.seed, entry.budget)

    def _evaluate(self, checkpoint: Path, places: Sequence[tuple[str, SplitName]]) -> None:
        opened = open_checkpoint(checkpoint, self.device)
        for name, split in places:
            plan = EvaluationPlan(split, self.suite.metrics, self.folder, self.rows_path, self.name, self.device)
            self._tell_look(name, split)
            evaluate_and_record(opened, self.evaluated[name], plan, self.command)

    def _tell_look(self, dataset: str, split: SplitName) -> None:
        if split == "test" and dataset not in self.looked_at:
            record_look(self.record.parent, self.name, dataset, present_commit())
            self.looked_at.add(dataset)

    def _rows(self) -> list[Row]:
        return read_rows(self.rows_path) if self.rows_path.is_file() else []

    def _is_made(self, rows: Sequence[Row], profile: RunProfile, dataset: str, split: SplitName) -> bool:
        artifact = self.evaluated[dataset]
        digests = (artifact.recipe_digest, artifact.content_digest)
        counted = CountedRows(rows, self.name, profile, dataset, split, *digests)
        return counted.are_made(self.suite.metrics)

    def _is_settled(self, entry: Entry) -> bool:
        """Whether a row was counted from the same step times, which therefore stay: all seeds get the same updates."""
        one = entry.configuration
        return any(row.label == one.label and row.dataset in one.datasets and not row.is_stale for row in self._rows())

    def _is_in_budget(self, entry: Entry, checkpoint: Path) -> bool:
        """Whether a training took its budget, times how slow the machine is; the reference is timed again in doubt."""
        if entry.budget is None:
            return True
        datasets = entry.configuration.datasets
        slowness, before = wall_seconds(checkpoint) / (entry.budget * len(datasets)), self._slowness(datasets)
        if self._is_near(slowness, [before]):
            return True
        self._time_reference()
        return self._is_near(slowness, [before, self._slowness(datasets)])

    def _is_near(self, slowness: float, expected: Sequence[float]) -> bool:
        tolerance = self.suite.budget_tolerance
        return min(expected) / tolerance <= slowness <= max(expected) * tolerance

    def _slowness(self, datasets: Sequence[str]) -> float:
        """By the last timing of the reference, the mean over datasets."""
        return sum(self.file.slowness(name) for name in datasets) / len(datasets)

    def _boards(self) -> list[Leaderboard]:
        """The contests at the suite's own budget."""
        boards = build_leaderboards(self._rows(), campaign=self.name)
        own = (self.suite.budget_seconds, self.suite.split)  # nothing is chosen on what `--final` shows
        return [board for board in boards if (board.contest.budget_seconds, board.contest.split) == own]

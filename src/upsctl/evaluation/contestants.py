"""Rows sorted by who made them: which contest each belongs to, and what one contestant has in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from upsctl.evaluation.bootstrap import Groups
from upsctl.evaluation.rows import ALL_FIELDS, Horizon, Row

OURS = "universal"
SOLVER = "coarse_solver"
Role = Literal["ours", "in our frame", "standard", "solver", "reference"]
ROLES: tuple[Role, ...] = ("ours", "in our frame", "standard", "solver", "reference")
"""The order in which contestants stand. A solver learns nothing and knows what the card says; so does our model before
its first update."""


@dataclass(frozen=True)
class Contest:
    """What rows must share to be compared. References, which have no budget, stand in the contests of all budgets.

    `identity` is the recipe digest; the content digest where the content is not what the card's probes say. Trainings
    without a budget (`upsctl train`) are compared where they made as many updates.
    """

    dataset: str
    identity: str
    split: str
    budget_seconds: float | None
    num_steps: int | None
    device_class: str


@dataclass(frozen=True, eq=False)
class Contestant:
    """The rows of one label in one contest and horizon; `headlines` has one for each seed."""

    rows: list[Row]
    headlines: list[Row]

    @property
    def label(self) -> str:
        """Its name."""
        return self.headlines[0].label

    @property
    def groups(self) -> list[Groups]:
        """Seed by seed, what each trajectory has, by parameter value."""
        return [[np.array(group) for group in row.per_sample] for row in self.headlines]

    @property
    def value(self) -> float:
        """The headline, mean over seeds."""
        return float(np.mean([row.value for row in self.headlines]))

    @property
    def spread(self) -> float:
        """The largest headline less the smallest; of one seed 0."""
        values = [row.value for row in self.headlines]
        return max(values) - min(values) if len(values) > 1 else 0.0

    @property
    def role(self) -> Role:
        """By its emulator, frame and training."""
        first = self.headlines[0]
        if first.is_reference:
            return "solver" if first.emulator in (SOLVER, OURS) else "reference"
        if first.emulator == OURS:
            return "ours"
        return "in our frame" if first.frame == "declared" else "standard"

    @property
    def is_stale(self) -> bool:
        """Whether a source of one of its headlines has changed since."""
        return any(row.is_stale for row in self.headlines)

    @property
    def training_seconds(self) -> float:
        """Wall-clock, mean over seeds."""
        return float(np.mean([row.wall_seconds for row in self.headlines]))

    @property
    def by_parameter(self) -> dict[str, float]:
        """Parameter value -> mean over seeds of its median."""
        values: dict[str, dict[int, float]] = {}
        for row in self.rows:
            if row.parameter_value is not None and row.field == ALL_FIELDS and row.statistic == "median":
                values.setdefault(row.parameter_value, {})[row.seed] = row.value
        return {name: float(np.mean(list(by_seed.values()))) for name, by_seed in values.items()}

    @property
    def by_field(self) -> dict[str, float]:
        """Field -> mean over seeds of its headline."""
        fields = dict.fromkeys(row.field for row in self.rows if row.field != ALL_FIELDS)
        headlines = {field: _last_headlines(self.rows, field) for field in fields}
        return {field: float(np.mean([row.value for row in rows])) for field, rows in headlines.items() if rows}


def contest_of(row: Row) -> Contest:
    """The contest that a row belongs to."""
    identity = row.content_digest if row.has_probe_misses else row.recipe_digest
    steps = row.num_steps if row.budget_seconds is None and not row.is_reference else None
    return Contest(row.dataset, identity, row.split, row.budget_seconds, steps, row.device_class)


def contestants_of(contest: Contest, rows: Sequence[Row], horizon: Horizon) -> dict[str, Contestant]:
    """Label -> who has headlines of this horizon in a contest."""
    found = _rows_of(contest, rows, horizon)
    contestants = {label: Contestant(own, _last_headlines(own, ALL_FIELDS)) for label, own in found.items()}
    return {label: contestant for label, contestant in contestants.items() if contestant.headlines}


def values_of(contest: Contest, rows: Sequence[Row], horizon: Horizon) -> dict[str, float]:
    """Label -> its headline of this horizon."""
    return {label: one.value for label, one in contestants_of(contest, rows, horizon).items()}


def least_costs(
    contest: Contest, costs: Sequence[Row], contestants: Mapping[str, Contestant], metric: str, unit: float
) -> dict[str, float]:
    """Label -> the smallest cost of all checkpoints that count, times `unit`, as a machine is only ever too slow."""
    counted = {row.checkpoint_digest for one in contestants.values() for row in one.headlines}
    own = [row for row in costs if row.metric == metric and row.checkpoint_digest in counted]
    found = _rows_of(contest, own, "one_step")
    return {label: unit * min(row.value for row in own) for label, own in found.items()}


def for_several_datasets(rows: Sequence[Row]) -> set[str]:
    """The labels of trained models of which one checkpoint has rows of several datasets."""
    datasets: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if not row.is_reference:
            datasets.setdefault((row.label, row.checkpoint_digest), set()).add(row.dataset)
    return {label for (label, _), found in datasets.items() if len(found) > 1}


def _rows_of(contest: Contest, rows: Sequence[Row], horizon: Horizon) -> dict[str, list[Row]]:
    """The rows of a contest, by label."""
    of_all = replace(contest, budget_seconds=None, num_steps=None)
    found: dict[str, list[Row]] = {}
    for row in rows:
        same = contest_of(row) == contest or (row.is_reference and contest_of(row) == of_all)
        if same and row.horizon == horizon:
            found.setdefault(row.label, []).append(row)
    return found


def _last_headlines(rows: Sequence[Row], field: str) -> list[Row]:
    """One for each seed: the last."""
    by_seed = {row.seed: row for row in rows if row.per_sample and row.field == field}
    return [by_seed[seed] for seed in sorted(by_seed)]

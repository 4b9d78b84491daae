"""Rows -> leaderboards: one for each dataset identity, split, budget and device class, never mixed.

A contestant's number is the mean over its seeds of the headline (per parameter value the median over trajectories, then
the geometric mean). Ratios stand against the best of each kind of opponents, with paired bootstrap intervals over
trajectories. A difference smaller than the spread over seeds is a tie; with one seed, a ratio whose interval holds 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from upsctl.evaluation.bootstrap import Estimate, Groups, estimate_headline, estimate_ratio
from upsctl.evaluation.rows import ALL_FIELDS, Horizon, Row
from upsctl.evaluation.speed import BATCH_SIZES, cost_metric

OURS = "universal"
Role = Literal["ours", "in our frame", "standard", "solver", "reference"]
ROLES: tuple[Role, ...] = ("ours", "in our frame", "standard", "solver", "reference")
"""The order in which contestants stand. A solver learns nothing and knows what the card says."""
BEST_OF_OURS = "best of ours"
OPPONENTS: dict[str, tuple[Role, ...]] = {
    "best baseline": ("standard", "reference"), "best in frame": ("in our frame",), "solver": ("solver",),
    BEST_OF_OURS: ("ours",)}  # fmt: skip
"""Against the best of whom each entry is compared; ours alone against ours, one model for all with the specialists."""
Verdict = Literal["better", "tie", "worse"]
TIMED_BATCH = max(BATCH_SIZES)


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


@dataclass(frozen=True)
class Ratio:
    """An entry's error over an opponent's."""

    estimate: Estimate
    verdict: Verdict


@dataclass(frozen=True, eq=False)
class Entry:
    """One contestant in one contest.

    Attributes:
        label, role, num_parameters, num_steps: who it is.
        rank: by value, from 1; None where a source of its rows has changed since (stale).
        estimate: the headline with its interval.
        seeds: seed -> headline.
        ratios: kind of opponents -> against the best of them; references have none, nor has the best itself.
        one_step, tokens: the headlines of one step and of the tokens alone, if there are rows of them.
        milliseconds: what one step of one sample costs, many in a batch, if it was measured on such a machine.
        by_parameter, by_field: mean over seeds of the medians of each parameter value, and of each field's headline.
    """

    label: str
    role: Role
    num_parameters: int
    num_steps: int
    rank: int | None
    estimate: Estimate
    seeds: dict[int, float]
    ratios: dict[str, Ratio]
    one_step: float | None
    tokens: float | None
    milliseconds: float | None
    by_parameter: dict[str, float]
    by_field: dict[str, float]


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """One contest with its entries: ours, then baselines in our frame, standard ones, solvers, references; by value."""

    contest: Contest
    metric: str
    horizon: Horizon
    entries: list[Entry]


def build_leaderboards(
    rows: Sequence[Row], metric: str = "nrmse", horizon: Horizon = "rollout", campaign: str | None = None,
) -> list[Leaderboard]:
    """All contests that the rows hold, in the order in which they first appear.

    Where a contestant has several rows of one seed in one contest, the last one counts.

    Args:
        rows: of any mixture of datasets, splits, budgets and devices.
        metric, horizon: what is ranked.
        campaign: only rows of this campaign, or all.
    """
    chosen = [row for row in rows if row.metric == metric and campaign in (None, row.campaign)]
    trained = [_contest(row) for row in chosen if not row.is_reference]
    contests = list(dict.fromkeys(trained or [_contest(row) for row in chosen]))
    costs = [row for row in rows if row.metric == cost_metric(TIMED_BATCH) and campaign in (None, row.campaign)]
    boards = [Leaderboard(contest, metric, horizon, _entries(contest, chosen, costs, horizon)) for contest in contests]
    return [board for board in boards if board.entries]


@dataclass(frozen=True, eq=False)
class _Contestant:
    """The rows of one label in one contest and horizon; `headlines` has one for each seed."""

    rows: list[Row]
    headlines: list[Row]

    @property
    def label(self) -> str:
        return self.headlines[0].label

    @property
    def groups(self) -> list[Groups]:
        return [[np.array(group) for group in row.per_sample] for row in self.headlines]

    @property
    def value(self) -> float:
        return float(np.mean([row.value for row in self.headlines]))

    @property
    def spread(self) -> float:
        values = [row.value for row in self.headlines]
        return max(values) - min(values) if len(values) > 1 else 0.0

    @property
    def role(self) -> Role:
        first = self.headlines[0]
        if first.emulator == OURS:
            return "ours"
        knows_the_card = first.frame == "declared"
        if first.is_reference:
            return "solver" if knows_the_card else "reference"
        return "in our frame" if knows_the_card else "standard"

    @property
    def is_stale(self) -> bool:
        return any(row.is_stale for row in self.headlines)


def _contest(row: Row) -> Contest:
    identity = row.content_digest if row.has_probe_misses else row.recipe_digest
    steps = row.num_steps if row.budget_seconds is None and not row.is_reference else None
    return Contest(row.dataset, identity, row.split, row.budget_seconds, steps, row.device_class)


def _rows_of(contest: Contest, rows: Sequence[Row], horizon: Horizon) -> dict[str, list[Row]]:
    """The rows of a contest, by label."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        of_all = replace(contest, budget_seconds=None, num_steps=None)
        same = _contest(row) == contest or (row.is_reference and _contest(row) == of_all)
        if same and row.horizon == horizon:
            found.setdefault(row.label, []).append(row)
    return found


def _contestants(contest: Contest, rows: Sequence[Row], horizon: Horizon) -> dict[str, _Contestant]:
    found = _rows_of(contest, rows, horizon)
    contestants = {label: _Contestant(own, _last_headlines(own, ALL_FIELDS)) for label, own in found.items()}
    return {label: contestant for label, contestant in contestants.items() if contestant.headlines}


def _milliseconds(contest: Contest, costs: Sequence[Row]) -> dict[str, float]:
    """Label -> what one step of one sample takes; the smallest of all seeds, as a machine is only ever too slow."""
    found = _rows_of(contest, costs, "one_step")
    return {label: 1000 * min(row.value for row in own) / TIMED_BATCH for label, own in found.items()}


def _last_headlines(rows: Sequence[Row], field: str) -> list[Row]:
    by_seed = {row.seed: row for row in rows if row.per_sample and row.field == field}
    return [by_seed[seed] for seed in sorted(by_seed)]


def _entries(contest: Contest, rows: Sequence[Row], costs: Sequence[Row], horizon: Horizon) -> list[Entry]:
    contestants = _contestants(contest, rows, horizon)
    one_step, tokens = (_contestants(contest, rows, name) for name in ("one_step", "tokens"))
    on_validation = _contestants(replace(contest, split="valid"), rows, horizon) or contestants
    opponents = {
        name: _best([one for one in contestants.values() if one.role in roles], on_validation)
        for name, roles in OPPONENTS.items()
    }
    ranked = sorted((c for c in contestants.values() if not c.is_stale), key=lambda contestant: contestant.value)
    order = sorted(contestants.values(), key=lambda contestant: (ROLES.index(contestant.role), contestant.value))
    milliseconds = _milliseconds(contest, costs)
    return [
        _entry(contestant, ranked.index(contestant) + 1 if contestant in ranked else None, opponents,
               one_step.get(contestant.label), tokens.get(contestant.label), milliseconds.get(contestant.label))
        for contestant in order
    ]


def _best(baselines: Sequence[_Contestant], on_validation: dict[str, _Contestant]) -> _Contestant | None:
    """The baseline with the lowest number on validation; on the shown split where there are no validation rows."""
    judged = [one for one in baselines if not one.is_stale and one.label in on_validation]
    return min(judged, key=lambda one: on_validation[one.label].value, default=None)


def _entry(
    contestant: _Contestant, rank: int | None, opponents: dict[str, _Contestant | None],
    one_step: _Contestant | None, tokens: _Contestant | None, milliseconds: float | None,
) -> Entry:
    first = contestant.headlines[0]
    return Entry(
        label=first.label, role=contestant.role, num_parameters=first.num_parameters, num_steps=first.num_steps,
        rank=rank, estimate=estimate_headline(contestant.groups),
        seeds={row.seed: row.value for row in contestant.headlines}, ratios=_ratios(contestant, opponents),
        one_step=one_step.value if one_step else None, tokens=tokens.value if tokens else None,
        milliseconds=milliseconds, by_parameter=_by_parameter(contestant), by_field=_by_field(contestant),
    )


def _ratios(contestant: _Contestant, opponents: dict[str, _Contestant | None]) -> dict[str, Ratio]:
    if contestant.role == "reference" or contestant.is_stale:
        return {}
    others = {name: best for name, best in opponents.items() if best is not None and best is not contestant}
    if contestant.role != "ours":
        others.pop(BEST_OF_OURS, None)
    return {name: _compare(contestant, best) for name, best in others.items()}


def _compare(contestant: _Contestant, best: _Contestant) -> Ratio:
    ratio = estimate_ratio(contestant.groups, best.groups)
    if len(contestant.headlines) == len(best.headlines) == 1:
        is_tie = ratio.low <= 1 <= ratio.high
    else:
        is_tie = abs(contestant.value - best.value) < max(contestant.spread, best.spread)
    return Ratio(ratio, "tie" if is_tie else "better" if contestant.value < best.value else "worse")


def _by_parameter(contestant: _Contestant) -> dict[str, float]:
    values: dict[str, dict[int, float]] = {}
    for row in contestant.rows:
        if row.parameter_value is not None and row.field == ALL_FIELDS and row.statistic == "median":
            values.setdefault(row.parameter_value, {})[row.seed] = row.value
    return {name: float(np.mean(list(by_seed.values()))) for name, by_seed in values.items()}


def _by_field(contestant: _Contestant) -> dict[str, float]:
    fields = dict.fromkeys(row.field for row in contestant.rows if row.field != ALL_FIELDS)
    headlines = {field: _last_headlines(contestant.rows, field) for field in fields}
    return {field: float(np.mean([row.value for row in rows])) for field, rows in headlines.items() if rows}

"""Rows -> leaderboards: one for each dataset identity, split, budget and device class, never mixed.

A contestant's number is the mean over its seeds of the headline (per parameter value the median over trajectories, then
the geometric mean). Ratios stand against the best of each kind of opponents, with paired bootstrap intervals over
trajectories. A difference smaller than the spread over seeds is a tie; with one seed, a ratio whose interval holds 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from upsctl.evaluation.bootstrap import Estimate, estimate_headline, estimate_ratio
from upsctl.evaluation.contestants import (
    ROLES,
    Contest,
    Contestant,
    Role,
    contest_of,
    contestants_of,
    for_several_datasets,
    least_costs,
    values_of,
)
from upsctl.evaluation.rows import Horizon, Row
from upsctl.evaluation.speed import BATCH_SIZES, cost_metric

OUR_SPECIALIST = "our specialist"
OPPONENTS: dict[str, tuple[Role, ...]] = {
    "best baseline": ("standard", "reference"), "best in frame": ("in our frame",), "solver": ("solver",),
    OUR_SPECIALIST: ("ours",)}  # fmt: skip
"""Against the best of whom entries are compared. Only one model for several datasets is compared with a specialist, and
it is none."""
TIMED_BATCH = max(BATCH_SIZES)
STEP_SECONDS, MEMORY = cost_metric(TIMED_BATCH), "peak_memory_bytes"
COSTS = (STEP_SECONDS, MEMORY)
Verdict = Literal["better", "tie", "worse"]


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
        training_seconds: wall-clock, mean over seeds.
        milliseconds, megabytes: what one step of one sample costs, many in a batch, and the largest memory meanwhile;
            None where no fresh row says so.
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
    training_seconds: float
    milliseconds: float | None
    megabytes: float | None
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
    trained = [contest_of(row) for row in chosen if not row.is_reference]
    contests = list(dict.fromkeys(trained or [contest_of(row) for row in chosen]))
    costs = [row for row in rows if row.metric in COSTS and campaign in (None, row.campaign) and not row.is_stale]
    boards = [Leaderboard(contest, metric, horizon, _entries(contest, chosen, costs, horizon)) for contest in contests]
    return [board for board in boards if board.entries]


def _entries(contest: Contest, rows: Sequence[Row], costs: Sequence[Row], horizon: Horizon) -> list[Entry]:
    contestants, fresh = contestants_of(contest, rows, horizon), [row for row in rows if not row.is_stale]
    ratios, ranks = _all_ratios(contest, contestants, rows, horizon), _ranks(contestants)
    one_step, tokens = (values_of(contest, fresh, name) for name in ("one_step", "tokens"))
    milliseconds = least_costs(contest, costs, contestants, STEP_SECONDS, 1000 / TIMED_BATCH)
    megabytes = least_costs(contest, costs, contestants, MEMORY, 1e-6)
    order = sorted(contestants.items(), key=lambda item: (ROLES.index(item[1].role), item[1].value))
    return [
        Entry(
            label=label, role=one.role, num_parameters=one.headlines[0].num_parameters,
            num_steps=one.headlines[0].num_steps, rank=ranks.get(label), estimate=estimate_headline(one.groups),
            seeds={row.seed: row.value for row in one.headlines}, ratios=ratios[label],
            one_step=one_step.get(label), tokens=tokens.get(label), training_seconds=one.training_seconds,
            milliseconds=milliseconds.get(label), megabytes=megabytes.get(label),
            by_parameter=one.by_parameter, by_field=one.by_field,
        )
        for label, one in order
    ]  # fmt: skip


def _ranks(contestants: Mapping[str, Contestant]) -> dict[str, int]:
    """Label -> place by value, from 1; the stale have none."""
    fresh = [(one.value, label) for label, one in contestants.items() if not one.is_stale]
    return {label: rank for rank, (_, label) in enumerate(sorted(fresh), start=1)}


def _all_ratios(
    contest: Contest, contestants: Mapping[str, Contestant], rows: Sequence[Row], horizon: Horizon
) -> dict[str, dict[str, Ratio]]:
    """Label -> its ratios; opponents are chosen on validation, on the shown split where it has no rows."""
    on_validation = contestants_of(replace(contest, split="valid"), rows, horizon) or contestants
    generalists = for_several_datasets(rows)
    opponents = _opponents(contestants, on_validation, generalists)
    return {label: _ratios(one, opponents, label in generalists) for label, one in contestants.items()}


def _opponents(
    contestants: Mapping[str, Contestant], on_validation: Mapping[str, Contestant], generalists: set[str]
) -> dict[str, Contestant]:
    """Kind -> the one with the lowest number on validation; references alone are no baseline."""
    found = {}
    for name, roles in OPPONENTS.items():
        left_out = generalists if name == OUR_SPECIALIST else ()
        kind = [one for label, one in contestants.items() if one.role in roles and label not in left_out]
        judged = [one for one in kind if not one.is_stale and one.label in on_validation]
        if any(one.role != "reference" for one in judged):
            found[name] = min(judged, key=lambda one: on_validation[one.label].value)
    return found


def _ratios(contestant: Contestant, opponents: dict[str, Contestant], is_generalist: bool) -> dict[str, Ratio]:
    if contestant.role == "reference" or contestant.is_stale:
        return {}
    return {
        name: _compare(contestant, best) for name, best in opponents.items()
        if best is not contestant and (is_generalist or name != OUR_SPECIALIST)
    }  # fmt: skip


def _compare(contestant: Contestant, best: Contestant) -> Ratio:
    ratio = estimate_ratio(contestant.groups, best.groups)
    if len(contestant.headlines) == len(best.headlines) == 1:
        is_tie = ratio.low <= 1 <= ratio.high
    else:
        is_tie = abs(contestant.value - best.value) < max(contestant.spread, best.spread)
    return Ratio(ratio, "tie" if is_tie else "better" if contestant.value < best.value else "worse")

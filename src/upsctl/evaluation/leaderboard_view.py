"""A leaderboard for people, for machines and as one self-contained HTML page."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from upsctl.console import Result
from upsctl.evaluation.leaderboard import OPPONENTS, Entry, Leaderboard, Ratio

ERROR_COLUMNS = ("emulator", "#", "error", "95 %", "seeds")
DIAGNOSTIC_COLUMNS = ("one step", "tokens")
COST_COLUMNS = ("parameters", "updates", "training s", "ms / step", "peak MB")
EXPLANATION = (
    "Error: per parameter value the median over trajectories, then the geometric mean, then the mean over seeds. "
    "Ratios carry paired 95 % bootstrap intervals over trajectories; `tie`: the difference is smaller than the spread "
    "over seeds or, of one seed, its interval holds 1. The coarse solver learns nothing: it solves the card's "
    "equations, with their coefficients, on the stored grid. Ours is a network around a coarse step of what the card "
    "declares; `ours, untrained` is that step before anything is learnt. Only the column `/ solver` is against the "
    "better of these two. `/ our "
    "specialist`: one checkpoint for several datasets, over ours that learnt this one alone. Tokens: each state "
    "decoded from its own latent tokens alone, a diagnostic. Budgets are counted in updates; training s is what they "
    "took, mean over seeds. Milliseconds: one step of one sample, 16 in a batch, and the memory meanwhile. Stale rows "
    "were made by sources that have changed since; they have no rank."
)
NOTHING: Mapping[str, Any] = {}
STYLE = """
body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1b1b1b;background:#fff}
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:2rem 0 .4rem}p{max-width:60rem;color:#444}
.scroll{overflow-x:auto}table{border-collapse:collapse;white-space:nowrap;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:.25rem .7rem;border-bottom:1px solid #e3e3e3}
th:first-child,td:first-child{text-align:left}
th{font-weight:600;border-bottom:2px solid #888}tr.ours td{background:#eef5fb}tr.stale td{color:#888}
@media(prefers-color-scheme:dark){body{background:#161616;color:#e6e6e6}p{color:#bbb}th,td{border-color:#383838}
tr.ours td{background:#1d2a35}}
"""


def build_result(
    boards: Sequence[Leaderboard], lines: Sequence[str] = (), next_step: str = "", values: Mapping[str, Any] = NOTHING
) -> Result:
    """All leaderboards as one result: for people their tables, for machines the whole truth with `values`."""
    parts = [part for board in boards for part in _tables(board)]
    told = {**values, "leaderboards": [_values(board) for board in boards]}
    return Result(told, lines=lines, parts=parts, next_step=next_step)


def build_page(boards: Sequence[Leaderboard]) -> str:
    """One HTML page without scripts or outside files."""
    sections = "\n".join(_section(board) for board in boards)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>upsctl leaderboard</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}</style></head>\n<body><h1>upsctl leaderboard</h1>\n<p>{escape(EXPLANATION)}</p>\n"
        f"{sections}\n</body></html>\n"
    )


def _title(board: Leaderboard) -> str:
    contest = board.contest
    budget = "no budget" if contest.num_steps is None else f"{contest.num_steps} updates"
    budget = budget if contest.budget_seconds is None else f"{contest.budget_seconds:g} s"
    measure = f"{board.metric} {board.horizon.replace('_', ' ')}"
    return f"{contest.dataset} · {contest.split} · {budget} · {contest.device_class} · {measure}"


def _opponents(board: Leaderboard) -> list[str]:
    """The kinds of opponents that some entry is compared with."""
    return [name for name in OPPONENTS if any(name in entry.ratios for entry in board.entries)]


def _columns(board: Leaderboard) -> list[str]:
    return [*ERROR_COLUMNS, *(f"/ {name}" for name in _opponents(board)), *DIAGNOSTIC_COLUMNS]


def _cells(entry: Entry, opponents: Sequence[str]) -> list[str]:
    return [
        entry.label,
        "stale" if entry.rank is None else str(entry.rank),
        _number(entry.estimate.value),
        f"{_number(entry.estimate.low)}–{_number(entry.estimate.high)}",
        _seeds(entry),
        *(_ratio(entry.ratios[name]) if name in entry.ratios else "" for name in opponents),
        *map(_known, (entry.one_step, entry.tokens)),
    ]


def _costs(entry: Entry) -> list[str]:
    seconds = f"{entry.training_seconds:.0f}" if entry.num_steps else ""
    sizes = [f"{entry.num_parameters:,}", f"{entry.num_steps:,}", seconds]
    return [*sizes, *map(_known, (entry.milliseconds, entry.megabytes))]


def _known(value: float | None) -> str:
    return "" if value is None else _number(value)


def _seeds(entry: Entry) -> str:
    values = list(entry.seeds.values())
    return "1" if len(values) == 1 else f"{len(values)}: {_number(min(values))}–{_number(max(values))}"


def _ratio(ratio: Ratio) -> str:
    value, note = ratio.estimate, " tie" if ratio.verdict == "tie" else ""
    return f"{_number(value.value)} ({_number(value.low)}–{_number(value.high)}){note}"


def _number(value: float) -> str:
    return f"{value:.3g}"


def _tables(board: Leaderboard) -> list[Result]:
    rows = [_cells(entry, _opponents(board)) for entry in board.entries]
    parts = [Result({}, lines=["", _title(board)], columns=_columns(board), rows=rows)]
    names = _breakdown_names(board)
    if names:
        rows = [[entry.label, *_breakdown(entry, names)] for entry in board.entries]
        parts.append(Result({}, columns=("emulator", *names), rows=rows))
    costs = [[entry.label, *_costs(entry)] for entry in board.entries]
    return [*parts, Result({}, columns=("emulator", *COST_COLUMNS), rows=costs)]


def _breakdown_names(board: Leaderboard) -> list[str]:
    """The parameter values, then the fields, that the contestants are broken down by."""
    return list(dict.fromkeys(name for entry in board.entries for name in (*entry.by_parameter, *entry.by_field)))


def _breakdown(entry: Entry, names: Sequence[str]) -> list[str]:
    parts = entry.by_parameter | entry.by_field
    return [_number(parts[name]) if name in parts else "" for name in names]


def _values(board: Leaderboard) -> dict[str, Any]:
    entries = [_plain(asdict(entry)) for entry in board.entries]
    return asdict(board.contest) | {"metric": board.metric, "horizon": board.horizon, "entries": entries}


def _plain(value: Any) -> Any:
    """JSON knows no infinity: a diverged number is null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _section(board: Leaderboard) -> str:
    extra = _breakdown_names(board)
    head = "".join(f"<th>{escape(name)}</th>" for name in (*_columns(board), *extra, *COST_COLUMNS))
    body = "\n".join(_table_row(entry, _opponents(board), extra) for entry in board.entries)
    return (f'<h2>{escape(_title(board))}</h2>\n<div class="scroll"><table><thead><tr>{head}</tr></thead>\n'
            f"<tbody>{body}</tbody></table></div>")


def _table_row(entry: Entry, opponents: Sequence[str], extra: Sequence[str]) -> str:
    cells = [*_cells(entry, opponents), *_breakdown(entry, extra), *_costs(entry)]
    kind = "stale" if entry.rank is None else "ours" if entry.role == "ours" else "other"
    return f'<tr class="{kind}">' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"

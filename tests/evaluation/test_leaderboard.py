import json
import math
from html.parser import HTMLParser
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_args

import pytest

from evaluation.toy_rows import FACTS, present_digest, toy_rows
from upsctl.errors import DataError, DiskError
from upsctl.evaluation.leaderboard import Entry, Leaderboard, build_leaderboards
from upsctl.evaluation.leaderboard_view import build_page, build_result
from upsctl.evaluation.rows import Horizon, Row, source_digest
from upsctl.evaluation.rows_file import append_rows, read_rows

OURS: dict[str, Any] = {"emulator": "universal", "label": "ours", "frame": "declared"}
IN_FRAME: dict[str, Any] = {"label": "FNO in our frame", "frame": "declared"}
UNET: dict[str, Any] = {"emulator": "unet", "label": "U-Net"}
PERSISTENCE: dict[str, Any] = {
    "emulator": "persistence", "label": "persistence", "num_steps": 0, "budget_seconds": None}

SOLVER: dict[str, Any] = {
    "emulator": "coarse_solver", "label": "coarse solver", "frame": "declared", "num_steps": 0, "budget_seconds": None}


def only(boards: list[Leaderboard]) -> dict[str, Entry]:
    (board,) = boards
    return {entry.label: entry for entry in board.entries}


def ratios(entry: Entry) -> dict[str, float]:
    return {name: ratio.estimate.value for name, ratio in entry.ratios.items()}


def test_ours_stands_first_and_the_baselines_in_our_frame_directly_under_it() -> None:
    rows = [*toy_rows(1.0, **PERSISTENCE), *toy_rows(0.2, **UNET), *toy_rows(0.04, **IN_FRAME), *toy_rows(0.3),
            *toy_rows(0.05, **OURS)]
    entries = only(build_leaderboards(rows))
    assert list(entries) == ["ours", "FNO in our frame", "U-Net", "FNO", "persistence"]
    assert [entry.rank for entry in entries.values()] == [2, 1, 3, 4, 5]
    assert entries["ours"].estimate.value == pytest.approx(0.05 * math.sqrt(2), rel=0.05)
    assert entries["ours"].by_parameter["viscosity=0.001"] == pytest.approx(
        2 * entries["ours"].by_parameter["viscosity=0.1"])


def test_ratios_stand_against_the_best_baseline_of_each_kind() -> None:
    rows = [*toy_rows(0.2, **UNET), *toy_rows(0.04, **IN_FRAME), *toy_rows(0.3), *toy_rows(0.05, **OURS)]
    ours = only(build_leaderboards(rows))["ours"]
    assert ratios(ours) == pytest.approx({"best baseline": 0.25, "best in frame": 1.25})
    assert [ratio.verdict for ratio in ours.ratios.values()] == ["better", "worse"]


def test_a_solver_is_no_baseline_but_has_a_ratio_of_its_own() -> None:
    """It learns nothing, so "the best baseline in our frame" is never it."""
    rows = [*toy_rows(0.3), *toy_rows(0.04, **IN_FRAME), *toy_rows(0.05, **OURS), *toy_rows(0.01, **SOLVER)]
    entries = only(build_leaderboards(rows))
    ours = entries["ours"]
    assert list(entries) == ["ours", "FNO in our frame", "FNO", "coarse solver"]
    assert entries["coarse solver"].rank == 1
    assert ratios(ours) == pytest.approx({"best baseline": 0.05 / 0.3, "best in frame": 1.25, "solver": 5.0})
    assert ours.ratios["solver"].verdict == "worse"


def both(error: float) -> list[Row]:
    """One checkpoint's rows on two datasets."""
    facts = {**OURS, "label": "ours, one checkpoint for both", "checkpoint_digest": "b" * 64}
    return [*toy_rows(error, **facts), *toy_rows(error, **facts, dataset="navier_stokes2d_subset_v1")]


@pytest.mark.parametrize("error", [0.055, 0.04])
def test_one_model_for_several_datasets_is_compared_with_the_specialist(error: float) -> None:
    """Better or worse than it; and nobody else is."""
    boards = build_leaderboards([*toy_rows(0.3), *toy_rows(0.05, **OURS), *both(error)])
    entries = {entry.label: entry for entry in boards[0].entries}
    assert ratios(entries["ours, one checkpoint for both"])["our specialist"] == pytest.approx(error / 0.05)
    assert not [label for label in ("ours", "FNO") if "our specialist" in entries[label].ratios]
    assert "/ our specialist" in build_result(boards).parts[0].columns
    alone = build_leaderboards([*toy_rows(0.3), *toy_rows(0.05, **OURS)])
    assert "/ our specialist" not in build_result(alone).parts[0].columns


def test_ours_before_its_first_update_is_a_solver() -> None:
    """Its steps know what the card says, and nothing was learnt."""
    untrained = OURS | {"label": "ours, untrained", "num_steps": 0, "budget_seconds": None}
    rows = [*toy_rows(0.3), *toy_rows(0.05, **OURS), *toy_rows(0.1, **untrained)]
    entries = only(build_leaderboards(rows))
    assert list(entries) == ["ours", "FNO", "ours, untrained"]
    assert entries["ours"].ratios["solver"].estimate.value == pytest.approx(0.5)
    assert entries["ours"].ratios["best baseline"].estimate.value == pytest.approx(1 / 6)


def test_a_cost_of_another_checkpoint_than_those_that_count_is_not_shown() -> None:
    cost = toy_rows(1.0, horizon="one_step", metric="seconds_per_step_batch_16")[0]
    rows = [*toy_rows(0.3), cost.model_copy(update={"value": 0.16}),
            cost.model_copy(update={"value": 0.08, "checkpoint_digest": "replaced"})]
    assert only(build_leaderboards(rows))["FNO"].milliseconds == pytest.approx(10)


def test_references_alone_are_no_baseline() -> None:
    """A contest of ours and a baseline in our frame has no ratio to persistence."""
    rows = [*toy_rows(0.05, **OURS), *toy_rows(0.1, **IN_FRAME), *toy_rows(0.2, **PERSISTENCE)]
    entries = only(build_leaderboards(rows))
    assert ratios(entries["ours"]) == pytest.approx({"best in frame": 0.5})
    better = only(build_leaderboards([*toy_rows(0.05, **OURS), *toy_rows(0.3), *toy_rows(0.2, **PERSISTENCE)]))
    assert ratios(better["ours"]) == pytest.approx({"best baseline": 0.25})


def test_stale_costs_and_diagnostics_are_not_shown() -> None:
    fresh, facts = toy_rows(0.1), {"metric": "seconds_per_step_batch_16", "horizon": "one_step"}
    cost = fresh[0].model_copy(update={**facts, "value": 0.16, "source_digest": "old"})
    step = fresh[0].model_copy(update={"horizon": "one_step", "source_digest": "old"})
    entry = only(build_leaderboards([*fresh, cost, step]))["FNO"]
    assert (entry.milliseconds, entry.one_step, entry.rank) == (None, None, 1)


def test_a_step_costs_what_the_fastest_seed_took() -> None:
    slow, fast = toy_rows(0.1), toy_rows(0.1, seed=1)
    facts = {**FACTS, "metric": "seconds_per_step_batch_16", "horizon": "one_step"}
    costs = [
        slow[0].model_copy(update={
            "metric": "seconds_per_step_batch_16", "horizon": "one_step", "seed": seed, "value": value,
            "source_digest": present_digest(facts)})
        for seed, value in ((0, 0.32), (1, 0.16))
    ]  # fmt: skip
    entry = only(build_leaderboards([*slow, *fast, *costs]))["FNO"]
    assert entry.milliseconds == pytest.approx(10.0)
    assert only(build_leaderboards(slow))["FNO"].milliseconds is None


def test_the_best_baseline_is_chosen_on_validation() -> None:
    rows = [*toy_rows(0.2, **UNET), *toy_rows(0.3), *toy_rows(0.06, **OURS),
            *toy_rows(0.2, **UNET, split="valid"), *toy_rows(0.1, split="valid")]
    boards = build_leaderboards(rows)
    entries = {entry.label: entry for entry in next(b for b in boards if b.contest.split == "test").entries}
    assert ratios(entries["FNO"]) == {}
    assert ratios(entries["ours"]) == pytest.approx({"best baseline": 0.2})


@pytest.mark.parametrize(
    "other", [{"recipe_digest": "s" * 64}, {"split": "valid"}, {"budget_seconds": 200.0}, {"device_class": "8 cores"},
              {"has_probe_misses": True}])
def test_rows_of_another_contest_are_never_mixed(other: dict[str, Any]) -> None:
    boards = build_leaderboards([*toy_rows(0.3), *toy_rows(0.1, **OURS, **other)])
    assert [len(board.entries) for board in boards] == [1, 1]


def test_a_difference_smaller_than_the_spread_over_seeds_is_a_tie() -> None:
    theirs = [row for seed, error in enumerate((0.10, 0.13)) for row in toy_rows(error, seed=seed)]
    close = [row for seed, error in enumerate((0.10, 0.11)) for row in toy_rows(error, **OURS, seed=seed)]
    apart = [row for seed, error in enumerate((0.05, 0.06)) for row in toy_rows(error, **OURS, seed=seed)]
    assert only(build_leaderboards([*theirs, *close]))["ours"].ratios["best baseline"].verdict == "tie"
    assert only(build_leaderboards([*theirs, *apart]))["ours"].ratios["best baseline"].verdict == "better"
    assert only(build_leaderboards([*theirs, *apart]))["ours"].seeds.keys() == {0, 1}


def test_a_row_of_changed_sources_is_stale_and_not_ranked() -> None:
    rows = [*toy_rows(0.1, source_digest="old"), *toy_rows(0.2, **UNET), *toy_rows(0.15, **OURS)]
    entries = only(build_leaderboards(rows))
    assert {label: entry.rank for label, entry in entries.items()} == {"ours": 1, "U-Net": 2, "FNO": None}
    assert ratios(entries["ours"]) == pytest.approx({"best baseline": 0.75})
    assert "stale" in [cell for row in build_result(build_leaderboards(rows)).parts[0].rows for cell in row]


def test_a_row_of_an_emulator_that_has_left_the_project_is_stale() -> None:
    (row, *_) = toy_rows(0.1, emulator="vanished", source_digest="old")
    assert row.is_stale


def test_the_horizon_of_tokens_has_sources_of_its_own() -> None:
    digests = {horizon: source_digest("t" * 64, "p" * 16, "nrmse", horizon) for horizon in get_args(Horizon)}
    assert digests["one_step"] == digests["rollout"] != digests["tokens"]


def test_the_last_row_of_a_seed_counts() -> None:
    assert only(build_leaderboards([*toy_rows(0.3), *toy_rows(0.2)]))["FNO"].estimate.value < 0.3


def test_rows_survive_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = toy_rows(0.3)
    diverged = rows[0].model_copy(update={"value": math.inf, "per_sample": ((math.inf, 1.0),)})
    append_rows(path, rows)
    append_rows(path, [diverged])
    assert read_rows(path) == [*rows, diverged]
    for line in path.read_text().splitlines():
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def _append(path: Path, seed: int) -> None:
    append_rows(path, toy_rows(0.3, seed=seed))


def test_two_processes_lose_no_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    workers = [get_context("spawn").Process(target=_append, args=(path, seed)) for seed in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted({row.seed for row in read_rows(path)}) == [0, 1, 2]


def test_a_line_that_is_no_row_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append_rows(path, toy_rows(0.3))
    (line,) = path.read_text().splitlines()
    for wrong in ('{"label": "FNO"}', '{"label": "FNO", "numbers": [{}]}', "no JSON", "[]"):
        path.write_text(f"{line}\n{wrong}\n")
        with pytest.raises(DataError, match=r"rows\.jsonl:2: not a row"):
            read_rows(path)
    path.write_bytes(b"\x89HDF\xff\n")
    with pytest.raises(DataError, match=r"rows\.jsonl:1: not a row"):
        read_rows(path)
    with pytest.raises(DataError, match="no rows there"):
        read_rows(tmp_path / "other.jsonl")


def test_a_folder_in_the_way_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").mkdir()
    with pytest.raises(DiskError, match="not written"):
        append_rows(tmp_path / "rows.jsonl", toy_rows(0.3))


class _Cells(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        self.outside += [str(value) for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if self.rows and data.strip():
            self.rows[-1].append(data)


def test_the_page_stands_alone_and_shows_every_contestant() -> None:
    rows: list[Row] = [*toy_rows(0.3, label="FNO <b>"), *toy_rows(0.05, **OURS)]
    parser = _Cells()
    parser.feed(build_page(build_leaderboards(rows)))
    assert parser.outside == []
    assert [row[0] for row in parser.rows] == ["emulator", "ours", "FNO <b>"]
    assert "viscosity=0.001" in parser.rows[0]

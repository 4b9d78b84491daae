"""What a campaign finds done: the rows that count must be as it would make them now."""

from typing import Any

import pytest

from evaluation.toy_rows import FACTS, toy_rows
from upsctl.campaign.counted_rows import CountedRows
from upsctl.evaluation.rows import Row
from upsctl.profiles import DatasetShare, ModelProfile, RunProfile, StageProfile
from upsctl.training.lineage import profile_digest

DATASET = FACTS["dataset"]
PROFILE = RunProfile(
    datasets={DATASET: DatasetShare()}, model=ModelProfile(emulator="fno"),
    stages={"supervised": StageProfile(num_steps=500)}, label="FNO", budget_seconds=100.0)
MADE = {"profile_digest": profile_digest(PROFILE)}


def are_made(rows: list[Row], *metrics: str) -> bool:
    counted = CountedRows(rows, "toy", PROFILE, DATASET, "test", FACTS["recipe_digest"], FACTS["content_digest"])
    return counted.are_made(metrics or ("nrmse",))


def test_rows_of_this_profile_and_these_sources_are_not_made_again() -> None:
    assert are_made(toy_rows(0.1, **MADE))
    assert not are_made([])


@pytest.mark.parametrize(
    "other",
    [
        {"profile_digest": "another's"},
        {"recipe_digest": "data that were solved otherwise"},
        {"content_digest": "data that were packed otherwise"},
        {"source_digest": "sources that have changed"},
        {"seed": 1},
        {"split": "valid"},
        {"campaign": "another"},
        {"budget_seconds": 20.0},
        {"label": "U-Net"},
    ],
)
def test_rows_of_anything_else_do_not_count(other: dict[str, Any]) -> None:
    assert not are_made(toy_rows(0.1, **MADE | other))


def test_the_last_row_counts_as_on_the_leaderboard() -> None:
    """What an override or an edit made since stands on the leaderboard until the plain command has run again."""
    for other in ({"profile_digest": "an override's"}, {"source_digest": "of an edit"}):
        since = toy_rows(0.2, **MADE | other)
        assert not are_made([*toy_rows(0.1, **MADE), *since])
        assert are_made([*toy_rows(0.1, **MADE), *since, *toy_rows(0.1, **MADE)])


def test_a_metric_that_was_never_measured_or_has_changed_is_measured() -> None:
    rows = toy_rows(0.1, **MADE)
    assert not are_made(rows, "nrmse", "vrmse")
    assert are_made([*rows, *toy_rows(0.1, **MADE, metric="vrmse")], "nrmse", "vrmse")
    changed = toy_rows(0.1, **MADE, metric="vrmse", source_digest="changed")
    assert not are_made([*rows, *changed], "nrmse", "vrmse")

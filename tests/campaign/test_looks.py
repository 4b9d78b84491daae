"""Redesigning against the test split is a leak: `--final` adds it to what is evaluated, and each look is told."""

import json
from pathlib import Path

import pytest

from upsctl.campaign.open_campaign import open_campaign
from upsctl.errors import DataError
from upsctl.evaluation.looks import FILE_NAME, count_looks, record_look


def test_a_look_at_the_test_split_is_asked_for() -> None:
    designing = open_campaign("grids", [], None, is_final=False)
    final = open_campaign("grids", [], None, is_final=True)
    assert (designing.splits, final.splits) == (("valid",), ("valid", "test"))
    assert (designing.command, final.command) == ("upsctl bench run grids", "upsctl bench run grids --final")


def test_a_command_tells_what_the_environment_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSCTL_SET__SUITES__SEEDS", "[0, 1]")
    campaign = open_campaign("smoke", ["timing_seconds=1"], None, is_final=False)
    assert campaign.command == "UPSCTL_SET__SUITES__SEEDS='[0, 1]' upsctl bench run smoke --set timing_seconds=1"


def test_looks_are_counted_by_what_was_looked_at_whoever_looked(tmp_path: Path) -> None:
    assert count_looks(tmp_path, "one") == 0
    record_look(tmp_path, "grids", "one", "abc")
    record_look(tmp_path, "quickstart", "one", "abc")
    record_look(tmp_path, "grids", "two", "abc")
    assert (count_looks(tmp_path, "one"), count_looks(tmp_path, "two")) == (2, 1)
    first, *_ = (tmp_path / FILE_NAME).read_text().splitlines()
    assert json.loads(first)["campaign"] == "grids"


@pytest.mark.parametrize("line", ["{", "[]", '"text"'])
def test_a_line_that_is_no_look_is_named(tmp_path: Path, line: str) -> None:
    record_look(tmp_path, "grids", "one", "abc")
    with (tmp_path / FILE_NAME).open("a") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataError, match=rf"{FILE_NAME}:2"):
        count_looks(tmp_path, "one")

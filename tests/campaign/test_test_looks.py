"""Redesigning against the test split is a leak: `--final` alone evaluates it, and each look is told."""

import json
from pathlib import Path

from upsctl.campaign.open_campaign import count_test_looks, open_campaign, record_test_look


def test_a_look_at_the_test_split_is_asked_for_and_told(tmp_path: Path) -> None:
    designing = open_campaign("grids", [], tmp_path / "grids", is_final=False)
    final = open_campaign("grids", [], tmp_path / "grids", is_final=True)
    assert (designing.split, final.split) == ("valid", "test")
    assert (designing.command, final.command) == ("upsctl bench run grids", "upsctl bench run grids --final")
    assert count_test_looks(final) == 0
    record_test_look(final)
    record_test_look(final)
    assert count_test_looks(final) == 2
    (line, _) = (tmp_path / "test_looks.jsonl").read_text().splitlines()
    assert json.loads(line)["campaign"] == "grids"

"""From measured times to counted updates: what was known tells how busy the machine is."""

from pathlib import Path

import pytest

from upsctl.campaign.campaign_file import CampaignFile, num_steps


def new_file(folder: Path) -> CampaignFile:
    file = CampaignFile.open(folder, "toy", "cpu", "2 cores", "abc")
    file.facts.reference_seconds["one"] = 0.1
    file.facts.parts.append({"time": "now", "reference_seconds": {"one": 0.2}})
    return file


def test_the_first_times_are_scaled_by_the_reference(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add(file.facts.step_seconds, {("ours 64", "one"): 0.4})
    assert file.facts.step_seconds == {"ours 64": {"one": pytest.approx(0.2)}}
    assert num_steps(file.facts.step_seconds, "ours 64", "one", 10) == 50


def test_later_times_are_scaled_by_those_known_already_which_stay(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add(file.facts.step_seconds, {("ours 64", "one"): 0.4, ("FNO 20", "one"): 0.2})
    file.add(file.facts.step_seconds, {("ours 64", "one"): 0.6, ("FNO 20", "one"): 0.3, ("U-Net 16", "one"): 0.9})
    known = {name: times["one"] for name, times in file.facts.step_seconds.items()}
    assert known == {"ours 64": pytest.approx(0.2), "FNO 20": pytest.approx(0.1), "U-Net 16": pytest.approx(0.3)}
    assert CampaignFile.open(tmp_path, "toy", "cpu", "2 cores", "abc").facts == file.facts


def test_the_file_says_how_many_updates_a_budget_buys(tmp_path: Path) -> None:
    file = new_file(tmp_path)
    file.add(file.facts.step_seconds, {("ours 64", "one"): 0.4})
    assert file.count_steps("ours 64", "one", 180) == 900
    again = CampaignFile.open(tmp_path, "toy", "cpu", "2 cores", "abc")
    assert again.facts.num_steps == {"ours 64": {"one": {"180": 900}}}

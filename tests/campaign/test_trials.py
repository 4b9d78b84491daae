"""A sweep's trials: trained once, remembered in a file, and tried again when what they depend on has changed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from upsctl.campaign.campaign_file import CampaignFile
from upsctl.campaign.choices import swept_configurations
from upsctl.campaign.configuration import Configuration
from upsctl.campaign.trials import FILE_NAME, Trials
from upsctl.data.fetch import open_dataset
from upsctl.profiles import DatasetShare, ModelProfile
from upsctl.suite_profile import Contestant, SuiteProfile
from upsctl.training.trained_run import TrainingData

DATASET = "burgers1d_tiny_v1"
FNO = Contestant(
    label="FNO", model=ModelProfile(emulator="fno"), learning_rates=(0.004,), width_setting="width", widths=(4,))
SUITE = SuiteProfile(
    datasets={DATASET: DatasetShare(batch_size=4)}, contestants=(FNO,), budget_seconds=1, reference="FNO",
    num_threads=1)


def configuration() -> Configuration:
    (one,) = swept_configurations(SUITE)
    return replace(one, learning_rate=0.004)


@pytest.fixture
def trials(tmp_path: Path) -> Trials:
    """Ten updates a second, by a file that was measured before."""
    file = CampaignFile.open(tmp_path, "toy", "cpu", "1 core", "abc")
    file.facts.sweep_step_seconds[configuration().cost_name] = {DATASET: 0.1}
    valid = {DATASET: open_dataset(DATASET, ("valid",))}
    return Trials("toy", "toy", tmp_path, tmp_path / "trainings", file, TrainingData.open([DATASET]), valid)


def reopened(trials: Trials) -> Trials:
    """As the next process sees them; `replace` makes a new object, which reads the file."""
    return replace(trials)


def test_a_trial_trains_what_its_time_buys_and_leaves_one_line(trials: Trials) -> None:
    error = trials.error(configuration(), 0.5, "arithmetic")
    (line,) = map(json.loads, (trials.record / FILE_NAME).read_text().splitlines())
    assert (line["datasets"][DATASET]["num_steps"], line["seconds"], line["mean"]) == (5, 0.5, "arithmetic")
    assert float(line["error"]) == error
    assert not list(trials.trainings.iterdir()), "a trial's run is not kept"


def test_a_trial_that_was_made_is_not_made_again(trials: Trials) -> None:
    error = trials.error(configuration(), 0.5, "geometric")
    known = (trials.record / FILE_NAME).read_text()
    assert reopened(trials).error(configuration(), 0.5, "geometric") == error
    assert (trials.record / FILE_NAME).read_text() == known


def test_another_rate_length_or_mean_is_another_trial(trials: Trials) -> None:
    trials.error(configuration(), 0.5, "geometric")
    trials.error(replace(configuration(), learning_rate=0.008), 0.5, "geometric")
    trials.error(configuration(), 0.7, "geometric")
    trials.error(configuration(), 0.5, "arithmetic")
    assert len((trials.record / FILE_NAME).read_text().splitlines()) == 4


def test_what_other_sources_were_tried_with_is_tried_again(trials: Trials) -> None:
    trials.error(configuration(), 0.5, "geometric")
    path = trials.record / FILE_NAME
    line = json.loads(path.read_text()) | {"source_digest": "of an edit", "error": "0.5"}
    path.write_text(json.dumps(line) + "\n")
    assert reopened(trials).error(configuration(), 0.5, "geometric") != 0.5
    assert len(path.read_text().splitlines()) == 2


def test_a_trial_that_diverges_is_infinitely_wrong_and_stops_nobody(trials: Trials) -> None:
    wild = replace(configuration(), learning_rate=1e30)
    assert trials.error(wild, 2.0, "geometric") == float("inf")
    assert reopened(trials).error(wild, 2.0, "geometric") == float("inf")

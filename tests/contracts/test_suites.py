"""No baseline is left untuned: what a suite takes from a sweep was chosen for the models that it has now."""

import json
from pathlib import Path
from typing import Any

import pytest

from upsctl.campaign.choices import known_choices, trained_contestants, tuned_before
from upsctl.campaign.configuration import model_digest
from upsctl.campaign.entries import mixture_configuration
from upsctl.campaign.open_campaign import open_campaign
from upsctl.profile_reader import list_profiles, load_profile
from upsctl.profiles import RunProfile
from upsctl.suite_profile import ChosenSettings, SuiteProfile

ROOT = Path(__file__).parents[2]
SUITES = list(list_profiles("suites"))


def suite(name: str) -> SuiteProfile:
    return load_profile("suites", name).profile


@pytest.mark.parametrize("name", SUITES)
def test_every_trained_contestant_is_tuned_for_its_present_model(name: str) -> None:
    profile = suite(name)
    if profile.tuned_by is not None:
        choices = known_choices(profile).chosen  # refuses what is missing or was chosen for another model
        for contestant in trained_contestants(profile):
            digests = {name: settings.model_digest for name, settings in choices[contestant.label].items()}
            assert digests == dict.fromkeys(profile.datasets, model_digest(contestant, profile))


@pytest.mark.parametrize("name", list(list_profiles("sweeps")))
def test_what_a_sweep_chose_is_the_best_of_its_last_round(name: str) -> None:
    """The shipped choice follows from the committed trials."""
    profile, result = suite(name), load_profile("sweeps", name).profile
    assert profile.sweep is not None and profile.record is not None
    lines = [json.loads(line) for line in (ROOT / profile.record / "sweep.jsonl").read_text().splitlines()]
    last = [line for line in lines if line["seconds"] == profile.sweep.prediction_seconds]
    for label, by_dataset in result.chosen.items():
        for dataset, chosen in by_dataset.items():
            assert chosen.model_digest == model_digest(profile.contestant(label), profile)
            own = [line for line in last if (line["label"], list(line["datasets"])) == (label, [dataset])]
            assert {line["prediction"] for line in refuse_other(own, chosen)} == {"residual", "direct"}
    if profile.mixture is not None:
        own = [line for line in last if line["label"] == profile.mixture.label]
        assert result.mixture is not None
        rates = {line["learning_rate"] for line in refuse_other(own, result.mixture)}
        assert min(rates) < result.mixture.learning_rate < max(rates)


def refuse_other(lines: list[dict[str, Any]], chosen: ChosenSettings) -> list[dict[str, Any]]:
    """The trials of the chosen one's model and sources, of which it must be the best."""
    own = [line for line in lines if (line["model_digest"], line["source_digest"])
           == (chosen.model_digest, chosen.source_digest)]  # fmt: skip
    best = min(own, key=lambda line: float(line["error"]))
    assert float(best["error"]) == pytest.approx(chosen.error, rel=1e-5)
    settings = (chosen.learning_rate, chosen.width, chosen.prediction)
    assert (best["learning_rate"], best["width"], best["prediction"]) == settings
    return own


def test_the_quickstart_compares_models_that_the_grids_compare() -> None:
    quickstart, grids = suite("quickstart"), suite("grids")
    for contestant in trained_contestants(quickstart):
        assert model_digest(contestant, quickstart) == model_digest(grids.contestant(contestant.label), grids)


def test_the_run_of_both_grids_is_the_campaigns() -> None:
    """Weights, updates, learning rate and width of `upsctl train --profile grids`."""
    counted = json.loads((ROOT / "docs/leaderboard/grids/campaign.json").read_text())["num_steps"]
    grids = suite("grids")
    choices = known_choices(grids.model_copy(update={"tuned_by": "grids"}))
    name = mixture_configuration(grids, choices).cost_name
    assert name in counted, "the campaign has not measured the present mixture: `upsctl bench run grids`"
    steps = {dataset: of_budgets[f"{grids.budget_seconds:g}"] for dataset, of_budgets in counted[name].items()}
    run: RunProfile = load_profile("runs", "grids").profile
    assert run.stages["operator"].num_steps == sum(steps.values())
    assert {name: share.weight for name, share in run.datasets.items()} == pytest.approx(
        {name: count / sum(steps.values()) for name, count in steps.items()}, abs=5e-4)
    assert choices.mixture is not None
    assert settings_of(run) == (choices.mixture.learning_rate, choices.mixture.width, choices.mixture.prediction)


def test_the_quickstarts_run_has_what_the_sweep_chose() -> None:
    chosen = load_profile("sweeps", "grids").profile.chosen["ours"]["burgers1d_subset_v1"]
    assert settings_of(load_profile("runs", "quickstart").profile) == (
        chosen.learning_rate, chosen.width, chosen.prediction)


def settings_of(run: RunProfile) -> tuple[float, int, str]:
    """What a sweep chooses, as a run of the universal model has it."""
    return run.optimiser.learning_rate, run.model.settings["sizes"]["token_width"], run.model.prediction


def test_contestants_that_were_tuned_with_other_sources_are_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("upsctl.campaign.choices.short_training_digest", lambda emulator: "0" * 16)
    open_campaign("quickstart", [], None, is_final=False)
    labels = [contestant.label for contestant in trained_contestants(suite("quickstart"))]
    warning = f"warning: sweeps/grids chose the settings of {', '.join(labels)} for other sources than the present\n"
    assert capsys.readouterr().err == warning


def test_a_mixture_that_was_tuned_with_other_sources_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("upsctl.campaign.choices.short_training_digest", lambda emulator: "0" * 16)
    grids = suite("grids").model_copy(update={"tuned_by": "grids", "sweep": None})
    assert grids.mixture is not None
    assert tuned_before(grids) == [*(one.label for one in trained_contestants(grids)), grids.mixture.label]

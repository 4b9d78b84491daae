"""The sweep: successive halving finds the best, extends at an edge, and gives every contestant the same."""

import math
from collections import Counter

import pytest

from evaluation.toy_rows import toy_rows
from upsctl.campaign.configuration import Configuration, model_digest
from upsctl.campaign.entries import long_entries, mixture_configuration, trained_entries
from upsctl.campaign.sweep import run_mixture_sweep, run_sweep
from upsctl.evaluation.leaderboard import build_leaderboards
from upsctl.profiles import DatasetShare, ModelProfile
from upsctl.suite_profile import ChosenSettings, Contestant, MixtureContestant, SuiteProfile, SweepProfile, SweepResult

OURS = Contestant(
    label="ours", model=ModelProfile(emulator="universal"), stage="operator", learning_rates=(0.001, 0.002, 0.004),
    width_setting="sizes.token_width", widths=(64, 96))
SUITE = SuiteProfile(
    datasets={"one": DatasetShare(batch_size=4), "two": DatasetShare()},
    contestants=(OURS, Contestant(label="persistence", model=ModelProfile(emulator="persistence"))),
    budget_seconds=10, seeds=(0, 1), sweep=SweepProfile(), reference="ours",
    mixture=MixtureContestant(label="both", of="ours"), long_budget_factor=4)


class Valley:
    """An error with its minimum at one learning rate and width, where residual is better than direct."""

    def __init__(self, best_rate: float, best_width: int = 96) -> None:
        self.best_rate, self.best_width, self.tried = best_rate, best_width, Counter[tuple[float, float]]()

    def __call__(self, configuration: Configuration, seconds: float, mean: str) -> float:
        rate, width = configuration.learning_rate, configuration.width
        assert rate is not None and width is not None
        self.tried[rate, seconds] += 1
        assert mean == ("arithmetic" if seconds == 90 else "geometric")
        penalty = 0.1 * (configuration.prediction == "direct") + 0.5 * (width != self.best_width)
        return abs(math.log2(rate / self.best_rate)) + penalty + 1 / seconds


def test_the_best_setting_is_found() -> None:
    found = run_sweep(SUITE, OURS, "one", Valley(0.002))
    assert (found.learning_rate, found.width, found.prediction) == (0.002, 96, "residual")
    assert found.model_digest == model_digest(OURS, SUITE)


def test_rates_go_on_beyond_either_edge_until_the_best_lies_inside() -> None:
    for best in (0.064, 0.0001):
        valley = Valley(best)
        found = run_sweep(SUITE, OURS, "one", valley)
        assert abs(math.log2(found.learning_rate / best)) <= 0.5
        rates = sorted(rate for rate, seconds in valley.tried if seconds == 20)
        assert rates[0] < found.learning_rate < rates[-1]


def test_a_best_rate_that_a_longer_round_moves_to_an_edge_is_followed() -> None:
    """The longer the training, the smaller the best rate, as with most networks."""
    tried = Counter[tuple[float, float]]()

    def trial(configuration: Configuration, seconds: float, mean: str) -> float:
        rate = configuration.learning_rate
        assert rate is not None
        tried[rate, seconds] += 1
        return abs(math.log2(rate / {20: 0.002, 60: 0.0005, 90: 0.0005}[int(seconds)])) + (configuration.width != 96)

    found = run_sweep(SUITE, OURS, "one", trial)
    assert found.learning_rate == 0.0005
    assert (0.0005, 20) not in tried and (0.00025, 60) in tried


def test_a_rate_that_the_first_round_left_behind_is_tried_again_beside_the_best() -> None:
    """A finalist at the edge of the finalists has a neighbour that was only tried for a short time."""
    tried = Counter[tuple[float, float]]()

    def trial(configuration: Configuration, seconds: float, mean: str) -> float:
        rate = configuration.learning_rate
        assert rate is not None
        tried[rate, seconds] += 1
        if configuration.width != 96:
            return 10.0
        return {20: {0.002: 1, 0.001: 0.5, 0.0005: 0.6}.get(rate, 2.0)}.get(int(seconds), abs(math.log2(rate / 0.002)))

    contestant = OURS.model_copy(update={"learning_rates": (0.0005, 0.001, 0.002, 0.004)})
    suite = SUITE.model_copy(update={"sweep": SweepProfile(num_finalists=2)})
    assert run_sweep(suite, contestant, "one", trial).learning_rate == 0.002
    assert (0.004, 60) in tried


def test_few_go_on_and_both_forms_are_tried() -> None:
    valley = Valley(0.002)
    run_sweep(SUITE, OURS, "one", valley)
    seconds = Counter(seconds for (_, seconds), count in valley.tried.items() for _ in range(count))
    assert seconds == {20: 6, 60: 3 + 4, 90: 2 + 1}  # once more with the neighbour, and for the winner


def test_a_diverged_setting_is_never_chosen() -> None:
    def trial(configuration: Configuration, seconds: float, mean: str) -> float:
        return math.inf if configuration.learning_rate != 0.002 else 1.0

    assert run_sweep(SUITE, OURS, "one", trial).learning_rate == 0.002


def settings(rate: float, width: int) -> ChosenSettings:
    return ChosenSettings(
        learning_rate=rate, width=width, prediction="residual", error=1.0, model_digest="d", source_digest="s")


def choices() -> SweepResult:
    chosen = {"ours": {"one": settings(0.004, 64), "two": settings(0.002, 96)}}
    return SweepResult(suite="toy", chosen=chosen, mixture=settings(0.002, 96))


@pytest.mark.parametrize("width", [64, 96])
def test_a_mixture_tries_its_specialists_settings_and_goes_on_at_the_edge(width: int) -> None:
    """Both rates stand at an edge of two: the best one's neighbour is tried."""
    for best, tried in ((0.004, {0.002, 0.004, 0.008}), (0.001, {0.0005, 0.001, 0.002, 0.004})):
        valley = Valley(best, width)
        found = run_mixture_sweep(SUITE, choices().chosen["ours"], valley)
        assert (found.learning_rate, found.width, found.prediction) == (best, width, "residual")
        assert {rate for rate, _ in valley.tried} == tried
        assert {seconds for _, seconds in valley.tried} == {90}


def test_a_mixture_has_the_settings_chosen_for_it_on_all_datasets() -> None:
    mixture = mixture_configuration(SUITE, choices())
    assert (mixture.learning_rate, mixture.width, mixture.datasets) == (0.002, 96, ("one", "two"))
    profile = mixture.run_profile(30, weights={"one": 0.75, "two": 0.25})
    assert {name: share.weight for name, share in profile.datasets.items()} == {"one": 0.75, "two": 0.25}
    assert profile.datasets["one"].batch_size == 4
    assert profile.model.settings == {"sizes": {"token_width": 96}}


def test_entries_go_seed_by_seed_with_names_of_their_own() -> None:
    entries = list(trained_entries(SUITE, choices()))
    assert [entry.seed for entry in entries] == [0, 0, 0, 1, 1, 1]
    assert len({entry.folder_name for entry in entries}) == len(entries)


def test_ours_and_the_best_fresh_baseline_get_the_long_budget() -> None:
    fno = {"label": "FNO", "dataset": "burgers1d_subset_v1"}
    unet = {"label": "U-Net", "emulator": "unet", "dataset": "burgers1d_subset_v1"}
    ours = {"label": "ours", "emulator": "universal", "frame": "declared", "dataset": "burgers1d_subset_v1"}
    old = {"label": "old", "source_digest": "old"}
    rows = [*toy_rows(0.1, **ours), *toy_rows(0.3, **fno), *toy_rows(0.2, **unet), *toy_rows(0.05, **old)]
    contestants = [OURS, *(Contestant(label=name, model=ModelProfile(emulator="fno"), learning_rates=(0.001,),
                                      widths=(32,)) for name in ("FNO", "U-Net", "old"))]
    suite = SUITE.model_copy(update={"contestants": tuple(contestants),
                                     "datasets": {"burgers1d_subset_v1": DatasetShare()}})
    chosen = SweepResult(
        suite="toy", chosen={one.label: {"burgers1d_subset_v1": settings(0.004, 64)} for one in contestants})
    entries = list(long_entries(suite, chosen, build_leaderboards(rows)))
    assert [(entry.configuration.label, entry.seed, entry.budget) for entry in entries] == [
        ("ours", 0, 40), ("U-Net", 0, 40)]
    assert list(long_entries(suite, chosen, [])) == []

import numpy as np
import pytest

from upsctl.evaluation.bootstrap import estimate_headline, estimate_mean, estimate_median, estimate_ratio


def lognormal(seed: int, size: int = 64) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).normal(size=size))


def test_headline_is_the_geometric_mean_of_medians_and_the_mean_over_seeds() -> None:
    first, second = [np.array([1.0, 2.0, 9.0]), np.array([8.0, 8.0, 8.0])], [np.array([8.0] * 3), np.array([2.0] * 3)]
    assert estimate_headline([first]).value == pytest.approx(4.0)
    assert estimate_headline([first, second]).value == pytest.approx(4.0)
    assert estimate_mean(first).value == pytest.approx(6.0)
    assert estimate_median(first).value == pytest.approx(8.0)


def test_interval_of_a_mean_covers_the_truth_about_nineteen_times_in_twenty() -> None:
    inside = [0.0]
    for seed in range(200):
        found = estimate_mean([np.random.default_rng(seed).normal(size=40)])
        inside.append(float(found.low <= 0 <= found.high))
    assert 0.90 < np.mean(inside[1:]) < 0.98


def test_the_same_values_give_the_same_interval() -> None:
    assert estimate_median([lognormal(0)]) == estimate_median([lognormal(0)])


def test_a_paired_ratio_is_sharper_than_its_parts() -> None:
    theirs = [[lognormal(0)]]
    ours = [[0.5 * theirs[0][0]]]
    ratio = estimate_ratio(ours, theirs)
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))
    assert estimate_headline(ours).high / estimate_headline(ours).low > 1.2


def test_a_ratio_of_other_trajectories_is_refused() -> None:
    with pytest.raises(ValueError, match="same trajectories"):
        estimate_ratio([[lognormal(0, 8)]], [[lognormal(0, 9)]])


def test_a_diverged_trajectory_counts_as_infinite_and_leaves_the_median_finite() -> None:
    values = np.array([1.0, np.nan, 2.0, 3.0, 2.5])
    assert estimate_median([values]).value == 2.5
    assert estimate_mean([values]).value == np.inf

"""What a sweep compares: the leaderboard's number, or one that late frames without information do not drown."""

from dataclasses import replace

import numpy as np

from evaluation.toy_predictions import toy_predictions
from upsctl.evaluation.headline import group_headline
from upsctl.interfaces import Predictions


def lost_after(frame: int, lag: float, seed: int) -> Predictions:
    """Waves that lag, until noise of the truth's own size stands in their place."""
    rollout = toy_predictions(lag=lag)
    found = rollout.prediction["u"].copy()
    noise = np.random.default_rng(seed).normal(scale=np.abs(found).mean(), size=found[:, frame:].shape)
    found[:, frame:] = noise
    return replace(rollout, prediction={"u": found})


def test_the_geometric_mean_tells_apart_what_ends_in_noise() -> None:
    """Of two networks the better has half the error until both are lost; the order holds for every noise."""
    for seed in range(8):
        better, worse = lost_after(4, 0.02, seed), lost_after(4, 0.04, seed + 100)
        assert group_headline(better, "geometric") < 0.9 * group_headline(worse, "geometric")
    gaps = [group_headline(lost_after(4, 0.02, seed), "arithmetic") - group_headline(lost_after(4, 0.04, seed + 100),
                                                                                     "arithmetic") for seed in range(8)]
    assert max(gaps) > 0, "by the arithmetic mean noise chooses"


def test_a_diverged_rollout_is_never_the_best() -> None:
    rollout = toy_predictions()
    found = rollout.prediction["u"].copy()
    found[:, 5:] = np.nan
    assert group_headline(replace(rollout, prediction={"u": found}), "geometric") == np.inf


def test_frames_without_any_error_do_not_hide_the_others() -> None:
    """Decayed states can be predicted exactly."""
    values = []
    for lag in (0.02, 0.04):
        rollout = toy_predictions(lag=lag)
        found = rollout.prediction["u"].copy()
        found[:, -2:] = rollout.truth["u"][:, -2:]
        values.append(group_headline(replace(rollout, prediction={"u": found}), "geometric"))
    assert 0 < values[0] < 0.8 * values[1]

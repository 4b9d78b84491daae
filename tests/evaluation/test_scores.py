import numpy as np
import pytest

from evaluation.toy_predictions import toy_predictions
from ups_models.errors import UnknownPartError
from upsctl.evaluation.scores import score
from upsctl.picture.shown import relative_errors


def test_all_fields_and_each_field_where_there_are_several() -> None:
    found = {(entry.metric, entry.field): entry for entry in score(toy_predictions(2), ["nrmse", "spectral_bands"])}
    assert {field for _, field in found} == {"all", "velocity", "vorticity"}
    assert {name for name, _ in found} == {"nrmse", *(f"spectral_bands_{band}" for band in ("low", "mid", "high"))}
    parts = [found["nrmse", field].per_sample for field in ("velocity", "vorticity")]
    np.testing.assert_allclose(found["nrmse", "all"].per_sample, np.mean(parts, axis=0))
    assert {entry.field for entry in score(toy_predictions(1), ["nrmse"])} == {"all"}


def test_the_given_frame_does_not_count() -> None:
    predictions = toy_predictions(1)
    (entry,) = score(predictions, ["nrmse"])
    np.testing.assert_allclose(entry.per_sample, relative_errors(predictions, "u").mean(axis=1), rtol=1e-6)
    assert entry.pooled is None


def test_more_trajectories_than_fit_at_once_give_the_same_numbers() -> None:
    many = score(toy_predictions(1, num_trajectories=37), ["nrmse"])[0].per_sample
    assert many.shape == (37,)
    predictions = toy_predictions(1, num_trajectories=37)
    np.testing.assert_allclose(many, relative_errors(predictions, "u").mean(axis=1), rtol=1e-6)


def test_pdebench_metrics_bring_their_pooled_number() -> None:
    predictions = toy_predictions(1)
    (entry,) = score(predictions, ["pdebench_max_error"])
    error = np.abs(predictions.prediction["u"] - predictions.truth["u"])[:, 1:]
    assert entry.pooled == pytest.approx(error.max(axis=(0, 2)).mean())
    assert entry.pooled > entry.per_sample.mean()


def test_groups_follow_the_parameter_that_takes_few_values() -> None:
    groups = toy_predictions(1).group_trajectories()
    assert {values: list(index) for values, index in groups.items()} == {(0.001,): [0, 2, 4, 6], (0.1,): [1, 3, 5, 7]}


def test_a_metric_misspelt_is_named() -> None:
    with pytest.raises(UnknownPartError, match="nrmse"):
        score(toy_predictions(1), ["nrsme"])

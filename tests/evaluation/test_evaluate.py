from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.toy_artifact import NUM_TRAJECTORIES, Counting, toy_checkpoint, write_toy_artifact
from ups_models.lineage import DatasetDigests
from upsctl.data.artifact import Artifact
from upsctl.errors import DataError, IntegrityError, UsageError
from upsctl.evaluation.evaluate import evaluate_checkpoint
from upsctl.evaluation.leaderboard import build_leaderboards
from upsctl.evaluation.looks import count_looks
from upsctl.evaluation.opened_checkpoint import choose_dataset, open_checkpoint
from upsctl.evaluation.predictions import predict_one_step, predict_split
from upsctl.evaluation.predictions_file import read_predictions
from upsctl.evaluation.recorded_evaluation import EvaluationPlan, evaluate_all, plan_evaluation, predictions_path
from upsctl.evaluation.rows import Row
from upsctl.evaluation.rows_file import read_rows
from upsctl.picture.shown import relative_errors

METRICS = ("nrmse", "spectral_bands", "pdebench_max_error")


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    return write_toy_artifact(tmp_path_factory.mktemp("artifact") / "toy1d_v1")


@pytest.fixture(scope="module")
def rows(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    checkpoint = toy_checkpoint(tmp_path_factory.mktemp("checkpoints") / "persistence", artifact.card)
    return evaluate_checkpoint(checkpoint, artifact, "test", METRICS, campaign="toy", command="upsctl eval x").rows


def test_rollout_goes_on_from_its_own_frames_and_one_step_from_the_truth(artifact: Artifact) -> None:
    rollout = predict_split(Counting(), artifact, "test", 4, "counting")
    one_step = predict_one_step(Counting(), artifact, "test", 4, "counting")
    truth = rollout.truth["u"]
    assert truth.shape == (NUM_TRAJECTORIES, 11, 32, 1)
    frames = np.arange(11).reshape(1, 11, 1, 1)
    np.testing.assert_allclose(rollout.prediction["u"], truth[:, :1] + frames, atol=1e-5)
    np.testing.assert_allclose(one_step.prediction["u"][:, 1:], truth[:, :-1] + 1, atol=1e-6)
    np.testing.assert_array_equal(one_step.prediction["u"][:, 0], truth[:, 0])
    assert rollout.trajectory_ids == artifact.trajectory_ids("test")
    np.testing.assert_allclose(rollout.parameters["viscosity"], [0.001, 0.1] * 3)
    np.testing.assert_allclose(rollout.times, 0.1 * np.arange(11), atol=1e-6)


def test_batch_size_changes_no_number(artifact: Artifact) -> None:
    several = predict_split(Counting(), artifact, "test", 4, "counting").prediction["u"]
    np.testing.assert_array_equal(several, predict_split(Counting(), artifact, "test", 1, "counting").prediction["u"])


def found(rows: list[Row], **facts: object) -> Row:
    (row,) = [row for row in rows if all(getattr(row, name) == value for name, value in facts.items())]
    return row


def test_rows_hold_the_medians_per_viscosity_and_their_geometric_mean(artifact: Artifact, rows: list[Row]) -> None:
    persistence = predict_split(Counting(), artifact, "test", 4, "x")
    still = replace(persistence, prediction={"u": np.repeat(persistence.truth["u"][:, :1], 11, axis=1)})
    errors = relative_errors(still, "u").mean(axis=1)
    medians = {"viscosity=0.001": np.median(errors[0::2]), "viscosity=0.1": np.median(errors[1::2])}
    for value, median in medians.items():
        row = found(rows, horizon="rollout", metric="nrmse", parameter_value=value, statistic="median")
        assert row.value == pytest.approx(median, rel=1e-6)
        assert row.low is not None and row.high is not None and row.low <= row.value <= row.high
    headline = found(rows, horizon="rollout", metric="nrmse", statistic="geometric_mean")
    assert headline.value == pytest.approx(np.sqrt(np.prod(list(medians.values()))), rel=1e-6)
    assert [len(group) for group in headline.per_sample] == [3, 3]
    mean = found(rows, horizon="rollout", metric="nrmse", parameter_value=None, statistic="mean")
    assert mean.value == pytest.approx(errors.mean(), rel=1e-6)


def test_one_step_of_persistence_is_better_than_its_rollout(rows: list[Row]) -> None:
    step, rollout = (found(rows, horizon=horizon, metric="nrmse", statistic="geometric_mean").value
                     for horizon in ("one_step", "rollout"))
    assert 0 < step < rollout


def test_rows_say_what_made_them_and_are_fresh(artifact: Artifact, rows: list[Row]) -> None:
    assert {row.metric for row in rows} == {
        "nrmse", "spectral_bands_low", "spectral_bands_mid", "spectral_bands_high", "pdebench_max_error",
        "seconds_per_step_batch_1", "seconds_per_step_batch_16", "peak_memory_bytes"}
    assert {(row.recipe_digest, row.content_digest) for row in rows} == {("d" * 64, artifact.content_digest)}
    assert not any(row.is_stale for row in rows)
    assert found(rows, horizon="rollout", metric="pdebench_max_error", statistic="pooled").low is None
    assert all(row.value > 0 for row in rows if row.metric.startswith(("seconds", "peak")))


def test_eval_leaves_rows_and_predictions_and_shows_the_board(artifact: Artifact, tmp_path: Path) -> None:
    checkpoints = [toy_checkpoint(tmp_path / name, artifact.card, name) for name in ("persistence", "mean")]
    _, plan = plan_evaluation(checkpoints, None, [], "test", tmp_path / "out", "cpu")
    plan = replace(plan, metrics=("nrmse",))
    result = evaluate_all(checkpoints, {artifact.card.name: artifact}, plan, ["upsctl", "eval"])
    (board,) = build_leaderboards(read_rows(tmp_path / "out" / "rows.jsonl"))
    assert {entry.label for entry in board.entries} == {"persistence", "mean"}
    assert [row[0] for row in result.parts[0].rows] == [entry.label for entry in board.entries]
    written = read_predictions(predictions_path(plan.folder, "mean", artifact.card.name, "test"))
    assert written.emulator == "mean"


def test_checkpoints_that_would_write_the_same_predictions_are_refused(artifact: Artifact, tmp_path: Path) -> None:
    """Before anything is fetched; labels that differ in case alone have one path, and other seeds have others."""
    first, second = (toy_checkpoint(tmp_path / name, artifact.card) for name in ("a", "b"))
    for label in ("persistence", "Persistence"):
        same = replace(second, lineage=second.lineage.model_copy(update={"label": label}))
        with pytest.raises(UsageError, match="2 checkpoints would write"):
            plan_evaluation([first, same], None, [], None, tmp_path, "cpu")
    other_seed = replace(second, lineage=second.lineage.model_copy(update={"seed": 1}))
    plan_evaluation([first, other_seed], None, [], None, tmp_path, "cpu")


def test_a_model_of_another_content_is_not_evaluated(artifact: Artifact, tmp_path: Path) -> None:
    """Its training split may hold what is now the test split."""
    own, name = toy_checkpoint(tmp_path / "persistence", artifact.card), artifact.card.name
    digests = DatasetDigests(recipe_digest="another", content_digest="c" * 64, problem_digest="p")
    other = replace(own, lineage=own.lineage.model_copy(update={"datasets": {name: digests}}))
    _, plan = plan_evaluation([other], None, [], None, tmp_path, "cpu")
    with pytest.raises(DataError, match="was trained on another toy1d_v1"):
        evaluate_all([other], {name: artifact}, plan, ["upsctl", "eval"])
    assert not plan.rows.exists()


def test_a_look_at_the_test_split_is_recorded(artifact: Artifact, tmp_path: Path) -> None:
    checkpoint = toy_checkpoint(tmp_path / "persistence", artifact.card)
    for split, looks in (("valid", 0), ("test", 1)):
        _, plan = plan_evaluation([checkpoint], None, [], split, tmp_path, "cpu")
        values = evaluate_all([checkpoint], {artifact.card.name: artifact}, plan, ["upsctl", "eval"]).values
        assert count_looks(tmp_path, artifact.card.name) == looks
        assert Path(values["rows"]).is_file() and values["num_rows"] > 0


def test_the_plan_without_a_suite_takes_every_metric_on_validation(artifact: Artifact, tmp_path: Path) -> None:
    checkpoint = toy_checkpoint(tmp_path / "persistence", artifact.card)
    datasets, plan = plan_evaluation([checkpoint], None, [], None, tmp_path, "cpu")
    assert (datasets, plan.split) == ([artifact.card.name], "valid")
    assert isinstance(plan, EvaluationPlan) and {"nrmse", "vrmse", "pdebench_rmse"} < set(plan.metrics)


def test_a_folder_without_a_checkpoint_is_named(artifact: Artifact, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="no checkpoint here"):
        open_checkpoint(tmp_path)
    checkpoint = toy_checkpoint(tmp_path / "persistence", artifact.card)
    assert choose_dataset(checkpoint, None) == artifact.card.name
    with pytest.raises(UsageError, match="does not know `burgers`"):
        choose_dataset(checkpoint, "burgers")


def test_a_diverged_emulator_still_gets_its_rows(artifact: Artifact, tmp_path: Path) -> None:
    checkpoint = toy_checkpoint(tmp_path / "persistence", artifact.card)
    found_rows = evaluate_checkpoint(
        replace(checkpoint, emulator=Counting(np.nan)), artifact, "test", ["nrmse"], campaign="", command="x").rows
    assert found(found_rows, horizon="rollout", metric="nrmse", statistic="geometric_mean").value == np.inf
    assert build_leaderboards(found_rows)[0].entries[0].estimate.value == np.inf

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from evaluation.toy_artifact import Counting, toy_checkpoint
from evaluation.toy_predictions import toy_card
from upsctl.errors import DataError, DivergedError, UsageError
from upsctl.evaluation.initial_state import read_initial_state, read_points
from upsctl.evaluation.trajectory_file import refuse_target
from upsctl.evaluation.user_rollout import RolloutPlan, describe_rollout, roll_out

CARD = toy_card(1)
PLANE = toy_card(2)


def write_state(path: Path, **arrays: object) -> Path:
    np.savez(path, **{"u": np.sin(np.arange(32.0)), "viscosity": 0.01} | arrays)
    return path


def test_a_scalar_field_needs_no_axis_of_components(tmp_path: Path) -> None:
    batch = read_initial_state(write_state(tmp_path / "a.npz"), CARD)
    other = read_initial_state(write_state(tmp_path / "b.npz", u=np.sin(np.arange(32.0))[:, None]), CARD)
    assert batch.fields["u"].shape == (1, 1, 32, 1)
    np.testing.assert_array_equal(batch.fields["u"], other.fields["u"])
    assert float(batch.time_step) == pytest.approx(CARD.time.dt)


def test_the_users_own_step_extent_and_resolution(tmp_path: Path) -> None:
    path = write_state(tmp_path / "a.npz", u=np.zeros(48), dt=0.02, extent=np.array([[-1.0, 1.0]]))
    batch = read_initial_state(path, CARD)
    assert batch.geometry.shape == (48,) and batch.geometry.extent == ((-1.0, 1.0),)
    assert float(batch.time_step) == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"viscositi": 0.1}, "`viscositi` is no field or parameter of toy1d_v1; expected viscosity"),
        ({"u": np.zeros((32, 2))}, r"`u`; expected shape \(32, 1\); got shape \(32, 2\)"),
        ({"u": np.full(32, np.nan)}, "`u`; expected finite numbers"),
        ({"viscosity": np.zeros(3)}, "`viscosity`; expected one finite number"),
        ({"extent": np.zeros((1, 2))}, "low below high"),
        ({"extent": np.array([["a", "b"]])}, "`extent`; expected finite numbers"),
        ({"extent": np.array([[0.0, np.inf]])}, "`extent`; expected finite numbers"),
        ({"u": np.full(32, 1e39)}, "`u`; expected finite numbers"),
        ({"u": np.zeros(1)}, "8 cells or more"),
        ({"viscosity": -0.1}, "`viscosity`; expected a number above 0; got -0.1"),
        ({"dt": -0.05}, "`dt`; expected a number above 0"),
    ],
)
def test_a_broken_rule_is_named(arrays: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_initial_state(write_state(tmp_path / "a.npz", **arrays), CARD)


def test_missing_arrays_and_files_that_are_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", velocity=np.zeros((8, 8, 2)), viscosity=0.1)
    with pytest.raises(DataError, match="lacks vorticity"):
        read_initial_state(tmp_path / "a.npz", PLANE)
    (tmp_path / "b.npz").write_text("text")
    with pytest.raises(DataError, match=r"not an \.npz file"):
        read_initial_state(tmp_path / "b.npz", CARD)
    with pytest.raises(DataError, match="no such file"):
        read_initial_state(tmp_path / "c.npz", CARD)
    (tmp_path / "d.npz").touch()
    with pytest.raises(DataError, match=r"not an \.npz file"):
        read_initial_state(tmp_path / "d.npz", CARD)
    np.savez_compressed(tmp_path / "e.npz", u=np.sin(np.arange(32.0)), viscosity=0.1)
    content = bytearray((tmp_path / "e.npz").read_bytes())
    content[60:90] = bytes(30)
    (tmp_path / "e.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"not an \.npz file"):
        read_initial_state(tmp_path / "e.npz", CARD)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_the_rollout_starts_with_the_given_state(suffix: str, tmp_path: Path) -> None:
    batch = read_initial_state(write_state(tmp_path / "a.npz"), CARD)
    emulator = toy_checkpoint(tmp_path / "persistence", CARD).emulator
    target = tmp_path / f"out{suffix}"
    result = roll_out(emulator, RolloutPlan(CARD, batch, 3, None, target, "cpu"))
    if suffix == ".npz":
        written = dict(np.load(target))
    else:
        with h5py.File(target) as file:
            written = {name: np.asarray(file[name]) for name in file}
    np.testing.assert_allclose(written["times"], [0.0, 0.1, 0.2, 0.3])
    expected = np.repeat(np.sin(np.arange(32.0))[None, :, None], 4, axis=0).astype(np.float32)
    np.testing.assert_array_equal(written["u"], expected)
    assert result.values["fields"]["u"]["last_rms"] == pytest.approx(np.sqrt(np.mean(written["u"][-1] ** 2)), rel=1e-5)


def test_nothing_is_written_on_a_dry_run_or_where_the_rollout_diverges(tmp_path: Path) -> None:
    batch = read_initial_state(write_state(tmp_path / "a.npz"), CARD)
    plan = RolloutPlan(CARD, batch, 3, None, tmp_path / "out.npz", "cpu")
    describe_rollout(plan)
    with pytest.raises(DivergedError, match="from step 1 on"):
        roll_out(Counting(np.inf), plan)
    assert not (tmp_path / "out.npz").exists()


def test_a_target_that_cannot_be_written_is_refused_before_the_rollout(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.npz or \.h5"):
        refuse_target(tmp_path / "out.txt", tmp_path / "a.npz")
    with pytest.raises(UsageError, match="is the initial state"):
        refuse_target(tmp_path / "a.npz", tmp_path / "a.npz")
    refuse_target(tmp_path / "b.npz", tmp_path / "a.npz")


def test_at_points_in_any_order_the_rollout_is_the_grids(tmp_path: Path) -> None:
    batch = read_initial_state(write_state(tmp_path / "a.npz"), CARD)
    emulator = toy_checkpoint(tmp_path / "universal", CARD, "universal").emulator
    order = np.random.default_rng(0).permutation(32)
    np.save(tmp_path / "points.npy", batch.geometry.coordinates(0).numpy()[order][:, None])
    points = read_points(tmp_path / "points.npy", batch.geometry)
    roll_out(emulator, RolloutPlan(CARD, batch, 3, None, tmp_path / "grid.npz", "cpu"))
    roll_out(emulator, RolloutPlan(CARD, batch, 3, points, tmp_path / "at_points.npz", "cpu"))
    grid, found = np.load(tmp_path / "grid.npz"), np.load(tmp_path / "at_points.npz")
    np.testing.assert_allclose(found["times"], grid["times"][1:])
    np.testing.assert_array_equal(found["points"], points[0])
    np.testing.assert_allclose(found["u"], grid["u"][1:, order], atol=1e-5)
    assert np.abs(np.diff(grid["u"], axis=0)).max() > 1e-3, "the state moves"


def test_periodic_points_wrap_before_they_are_rounded(tmp_path: Path) -> None:
    batch = read_initial_state(write_state(tmp_path / "a.npz"), CARD)
    np.save(tmp_path / "points.npy", np.array([[1e7 + 0.25], [-0.75], [0.25]]))
    points = read_points(tmp_path / "points.npy", batch.geometry)
    np.testing.assert_allclose(points[0, :, 0], 0.25, atol=1e-7)


def test_a_baseline_knows_its_grid_alone(tmp_path: Path) -> None:
    batch = read_initial_state(write_state(tmp_path / "a.npz"), CARD)
    np.save(tmp_path / "points.npy", np.zeros((1, 1)))
    plan = RolloutPlan(CARD, batch, 3, read_points(tmp_path / "points.npy", batch.geometry), tmp_path / "b.npz", "cpu")
    with pytest.raises(UsageError, match="universal model"):
        roll_out(toy_checkpoint(tmp_path / "persistence", CARD).emulator, plan)
    assert not (tmp_path / "b.npz").exists()


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros(3), r"expected shape \(N, 1\); got shape \(3,\)"),
        (np.zeros((0, 1)), "got shape"),
        (np.full((2, 1), np.nan), "expected finite numbers"),
        (np.full((2, 1), 7.0), "axis 0; expected points from 0 to 1; got 7 to 7"),
    ],
)
def test_points_that_are_none_are_named(points: np.ndarray, message: str, tmp_path: Path) -> None:
    batch = read_initial_state(write_state(tmp_path / "a.npz"), CARD)
    walls = replace(batch.geometry, boundary=(("wall", "wall"),))
    np.save(tmp_path / "points.npy", points)
    with pytest.raises(DataError, match=message):
        read_points(tmp_path / "points.npy", walls)
    with pytest.raises(DataError, match="no such file"):
        read_points(tmp_path / "others.npy", walls)
    (tmp_path / "text.npy").write_text("text")
    with pytest.raises(DataError, match=r"not an \.npy file"):
        read_points(tmp_path / "text.npy", walls)

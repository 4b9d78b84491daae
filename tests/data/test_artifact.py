"""What is written is what is read, nothing that breaks the card is written, and unopened splits stay closed."""

import dataclasses
import signal
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from data.toy_data import CARD, NUM, toy_samples, write_toy
from upsctl.data import artifact_writer
from upsctl.data.artifact import Artifact
from upsctl.data.artifact_writer import ArtifactWriter, version_in_name
from upsctl.data.manifest import read_manifest
from upsctl.data.provenance import build_provenance
from upsctl.errors import DataError, IntegrityError
from upsctl.sample import Axis, Grid, Sample

SPLITS = ("train", "valid", "test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("toy")
    write_toy(path)
    return path


def test_reads_what_was_written(folder: Path) -> None:
    artifact, index = Artifact.open(folder, SPLITS), dict.fromkeys(SPLITS, 0)
    for sample in toy_samples():
        split, number = sample.split, index[sample.split]
        assert artifact.trajectory_ids(split)[number] == sample.trajectory_id
        for name, values in artifact.read_fields(split, number).items():
            assert np.array_equal(values, sample.domain.fields[name])
        for name, values in artifact.read_constant_fields(split, number).items():
            assert np.array_equal(values, sample.domain.constant_fields[name])
        assert artifact.read_parameters(split, number) == pytest.approx(sample.parameters)
        assert np.array_equal(artifact.times(split), sample.times)
        index[split] += 1
    assert index == NUM


def test_a_window_is_a_part_of_the_frames(folder: Path) -> None:
    artifact = Artifact.open(folder, ("train",))
    whole, window = artifact.read_fields("train", 1), artifact.read_fields("train", 1, 1, 3)
    assert all(np.array_equal(window[name], whole[name][1:3]) for name in whole)


def test_parameters_are_the_decimal_numbers_of_the_card(folder: Path) -> None:
    assert Artifact.open(folder, ("train",)).read_parameters("train", 1)["viscosity"] == 0.2


def test_axes_are_the_cards(folder: Path) -> None:
    for axis, described in zip(Artifact.open(folder, ("test",)).axes, CARD.axes, strict=True):
        found = (axis.name, axis.extent, axis.boundary, len(axis.coordinates))
        assert found == (described.name, (described.low, described.high), described.boundary, described.num_cells)


def test_statistics_are_those_of_the_training_split_alone(folder: Path) -> None:
    train = [sample.domain for sample in toy_samples() if sample.split == "train"]
    stored = Artifact.open(folder, ("train",)).statistics
    velocity = np.stack([domain.fields["velocity"] for domain in train]).astype(np.float64)
    np.testing.assert_allclose(stored.mean["velocity"], velocity.mean((0, 1, 2, 3)), atol=1e-9)
    np.testing.assert_allclose(stored.std["velocity"], velocity.std((0, 1, 2, 3)), rtol=1e-9)
    change = np.diff(velocity, axis=1)
    np.testing.assert_allclose(stored.rms_delta["velocity"], np.sqrt((change**2).mean((0, 1, 2, 3))), rtol=1e-9)
    force = np.stack([domain.constant_fields["force"] for domain in train]).astype(np.float64)
    np.testing.assert_allclose(stored.rms["force"], np.sqrt((force**2).mean((0, 1, 2))), rtol=1e-9)


def test_splits_share_no_trajectory(folder: Path) -> None:
    found = read_manifest(folder).trajectories
    states = {split: {name.rpartition("/")[0] for name in ids} for split, ids in found.items()}
    assert set(found) == set(SPLITS)
    assert sum(map(len, states.values())) == len(set().union(*states.values())) == sum(NUM.values())


@pytest.mark.parametrize("read", [
    lambda artifact: artifact.read_fields("test", 0),
    lambda artifact: artifact.read_constant_fields("test", 0),
    lambda artifact: artifact.read_parameters("test", 0),
    lambda artifact: artifact.times("test"),
    lambda artifact: artifact.trajectory_ids("test"),
])  # fmt: skip
def test_a_split_that_was_not_opened_cannot_be_read(folder: Path, read: Callable[[Artifact], object]) -> None:
    with pytest.raises(DataError, match=r"split test was not opened; expected one of train, valid"):
        read(Artifact.open(folder, ("train", "valid")))


@pytest.mark.parametrize("index", [-1, 3])
def test_an_unknown_trajectory_is_refused(folder: Path, index: int) -> None:
    with pytest.raises(DataError, match=r"trajectory -?\d of train; expected 0 to 2"):
        Artifact.open(folder, ("train",)).read_fields("train", index)


def test_a_folder_without_a_manifest_is_not_an_artifact(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match=r"no manifest\.json"):
        Artifact.open(tmp_path, ("train",))


def with_domain(sample: Sample, **changes: object) -> Sample:
    return dataclasses.replace(sample, domains={"domain": dataclasses.replace(sample.domain, **changes)})


def with_field(sample: Sample, name: str, values: np.ndarray) -> Sample:
    return with_domain(sample, fields={**sample.domain.fields, name: values})


def stretched(sample: Sample) -> Sample:
    x, y = sample.domain.geometry.axes
    return with_domain(sample, geometry=Grid((Axis("x", x.coordinates * 1.1, x.extent, x.boundary), y)))


FIRST_ID = next(iter(toy_samples())).trajectory_id
BROKEN: dict[str, tuple[Callable[[Sample], Sample], str]] = {
    "a NaN": (lambda s: with_field(s, "density", np.full_like(s.domain.fields["density"], np.nan)), "finite values"),
    "a missing field": (lambda s: with_domain(s, fields={"velocity": s.domain.fields["velocity"]}), "variable fields"),
    "a surplus constant": (
        lambda s: with_domain(s, constant_fields={**s.domain.constant_fields, "heat": np.ones(1)}), "constant fields"),
    "another shape": (lambda s: with_field(s, "density", s.domain.fields["density"][..., :5, :]), "field density"),
    "fewer frames": (lambda s: dataclasses.replace(s, times=s.times[:2]), "times"),
    "other times": (lambda s: dataclasses.replace(s, times=s.times + 1), "times"),
    "another grid": (stretched, "those of the first trajectory"),
    "an initial condition of another split": (
        lambda s: dataclasses.replace(s, trajectory_id=FIRST_ID, split="test"), "in one split only"),
    "a missing parameter": (lambda s: dataclasses.replace(s, parameters={"viscosity": 0.1}), "parameters"),
}  # fmt: skip


@pytest.mark.parametrize("change", BROKEN)
def test_a_sample_that_breaks_the_card_is_refused(tmp_path: Path, change: str) -> None:
    broken, message = BROKEN[change]
    first, second, *_ = toy_samples()
    with ArtifactWriter(tmp_path, CARD) as writer:
        writer.write(first)
        with pytest.raises(DataError, match=message):
            writer.write(broken(second))


def test_a_missing_trajectory_leaves_no_manifest(tmp_path: Path) -> None:
    with ArtifactWriter(tmp_path, CARD) as writer:
        for sample in list(toy_samples())[:-1]:
            writer.write(sample)
        with pytest.raises(DataError, match="split test; expected 2 trajectories; got 1"):
            writer.finish(CARD, build_provenance(CARD, "d" * 64))
    assert not (tmp_path / "manifest.json").exists()


def test_the_same_samples_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    assert write_toy(tmp_path).files == read_manifest(folder).files


def test_ctrl_c_while_hdf5_writes_waits_until_it_has_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that Python handled inside HDF5 would be lost, and the data with it."""
    sample, append = next(toy_samples()), artifact_writer.append

    def interrupted_append(file: h5py.File, path: str, values: np.ndarray) -> None:
        signal.raise_signal(signal.SIGINT)
        append(file, path, values)

    monkeypatch.setattr(artifact_writer, "append", interrupted_append)
    with pytest.raises(KeyboardInterrupt), ArtifactWriter(tmp_path, CARD) as writer:
        writer.write(sample)
    with h5py.File(tmp_path / "data" / "train" / "toy2d_v3.hdf5") as file:
        assert np.array_equal(file["t0_fields/density"][0], sample.domain.fields["density"][..., 0])
        assert file["scalars/gamma"].shape == (1,)


@pytest.mark.parametrize(("name", "version"), [("burgers1d_tiny_v1", 1), ("a_v12", 12)])
def test_the_version_is_in_the_name(name: str, version: int) -> None:
    assert version_in_name(name) == version


@pytest.mark.parametrize("name", ["burgers", "burgers_v", "burgers_vx"])
def test_a_name_without_a_version_is_refused(name: str) -> None:
    with pytest.raises(DataError, match="_v1"):
        version_in_name(name)

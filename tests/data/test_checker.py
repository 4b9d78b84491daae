"""The checker finds nothing in a sound artifact, and exactly the broken rule in one that breaks one."""

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from data.toy_data import reseal, write_toy
from upsctl.data.checker import check_artifact
from upsctl.data.field_statistics import read_statistics
from upsctl.data.manifest import read_manifest, write_manifest
from upsctl.profile_reader import load_yaml, write_yaml

TRAIN = "data/train/toy2d_v3.hdf5"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound")
    write_toy(path)
    return path


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "toy"))


def test_a_sound_artifact_breaks_no_rule(folder: Path) -> None:
    assert check_artifact(folder) == []


def test_a_card_with_a_control_character_is_a_violation(folder: Path) -> None:
    """As one flipped bit of a digit makes it; YAML's reader has an error of its own for it."""
    card = folder / "card.yaml"
    card.write_bytes(card.read_bytes().replace(b"0", b"\x10", 1))
    found = {violation.file: violation.line for violation in check_artifact(folder)}
    assert "control character" in found["card.yaml"]


def attribute(place: str, key: str, value: object) -> Callable[[h5py.File], None]:
    return lambda file: file[place].attrs.__setitem__(key, value)


def value(place: str, index: object, number: float) -> Callable[[h5py.File], None]:
    return lambda file: file[place].__setitem__(index, number)


def replaced(place: str, change: Callable[[np.ndarray], np.ndarray]) -> Callable[[h5py.File], None]:
    """Another array in the dataset's place, with the attributes and chunks of the old one."""

    def replace(file: h5py.File) -> None:
        old = file[place]
        values, attributes, chunks = change(old[:]), dict(old.attrs), old.chunks
        del file[place]
        fitting = tuple(map(min, chunks, values.shape))
        file.create_dataset(place, data=values, chunks=fitting).attrs.update(attributes)

    return replace


BROKEN: dict[str, tuple[str, str, Callable[[h5py.File], None]]] = {
    "dataset name": ("/@dataset_name", "toy2d_v3", attribute("/", "dataset_name", "other")),
    "grid type": ("/@grid_type", "cartesian", attribute("/", "grid_type", "spherical")),
    "number of axes": ("/@n_spatial_dims", "2", attribute("/", "n_spatial_dims", 3)),
    "number of trajectories": ("/@n_trajectories", "3", attribute("/", "n_trajectories", 4)),
    "shared parameter": ("/@gamma", "1.4", attribute("/", "gamma", 1.5)),
    "axes' names": ("dimensions@spatial_dims", "x", attribute("dimensions", "spatial_dims", ["y", "x"])),
    "trajectory ids": ("trajectory_ids", "manifest's ids", value("trajectory_ids", 0, b"other")),  # type: ignore
    "times": ("dimensions/time", "equally spaced", value("dimensions/time", 1, 1.6)),
    "coordinates": ("dimensions/y", "centres", value("dimensions/y", 2, 0.3)),
    "extent": ("dimensions/x@extent", "1.0", attribute("dimensions/x", "extent", [0.0, 2.0])),
    "boundary's type": (
        "boundary_conditions/y_high@bc_type", "open", attribute("boundary_conditions/y_high", "bc_type", "wall")),
    "boundary's mask": (
        "boundary_conditions/x_ends/mask", "outermost", value("boundary_conditions/x_ends/mask", 1, True)),
    "field names": ("t1_fields@field_names", "velocity", attribute("t1_fields", "field_names", ["speed"])),
    "a missing field": ("t0_fields/density", "a dataset", lambda file: file.__delitem__("t0_fields/density")),
    "units": ("t0_fields/density@units", "kg/m3", attribute("t0_fields/density", "units", "g/m3")),
    "time varying": ("t1_fields/force@time_varying", "False", attribute("t1_fields/force", "time_varying", True)),
    "a NaN": ("t0_fields/density", "finite values", value("t0_fields/density", (1, 2, 3, 4), np.nan)),
    "float64": ("t0_fields/density", "float32", replaced("t0_fields/density", lambda old: old.astype(np.float64))),
    "a parameter": ("scalars/viscosity", "the card allows", value("scalars/viscosity", 1, 0.3)),
    "a parameter out of range": ("scalars/reynolds", "the card allows", value("scalars/reynolds", 0, 9.0)),
    "number of parameters": ("scalars/gamma", "shape (3,)", replaced("scalars/gamma", lambda old: old[:2])),
}  # fmt: skip


@pytest.mark.parametrize("rule", BROKEN)
def test_one_broken_rule_of_the_hdf5_file_is_named(folder: Path, rule: str) -> None:
    place, words, change = BROKEN[rule]
    with h5py.File(folder / TRAIN, "r+") as file:
        change(file)
    reseal(folder)
    (violation,) = check_artifact(folder)
    assert (violation.file, violation.place) == (TRAIN, place)
    assert words in violation.rule


def test_chunks_of_several_trajectories_are_named(folder: Path) -> None:
    with h5py.File(folder / TRAIN, "r+") as file:
        values, attributes = file["t0_fields/density"][:], dict(file["t0_fields/density"].attrs)
        del file["t0_fields/density"]
        file.create_dataset("t0_fields/density", data=values).attrs.update(attributes)
    reseal(folder)
    assert [one.rule for one in check_artifact(folder)] == ["chunks of one trajectory"]


def test_an_altered_value_is_named_by_its_files_hash(folder: Path) -> None:
    with h5py.File(folder / TRAIN, "r+") as file:
        file["t0_fields/density"][0, 0, 0, 0] += 1
    (violation,) = check_artifact(folder)
    assert violation.file == TRAIN
    assert violation.rule.startswith("SHA-256")


def test_an_altered_file_whose_inside_is_wrong_too_says_where(folder: Path) -> None:
    with h5py.File(folder / TRAIN, "r+") as file:
        file["t0_fields/density"][0, 0, 0, 0] = np.nan
    assert [(one.file, one.place) for one in check_artifact(folder)] == [(TRAIN, ""), (TRAIN, "t0_fields/density")]


def test_a_truncated_hdf5_file_is_named(folder: Path) -> None:
    content = (folder / TRAIN).read_bytes()
    (folder / TRAIN).write_bytes(content[: len(content) // 2])
    assert [one.rule.partition(" ")[2] for one in check_artifact(folder)] == ["bytes", "as HDF5"]


def test_a_missing_and_a_surplus_file_are_named(folder: Path) -> None:
    (folder / "data/test/toy2d_v3.hdf5").rename(folder / "data/test/other.hdf5")
    rules = {one.file: one.rule for one in check_artifact(folder)}
    assert rules["data/test/toy2d_v3.hdf5"] == "a file that the manifest lists"
    assert rules["data/test/other.hdf5"] == "only files that the manifest lists"


def rename_state(folder: Path, split: str, index: int, name: str) -> None:
    """Another trajectory id, in the file and in the manifest."""
    with h5py.File(folder / f"data/{split}/toy2d_v3.hdf5", "r+") as file:
        ids = [item.decode() for item in file["trajectory_ids"][:]]
        ids[index] = name
        del file["trajectory_ids"]
        file["trajectory_ids"] = np.asarray(ids, "S")
    found = read_manifest(folder).trajectories
    reseal(folder, trajectories={**found, split: tuple(ids)})


def test_an_initial_condition_in_two_splits_is_named(folder: Path) -> None:
    rename_state(folder, "test", 0, "train_0000/viscosity_0.2")
    (violation,) = check_artifact(folder)
    assert violation.rule == "an initial condition in one split only"
    assert violation.got == "train_0000 in test and train"


def test_a_trajectory_that_is_there_twice_is_named(folder: Path) -> None:
    rename_state(folder, "train", 0, "train_0001/viscosity_0.2")
    (violation,) = check_artifact(folder)
    assert (violation.rule, violation.got) == ("ids that are unique", "train_0001/viscosity_0.2 2 times")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"name": "toy2d_v4"}, "name"),
        ({"version": 4}, "version"),
        ({"card_digest": "0" * 64}, "card_digest"),
        ({"content_digest": "0" * 64}, "content_digest"),
    ],
)
def test_one_broken_rule_of_the_manifest_is_named(folder: Path, changes: dict[str, object], place: str) -> None:
    write_manifest(read_manifest(folder).model_copy(update=changes), folder)
    assert place in [one.place for one in check_artifact(folder) if one.file == "manifest.json"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema_version": 2}', "\udcff"])
def test_a_manifest_that_is_none_is_one_violation(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert [one.file for one in check_artifact(folder)] == ["manifest.json"]


def test_a_card_that_is_none_is_named(folder: Path) -> None:
    (folder / "card.yaml").write_text("name: toy2d_v3\n")
    assert [(one.file, one.rule) for one in check_artifact(folder)][-1] == ("card.yaml", "a dataset card")


@pytest.mark.parametrize("table", ["mean", "std", "rms", "mean_delta", "std_delta", "rms_delta"])
def test_statistics_of_other_numbers_are_named(folder: Path, table: str) -> None:
    values = load_yaml(folder / "stats.yaml")
    values[table]["density"] += 1e-3
    write_yaml(values, folder / "stats.yaml")
    reseal(folder)
    (violation,) = check_artifact(folder)
    assert (violation.file, violation.place) == ("stats.yaml", f"{table}.density")


def test_a_missing_table_of_statistics_is_named(folder: Path) -> None:
    values = load_yaml(folder / "stats.yaml")
    del values["rms"]
    write_yaml(values, folder / "stats.yaml")
    reseal(folder)
    (violation,) = check_artifact(folder)
    assert violation.file == "stats.yaml"
    assert "no `rms`" in violation.got


def test_statistics_survive_writing(sound: Path) -> None:
    assert read_statistics(sound / "stats.yaml").mean["velocity"].shape == (2,)

"""What every converter keeps, found by listing `upsctl/converters/`: example -> samples -> artifact -> checker."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from ups_models.registry import list_parts
from upsctl.data.artifact import Artifact
from upsctl.data.checker import check_artifact
from upsctl.data.conversion import Converted, plan_conversion, run_conversion
from upsctl.data.convert import build_converter, convert_files
from upsctl.dataset_card import DatasetCard
from upsctl.errors import DataError, ProfileError, UsageError
from upsctl.profile_reader import load_profile, shipped_profiles
from upsctl.sample import Sample

FORMATS = list_parts("upsctl.converters")
VENDOR_SAMPLES = Path(__file__).parents[3] / "shared" / "pdebench_samples"
FILES = {
    "1D_Advection_Sols_beta1.0.hdf5": ("advection1d_pdebench_v1", {"speed": 1.0}),
    "1D_Burgers_Sols_Nu0.1.hdf5": ("burgers1d_pdebench_v1", {"viscosity": 0.1}),
    "1D_CFD_Rand_Eta0.01_Zeta0.01_periodic_Train.hdf5": (
        "compressible1d_pdebench_v1", {"shear_viscosity": 0.01, "bulk_viscosity": 0.01}),
    "1D_diff-sorp_NA_NA.h5": ("diffusion_sorption1d_pdebench_v1", {}),
    "2D_DarcyFlow_beta1.0_Train.hdf5": ("darcy2d_pdebench_v1", {"source_strength": 1.0}),
    "ns_incom_inhom_2d_64-0.h5": ("navier_stokes_incompressible2d_pdebench_v1", {"viscosity": 0.01}),
}  # fmt: skip


TIMES_AND_ENDS = {
    "1D_Advection_Sols_beta1.0.hdf5": (201, 0.01, ("periodic", "periodic")),
    "1D_Burgers_Sols_Nu0.1.hdf5": (201, 0.01, ("periodic", "periodic")),
    "1D_CFD_Rand_Eta0.01_Zeta0.01_periodic_Train.hdf5": (101, 0.01, ("periodic", "periodic")),
    "1D_diff-sorp_NA_NA.h5": (101, 5.0, ("dirichlet", "robin")),
    "2D_DarcyFlow_beta1.0_Train.hdf5": (1, None, ("dirichlet", "dirichlet")),
    "ns_incom_inhom_2d_64-0.h5": (41, 0.02, ("wall", "wall")),
}
"""Frames, time step and the kinds of the first axis' ends; Darcy's is a steady state."""


@pytest.fixture(params=FORMATS)
def example(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    return request.param, build_converter(request.param).write_example(tmp_path)


def card_of(format_name: str, path: Path) -> DatasetCard:
    name = build_converter(format_name).card_name(path)
    assert name is not None
    return load_profile("datasets", name).profile


def samples_of(format_name: str, path: Path) -> list[Sample]:
    return list(build_converter(format_name).convert(path, card_of(format_name, path)))


def convert(format_name: str, *paths: Path, output: Path) -> Converted:
    return run_conversion(plan_conversion(format_name, paths, None, output))


def test_there_is_a_converter() -> None:
    assert "pdebench" in FORMATS


def test_samples_have_the_cards_fields_and_parameters(example: tuple[str, Path]) -> None:
    card = card_of(*example)
    for sample in samples_of(*example):
        domain, space = sample.domain, sample.domain.geometry.shape
        assert set(domain.fields) == set(card.variable_fields)
        assert set(domain.constant_fields) == set(card.constant_fields)
        assert set(sample.parameters) == set(card.parameters)
        for name, values in domain.fields.items():
            assert values.shape == (len(sample.times), *space, card.num_components(name))
            assert values.dtype == np.float32


def test_splits_share_no_initial_state(example: tuple[str, Path]) -> None:
    states: dict[str, set[str]] = {}
    for sample in samples_of(*example):
        states.setdefault(sample.split, set()).add(sample.trajectory_id.rpartition("/")[0] or sample.trajectory_id)
    assert set(states) == {"train", "valid", "test"}
    assert sum(map(len, states.values())) == len(set().union(*states.values()))


def test_an_example_becomes_an_artifact_that_keeps_every_rule_and_value(
    example: tuple[str, Path], tmp_path: Path
) -> None:
    convert(*example, output=tmp_path / "artifact")
    assert check_artifact(tmp_path / "artifact") == []
    artifact = Artifact.open(tmp_path / "artifact", ("train", "valid", "test"))
    for sample in samples_of(*example):
        index = artifact.trajectory_ids(sample.split).index(sample.trajectory_id)
        read = artifact.read_fields(sample.split, index) | artifact.read_constant_fields(sample.split, index)
        written = {**sample.domain.fields, **sample.domain.constant_fields}
        assert all(np.array_equal(read[name], values) for name, values in written.items())
        assert artifact.read_parameters(sample.split, index) == pytest.approx(dict(sample.parameters))


def test_the_same_file_gives_the_same_bytes(example: tuple[str, Path], tmp_path: Path) -> None:
    one, other = (convert(*example, output=tmp_path / name).manifest for name in ("one", "other"))
    assert one == other


def test_a_file_given_twice_is_refused(example: tuple[str, Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="given twice"):
        convert(example[0], example[1], example[1], output=tmp_path / "artifact")
    assert not (tmp_path / "artifact").exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused_and_leaves_nothing(
    example: tuple[str, Path], tmp_path: Path, share: float
) -> None:
    content = example[1].read_bytes()
    example[1].write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match="expected a whole HDF5 file"):
        convert(*example, output=tmp_path / "artifact")
    assert list(tmp_path.iterdir()) == [example[1]]


def test_a_card_of_a_recipe_is_refused(example: tuple[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="expected converter"):
        plan_conversion(example[0], [example[1]], "burgers1d_tiny_v1", tmp_path / "artifact")
    with pytest.raises(ProfileError, match="expected a converter"):
        convert_files([example[1]], load_profile("datasets", "burgers1d_tiny_v1").profile, tmp_path / "artifact")


def test_an_unknown_name_needs_a_card(example: tuple[str, Path], tmp_path: Path) -> None:
    other = example[1].rename(tmp_path / "other.hdf5")
    with pytest.raises(UsageError, match="--card"):
        convert(example[0], other, output=tmp_path / "artifact")


def test_a_renamed_file_is_read_by_the_card_that_is_named(example: tuple[str, Path], tmp_path: Path) -> None:
    name = build_converter(example[0]).card_name(example[1])
    other = example[1].rename(tmp_path / "other.hdf5")
    run_conversion(plan_conversion(example[0], [other], name, tmp_path / "artifact"))
    assert check_artifact(tmp_path / "artifact") == []


def test_a_renamed_file_that_does_not_say_its_parameter_is_refused(tmp_path: Path) -> None:
    path = advection(tmp_path)
    other = path.rename(tmp_path / "other.hdf5")
    with h5py.File(other, "a") as file:
        del file.attrs["beta"]
    with pytest.raises(DataError, match="parameter speed; expected a value in the file's name or attributes"):
        run_conversion(plan_conversion("pdebench", [other], "advection1d_pdebench_v1", tmp_path / "artifact"))


def test_a_folder_in_use_is_refused(example: tuple[str, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exists"):
        convert(*example, output=tmp_path)


def advection(folder: Path) -> Path:
    return build_converter("pdebench").write_example(folder)


BROKEN = {
    "a missing array": (lambda file: file.__delitem__("tensor"), "tensor; expected a dataset"),
    "another grid": (lambda file: file["x-coordinate"].__setitem__(3, 0.9), "x-coordinate; expected cell centres"),
    "unequal times": (lambda file: file["t-coordinate"].__setitem__(2, 0.5), "t-coordinate; expected equally spaced"),
    "another parameter": (lambda file: file.attrs.__setitem__("beta", 0.7), "parameter speed; expected 0.4"),
    "a NaN": (lambda file: file["tensor"].__setitem__((1, 2, 3), np.nan), "field u; expected finite values"),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_pdebench_names_the_dataset_and_the_rule(tmp_path: Path, rule: str) -> None:
    change, message = BROKEN[rule]
    path = advection(tmp_path)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(DataError, match=message):
        convert("pdebench", path, output=tmp_path / "artifact")


def test_pdebench_parameter_files_of_one_state_stay_in_one_split(tmp_path: Path) -> None:
    path = advection(tmp_path)
    other = Path(shutil.copy(path, tmp_path / "1D_Advection_Sols_beta0.7.hdf5"))
    with h5py.File(other, "r+") as file:
        file.attrs["beta"] = 0.7
    convert("pdebench", path, other, output=tmp_path / "artifact")
    assert check_artifact(tmp_path / "artifact") == []
    found = Artifact.open(tmp_path / "artifact", ("train", "valid", "test")).manifest.trajectories
    assert {split: len(ids) for split, ids in found.items()} == {"test": 2, "valid": 2, "train": 16}


def test_pdebench_leaves_out_the_surplus_time(tmp_path: Path) -> None:
    assert all(len(sample.times) == 5 for sample in samples_of("pdebench", advection(tmp_path)))


@pytest.mark.skipif(not VENDOR_SAMPLES.is_dir(), reason="the sample files are not beside the repository")
@pytest.mark.parametrize("filename", FILES)
def test_pdebench_reads_every_layout(filename: str, tmp_path: Path) -> None:
    card, parameters = FILES[filename]
    done = convert("pdebench", VENDOR_SAMPLES / filename, output=tmp_path / "artifact")
    assert done.manifest.name == card
    assert check_artifact(tmp_path / "artifact") == []
    artifact = Artifact.open(tmp_path / "artifact", ("train",))
    assert artifact.read_parameters("train", 0) == parameters
    time, (axis, *_) = artifact.card.time, artifact.card.axes
    frames, step, ends = TIMES_AND_ENDS[filename]
    assert (time.num_frames, tuple(axis.boundary)) == (frames, ends)
    assert step is None or time.dt == pytest.approx(step, rel=1e-4)


@pytest.mark.skipif(not VENDOR_SAMPLES.is_dir(), reason="the sample files are not beside the repository")
@pytest.mark.parametrize(("filename", "field", "value"), [
    ("1D_Advection_Sols_beta1.0.hdf5", "u", 0.0710979775), ("1D_CFD_Rand_Eta0.01_Zeta0.01_periodic_Train.hdf5",
    "pressure", 90.5564346), ("1D_diff-sorp_NA_NA.h5", "u", 0.127392337), ("2D_DarcyFlow_beta1.0_Train.hdf5",
    "pressure", 0.00116307987), ("ns_incom_inhom_2d_64-0.h5", "velocity", 0.784820378)])  # fmt: skip
def test_pdebench_values_stand_under_their_names(filename: str, field: str, value: float) -> None:
    """The first number of the vendor's dataset of that name, read with h5py alone."""
    first = samples_of("pdebench", VENDOR_SAMPLES / filename)[0].domain.fields[field]
    assert float(first.flat[0]) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("is_path", [False, True])
def test_a_card_is_given_by_its_name_or_its_path(is_path: bool, tmp_path: Path) -> None:
    raw = build_converter("pdebench").write_example(tmp_path)
    name = card_of("pdebench", raw).name
    card = str(shipped_profiles() / "datasets" / f"{name}.yaml") if is_path else name
    assert run_conversion(plan_conversion("pdebench", [raw], card, tmp_path / "artifact")).manifest.name == name

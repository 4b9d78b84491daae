"""A packed artifact, unpacked again, is a dataset of The Well: its own reader gives the same numbers."""

from pathlib import Path

import numpy as np
import pytest
from the_well.data import WellDataset
from the_well.data.normalization import ZScoreNormalization

from data.toy_data import write_toy
from upsctl.data.archive import unpack_archive, write_archive
from upsctl.data.artifact import Artifact
from upsctl.sample import SplitName


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("well")
    write_toy(folder / "made")
    write_archive(folder / "made", folder, lambda part, name: part.rename(folder / name) and None)
    return unpack_archive([folder / "toy2d_v3.tar.zst"], folder / "unpacked")


def open_well(artifact: Path, split: SplitName) -> WellDataset:
    statistics = str(artifact / "stats.yaml")
    return WellDataset(path=str(artifact / "data" / split), normalization_path=statistics, full_trajectory_mode=True)


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_the_well_reads_the_same_numbers(artifact: Path, split: SplitName) -> None:
    well, ours = open_well(artifact, split), Artifact.open(artifact, (split,))
    assert len(well) == len(ours.trajectory_ids(split))
    for index in range(len(well)):
        item, fields = well[index], ours.read_fields(split, index)
        frames = np.concatenate([item["input_fields"].numpy(), item["output_fields"].numpy()])
        assert np.array_equal(frames, np.concatenate([fields["density"], fields["velocity"]], axis=-1))
        assert np.array_equal(item["constant_fields"].numpy(), ours.read_constant_fields(split, index)["force"])
        assert item["constant_scalars"].tolist() == pytest.approx(list(ours.read_parameters(split, index).values()))


def test_the_well_reads_the_same_names_grid_and_boundaries(artifact: Path) -> None:
    well, ours = open_well(artifact, "train"), Artifact.open(artifact, ("train",))
    metadata = well.metadata
    assert metadata.dataset_name == "toy2d_v3"
    assert metadata.spatial_resolution == (4, 6)
    assert metadata.field_names == {0: ["density"], 1: ["velocity_x", "velocity_y"], 2: []}
    assert metadata.constant_field_names == {0: [], 1: ["force_x", "force_y"], 2: []}
    assert metadata.constant_scalar_names == ["viscosity", "reynolds", "gamma"]
    assert set(metadata.boundary_condition_types) == {"open", "periodic", "wall"}
    grid = well[0]["space_grid"].numpy()
    for number, axis in enumerate(ours.axes):
        along = np.moveaxis(grid[..., number], number, 0)[:, 0]
        np.testing.assert_allclose(along, axis.coordinates, rtol=1e-6)
    # The Well's kinds of boundary, of the low and the high end of each axis: 0 wall, 1 open, 2 periodic
    assert well[0]["boundary_conditions"].tolist() == [[2, 2], [0, 1]]


def test_the_well_normalises_with_our_statistics(artifact: Path) -> None:
    statistics = Artifact.open(artifact, ("train",)).statistics
    normalised = WellDataset(
        path=str(artifact / "data" / "train"), normalization_path=str(artifact / "stats.yaml"), use_normalization=True,
        normalization_type=ZScoreNormalization,
        full_trajectory_mode=True,
    )  # fmt: skip
    raw = Artifact.open(artifact, ("train",)).read_fields("train", 0)["velocity"][0]
    got = normalised[0]["input_fields"][0, ..., 1:].numpy()
    expected = (raw - statistics.mean["velocity"]) / statistics.std["velocity"]
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)

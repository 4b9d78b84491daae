"""What changes a digest and what does not."""

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from data.toy_data import CARD, write_toy
from upsctl.data.content_digest import content_digest
from upsctl.data.digests import card_digest, file_digest, source_digest
from upsctl.dataset_card import DatasetCard


def changed(**update: object) -> DatasetCard:
    return DatasetCard.model_validate(CARD.model_dump() | update)


@pytest.mark.parametrize("update", [
    {"title": "x"}, {"description": "x"}, {"citation": "x"}, {"licence": "x"}, {"checks": {"order": 2.0}},
    {"fields": {name: {**field.model_dump(), "description": "x"} for name, field in CARD.fields.items()}},
])  # fmt: skip
def test_prose_does_not_change_what_makes_the_content(update: dict[str, object]) -> None:
    assert source_digest(changed(**update)) == source_digest(CARD)
    assert card_digest(changed(**update)) != card_digest(CARD)


@pytest.mark.parametrize("update", [
    {"source": {"recipe": "burgers", "seed": 1, "settings": {}}},
    {"source": {"recipe": "navier_stokes", "seed": 0, "settings": {}}},
    {"splits": {"train": 4, "valid": 2, "test": 2}},
    {"time": {"dt": 0.25, "num_frames": 3, "start": 1.0}},
])  # fmt: skip
def test_physics_seed_and_counts_change_it(update: dict[str, object]) -> None:
    assert source_digest(changed(**update)) != source_digest(CARD)


def test_raw_files_change_it() -> None:
    assert source_digest(CARD, {"a.hdf5": "0"}) != source_digest(CARD)
    assert source_digest(CARD, {"a.hdf5": "0"}) != source_digest(CARD, {"a.hdf5": "1"})


def write_arrays(path: Path, values: np.ndarray, **options: object) -> Path:
    with h5py.File(path, "w") as file:
        file.create_dataset("group/array", data=values, **options)
    return path


def test_the_content_digest_is_of_the_arrays_and_not_of_the_bytes_of_the_file(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    plain = write_arrays(tmp_path / "plain", values)
    packed = write_arrays(tmp_path / "packed", values, compression="gzip", chunks=(1, 2))
    assert file_digest(plain) != file_digest(packed)
    assert content_digest({"train": plain}) == content_digest({"train": packed})


@pytest.mark.parametrize("change", [
    lambda values: values + np.eye(3, 4, dtype=np.float32), lambda values: values.astype(np.float64),
    lambda values: values.reshape(4, 3), lambda values: values[:2],
])  # fmt: skip
def test_a_value_a_type_or_a_shape_changes_the_content_digest(tmp_path: Path, change: object) -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    one, other = write_arrays(tmp_path / "one", values), write_arrays(tmp_path / "other", change(values))  # type: ignore
    assert content_digest({"train": one}) != content_digest({"train": other})
    assert content_digest({"train": one}) != content_digest({"test": one})


WRITER = """
import resource, sys, pathlib
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
from data.toy_data import write_toy
try:
    write_toy(pathlib.Path(sys.argv[1]))
except OSError as error:
    print(error.errno, error.filename)
"""


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.95])
def test_a_disk_that_fills_while_hdf5_writes_is_one_error_that_names_the_file(tmp_path: Path, share: float) -> None:
    """HDF5 itself would print a page, and end with a crash."""
    write_toy(tmp_path / "whole")
    size = (tmp_path / "whole/data/train/toy2d_v3.hdf5").stat().st_size
    command = [sys.executable, "-c", WRITER, str(tmp_path / "cut"), str(int(share * size))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"27 {tmp_path / 'cut/data/train/toy2d_v3.hdf5'}\n"
    assert not (tmp_path / "cut/manifest.json").exists()

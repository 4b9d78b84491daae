from dataclasses import fields
from pathlib import Path

import h5py
import numpy as np
import pytest

from evaluation.toy_predictions import toy_predictions
from upsctl.errors import DataError, DiskError
from upsctl.evaluation import predictions_file
from upsctl.evaluation.predictions_file import read_predictions, write_predictions
from upsctl.interfaces import Predictions


def test_reads_back_what_was_written_in_its_order(tmp_path: Path) -> None:
    written = toy_predictions(2)
    found = read_predictions(write_predictions(written, tmp_path / "new" / "predictions.h5"))
    for name in (field.name for field in fields(Predictions) if field.name not in ("axes", "times")):
        ours, theirs = getattr(found, name), getattr(written, name)
        if name in ("truth", "prediction", "parameters"):
            assert list(ours) == list(theirs)
            for key in theirs:
                np.testing.assert_array_equal(ours[key], theirs[key])
                assert ours[key].dtype == theirs[key].dtype
        else:
            assert ours == theirs
    np.testing.assert_array_equal(found.times, written.times)
    for ours, theirs in zip(found.axes, written.axes, strict=True):
        assert (ours.name, ours.extent, ours.boundary) == (theirs.name, theirs.extent, theirs.boundary)
        np.testing.assert_array_equal(ours.coordinates, theirs.coordinates)


@pytest.mark.parametrize("damage", ["truncated", "another file", "a bit"])
def test_a_file_that_is_not_one_is_named(damage: str, tmp_path: Path) -> None:
    path = write_predictions(toy_predictions(1), tmp_path / "predictions.h5")
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        path.write_bytes(content[:5000])
    elif damage == "another file":
        with h5py.File(path, "w") as file:
            file["tensor"] = np.zeros(3)
    else:
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"predictions\.h5: not a predictions file, or cut or altered"):
        read_predictions(path)


def test_another_schema_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictions_file, "SCHEMA_VERSION", 99)
    path = write_predictions(toy_predictions(1), tmp_path / "predictions.h5")
    monkeypatch.undo()
    with pytest.raises(DataError, match=r"predictions\.h5: schema of another version"):
        read_predictions(path)


def test_other_programs_open_it_too(tmp_path: Path) -> None:
    with h5py.File(write_predictions(toy_predictions(1), tmp_path / "predictions.h5")) as file:
        assert {"truth", "prediction", "parameters", "times"} <= set(file)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="upsctl eval"):
        read_predictions(tmp_path / "none.h5")


def test_a_folder_in_the_way_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "predictions.h5").mkdir()
    with pytest.raises(DiskError, match="not written"):
        write_predictions(toy_predictions(1), tmp_path / "predictions.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["predictions.h5"]

"""The predictions file: one writer, one reader. Loads no torch, so that figures start fast.

HDF5: attributes `schema_version emulator split card axes`, datasets `trajectory_ids` (N,), `times` (T,),
`parameters/<name>` (N,), `truth/<field>` and `prediction/<field>` (N, T, *space, C). After it, where HDF5 does not
look, the file's SHA-256: the library may hang over altered bytes, so they are never shown to it.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import h5py  # its types do not know which key holds a dataset: files are passed on as Any
import numpy as np

from upsctl.dataset_card import DatasetCard
from upsctl.errors import DataError
from upsctl.interfaces import Predictions
from upsctl.sample import Axis
from upsctl.whole_file import whole_file

SCHEMA_VERSION = 2
SEAL = b"upsctl-sha256:"
NEXT_STEP = "`upsctl eval CHECKPOINT` writes predictions"


def write_predictions(predictions: Predictions, path: Path) -> Path:
    """Write `predictions` to `path`; a reader never sees half a file.

    Raises:
        DiskError: when the disk is full or not writable.
    """
    with whole_file(path) as partial:
        with h5py.File(partial, "w", track_order=True) as file:
            _write(predictions, file)
        with partial.open("ab") as stream:
            stream.write(SEAL + _digest(partial.read_bytes()))
    return path


def read_predictions(path: Path) -> Predictions:
    """Read what `write_predictions` wrote.

    Raises:
        DataError: when there is no such file, or it is not a whole predictions file of this schema.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file", next_step=NEXT_STEP)
    content, mark, digest = path.read_bytes().rpartition(SEAL)
    if not mark or digest != _digest(content):
        raise DataError(f"{path}: not a predictions file, or cut or altered", next_step=NEXT_STEP)
    try:
        with h5py.File(path) as file:
            return _read(file, path)
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path}: not a predictions file", got=str(error)) from error


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()


def _write(predictions: Predictions, file: Any) -> None:
    axes = [{"name": a.name, "extent": list(a.extent), "boundary": list(a.boundary)} for a in predictions.axes]
    file.attrs.update(
        schema_version=SCHEMA_VERSION, emulator=predictions.emulator, split=predictions.split,
        card=predictions.card.model_dump_json(), axes=json.dumps(axes),
    )
    file["trajectory_ids"] = list(predictions.trajectory_ids)
    file["times"] = predictions.times
    for axis in predictions.axes:
        file[f"coordinates/{axis.name}"] = axis.coordinates
    for room in ("parameters", "truth", "prediction"):
        file.create_group(room, track_order=True)
        for name, values in getattr(predictions, room).items():
            file[room][name] = values


def _read(file: Any, path: Path) -> Predictions:
    version = file.attrs["schema_version"]
    if version != SCHEMA_VERSION:
        raise DataError(f"{path}: schema of another version", expected=str(SCHEMA_VERSION), got=str(version))
    axes = json.loads(file.attrs["axes"])
    rooms = ("parameters", "truth", "prediction")
    return Predictions(
        emulator=file.attrs["emulator"], card=DatasetCard.model_validate_json(file.attrs["card"]),
        split=file.attrs["split"], trajectory_ids=tuple(file["trajectory_ids"].asstr()[:]), times=file["times"][:],
        axes=tuple(_axis(axis, file["coordinates"][axis["name"]][:]) for axis in axes),
        **{room: {name: file[room][name][:] for name in file[room]} for room in rooms},
    )


def _axis(values: dict[str, Any], coordinates: np.ndarray) -> Axis:
    low, high = values["extent"]
    return Axis(values["name"], coordinates, (low, high), tuple(values["boundary"]))

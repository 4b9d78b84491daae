"""A user's own initial state: the plain layout of the `.npz` that `upsctl predict` reads, and of its points.

One array per variable field and per constant field of the dataset's card, by name, of shape (*space, C), or (*space)
for scalars, axes in the card's order; each physical parameter by name, a scalar; optionally `dt`, the time step, and
`extent`, (D, 2) low and high end of each axis, where they differ from the card's. All in the card's units.
"""

import difflib
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from ups_models.batch import Batch
from ups_models.geometry import GridGeometry
from upsctl.dataset_card import DatasetCard, ParameterCard
from upsctl.errors import DataError

TIME_STEP, EXTENT = "dt", "extent"
MIN_CELLS = 8
"""Along an axis: what every emulator can step, the U-Net, which halves it three times, included."""
NOT_ARRAYS = (
    OSError, ValueError, EOFError, AttributeError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error)
"""What numpy raises of a file that is empty, cut, damaged or something else."""


def read_initial_state(path: Path, card: DatasetCard) -> Batch:
    """One initial state as a batch of one sample and one frame, float32.

    Raises:
        DataError: naming the file, the array in it and the rule that it breaks.
    """
    arrays = _read_arrays(path)
    _refuse_unknown(path, arrays, card)
    shape = _grid_shape(path, arrays, card)
    fields = {name: _field(path, arrays, card, name, shape)[:, None] for name in card.variable_fields}
    constants = {name: _field(path, arrays, card, name, shape) for name in card.constant_fields}
    parameters = {name: _parameter(path, arrays, name, parameter) for name, parameter in card.parameters.items()}
    time_step = _number(path, arrays, TIME_STEP, 0.0) if TIME_STEP in arrays else torch.tensor([card.time.dt])
    boundary = tuple(axis.boundary for axis in card.axes)
    geometry = GridGeometry(shape, _extent(path, arrays, card), boundary)
    return Batch(card.name, geometry, fields, constants, parameters, time_step)


def read_points(path: Path, geometry: GridGeometry) -> torch.Tensor:
    """(1, N, D) positions from an .npy file of shape (N, D), in the geometry's units; on periodic axes those within.

    Raises:
        DataError: naming the file and the rule that it breaks.
    """
    points, num_axes = _read_array(path), geometry.num_dimensions
    if points.ndim != 2 or points.shape[1] != num_axes or not len(points):
        raise DataError(f"{path}: points", expected=f"shape (N, {num_axes})", got=f"shape {points.shape}")
    points = _finite(path, "points", points)
    for axis, (low, high) in enumerate(geometry.extent):
        along = points[:, axis]
        if geometry.is_periodic[axis]:
            points[:, axis] = low + (along - low) % (high - low)  # in double precision, before it is rounded
        elif along.min() < low or along.max() > high:
            got = f"{along.min():g} to {along.max():g}"
            raise DataError(f"{path}: axis {axis}", expected=f"points from {low:g} to {high:g}", got=got)
    return torch.from_numpy(points.astype(np.float32))[None]


def _read_arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file", expected="an .npz file of arrays") from None
    except NOT_ARRAYS as error:
        raise DataError(f"{path}: not an .npz file of plain arrays", got=str(error) or "an empty file") from error


def _read_array(path: Path) -> np.ndarray:
    try:
        found = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file", expected="an .npy file of points") from None
    except NOT_ARRAYS as error:
        raise DataError(f"{path}: not an .npy file of numbers", got=str(error) or "an empty file") from error
    if not isinstance(found, np.ndarray):
        raise DataError(f"{path}: several arrays", expected="an .npy file of one")
    return found


def _refuse_unknown(path: Path, arrays: Mapping[str, np.ndarray], card: DatasetCard) -> None:
    wanted = [*card.fields, *card.parameters]
    for name in arrays:
        if name not in (*wanted, TIME_STEP, EXTENT):
            close = difflib.get_close_matches(name, wanted, n=1, cutoff=0.5) or wanted
            raise DataError(f"{path}: `{name}` is no field or parameter of {card.name}", expected=" or ".join(close))
    missing = [name for name in wanted if name not in arrays]
    if missing:
        given = ", ".join(arrays) or "nothing"
        raise DataError(f"{path}: lacks {', '.join(missing)}", expected=", ".join(wanted), got=given)


def _grid_shape(path: Path, arrays: Mapping[str, np.ndarray], card: DatasetCard) -> tuple[int, ...]:
    """The number of cells along each axis, which the first variable field decides."""
    first = next(iter(card.variable_fields))
    shape = arrays[first].shape[: card.num_dimensions]
    if len(shape) < card.num_dimensions or min(shape) < MIN_CELLS:
        expected = f"{card.num_dimensions} axes of space, {MIN_CELLS} cells or more along each"
        raise DataError(f"{path}: `{first}`", expected=expected, got=f"shape {arrays[first].shape}")
    return shape


def _field(
    path: Path, arrays: Mapping[str, np.ndarray], card: DatasetCard, name: str, shape: tuple[int, ...],
) -> torch.Tensor:
    """(1, *space, C)."""
    values, count = arrays[name], card.num_components(name)
    if count == 1 and values.shape == shape:
        values = values[..., None]
    if values.shape != (*shape, count):
        raise DataError(f"{path}: `{name}`", expected=f"shape {(*shape, count)}", got=f"shape {values.shape}")
    return torch.from_numpy(_finite(path, f"`{name}`", values).astype(np.float32))[None]


def _finite(path: Path, what: str, values: np.ndarray) -> np.ndarray:
    """Numbers that single precision can hold, in double precision."""
    if values.dtype.kind not in "fiu" or not (np.abs(values) <= np.finfo(np.float32).max).all():
        raise DataError(f"{path}: {what}", expected="finite numbers", got=f"NaN, infinity or {values.dtype}")
    return values.astype(np.float64)


def _parameter(path: Path, arrays: Mapping[str, np.ndarray], name: str, parameter: ParameterCard) -> torch.Tensor:
    """(1,), positive where all that the card lists are."""
    known = parameter.values or parameter.range or ()
    return _number(path, arrays, name, 0.0 if min(known) > 0 else -np.inf)


def _number(path: Path, arrays: Mapping[str, np.ndarray], name: str, above: float) -> torch.Tensor:
    """(1,), larger than `above`."""
    value = arrays[name]
    if value.size != 1 or value.dtype.kind not in "fiu" or not np.isfinite(value).all():
        raise DataError(f"{path}: `{name}`", expected="one finite number", got=f"shape {value.shape}, {value.dtype}")
    if not value.reshape(()) > above:
        raise DataError(f"{path}: `{name}`", expected=f"a number above {above:g}", got=f"{value.reshape(()):g}")
    return torch.tensor([float(value.reshape(()))], dtype=torch.float32)


def _extent(path: Path, arrays: Mapping[str, np.ndarray], card: DatasetCard) -> tuple[tuple[float, float], ...]:
    if EXTENT not in arrays:
        return tuple((axis.low, axis.high) for axis in card.axes)
    ends = _finite(path, f"`{EXTENT}`", arrays[EXTENT])
    if ends.shape != (card.num_dimensions, 2) or not (ends[:, 1] > ends[:, 0]).all():
        expected = f"shape {(card.num_dimensions, 2)}, low below high"
        raise DataError(f"{path}: `{EXTENT}`", expected=expected, got=f"shape {ends.shape}, {ends.tolist()}")
    return tuple((float(low), float(high)) for low, high in ends)

"""Samples -> one HDF5 file of a split, in The Well's layout; nothing in it depends on the time of day."""

import math
from pathlib import Path

import h5py
import numpy as np

from upsctl.data.guarded_file import GuardedHdf5
from upsctl.data.hdf5_layout import FIELD_GROUPS, WELL_BOUNDARY_TYPES, boundary_groups, field_path, field_shape
from upsctl.dataset_card import DatasetCard
from upsctl.sample import Axis, Sample

CHUNK_BYTES = 1 << 18
"""Upper bound of a chunk before it holds more than one frame."""


def create_split_file(path: Path, card: DatasetCard, sample: Sample) -> GuardedHdf5:
    """A new file without trajectories, its grid, times and boundary those of `sample`; still open for writing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    guarded = GuardedHdf5(path)
    file = guarded.file
    _create_dimensions(file, sample)
    _create_boundaries(file, sample.domain.geometry.axes)
    for order, group in enumerate(FIELD_GROUPS):
        names = [name for name, field in card.fields.items() if field.tensor_order == order]
        file.create_group(group, track_order=True).attrs["field_names"] = _strings(names)
        for name in names:
            _create_field(file, card, name)
    scalars = file.create_group("scalars", track_order=True)
    scalars.attrs["field_names"] = _strings(list(card.parameters))
    for name in card.parameters:
        scalar = scalars.create_dataset(name, (0,), np.float32, maxshape=(None,), chunks=(1024,))
        scalar.attrs["sample_varying"], scalar.attrs["time_varying"] = True, False
    return guarded


def append(file: h5py.File, path: str, values: np.ndarray) -> None:
    """Add one trajectory's values to a dataset whose first axis counts trajectories."""
    dataset = file[path]
    assert isinstance(dataset, h5py.Dataset)
    count = dataset.shape[0]
    dataset.resize(count + 1, axis=0)
    dataset[count] = values


def _create_dimensions(file: h5py.File, sample: Sample) -> None:
    group, axes = file.create_group("dimensions", track_order=True), sample.domain.geometry.axes
    group.attrs["spatial_dims"] = _strings([axis.name for axis in axes])
    time = group.create_dataset("time", data=sample.times.astype(np.float32))
    time.attrs["sample_varying"] = False
    for axis in axes:
        coordinates = group.create_dataset(axis.name, data=axis.coordinates.astype(np.float32))
        coordinates.attrs["sample_varying"], coordinates.attrs["time_varying"] = False, False
        coordinates.attrs["extent"] = np.asarray(axis.extent, np.float64)


def _create_boundaries(file: h5py.File, axes: tuple[Axis, ...]) -> None:
    boundaries = file.create_group("boundary_conditions", track_order=True)
    for axis in axes:
        for name, (kind, cells) in boundary_groups(axis.name, axis.boundary).items():
            group = boundaries.create_group(name, track_order=True)
            group.attrs["associated_dims"], group.attrs["associated_fields"] = _strings([axis.name]), _strings([])
            group.attrs["bc_type"], group.attrs["boundary_kind"] = WELL_BOUNDARY_TYPES[kind], kind
            group.attrs["sample_varying"], group.attrs["time_varying"] = False, False
            mask = np.zeros(len(axis.coordinates), bool)
            mask[cells] = True
            group.create_dataset("mask", data=mask)


def _create_field(file: h5py.File, card: DatasetCard, name: str) -> None:
    shape, description = field_shape(card, name), card.fields[name]
    is_variable = description.role == "variable"
    dataset = file.create_dataset(
        field_path(card, name), (0, *shape), np.float32, maxshape=(None, *shape), chunks=_chunks(shape, is_variable)
    )
    dataset.attrs["dim_varying"] = np.ones(card.num_dimensions, bool)
    dataset.attrs["sample_varying"], dataset.attrs["time_varying"] = True, is_variable
    if description.tensor_order == 2:
        dataset.attrs["symmetric"], dataset.attrs["antisymmetric"] = False, False
    dataset.attrs["units"] = description.units


def _chunks(shape: tuple[int, ...], is_variable: bool) -> tuple[int, ...]:
    """One trajectory, full space, and as many frames as `CHUNK_BYTES` hold (at least one)."""
    if not is_variable:
        return (1, *shape)
    frame_bytes = 4 * math.prod(shape[1:])
    return (1, min(shape[0], max(1, CHUNK_BYTES // frame_bytes)), *shape[1:])


def write_root(file: h5py.File, card: DatasetCard, trajectory_ids: list[str]) -> None:
    """The root attributes, known when all trajectories are written."""
    attributes = file.attrs
    attributes["dataset_name"], attributes["grid_type"] = card.name, "cartesian"
    attributes["n_spatial_dims"], attributes["n_trajectories"] = card.num_dimensions, len(trajectory_ids)
    shared = {name: item.values[0] for name, item in card.parameters.items() if len(item.values) == 1}
    attributes["simulation_parameters"] = _strings(list(shared))
    for name, value in shared.items():
        attributes[name] = value
    file.create_dataset("trajectory_ids", data=np.asarray(trajectory_ids, "S"))


def _strings(values: list[str]) -> np.ndarray:
    return np.asarray(values, dtype=h5py.string_dtype())

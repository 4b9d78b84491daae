"""The rules of one split's HDF5 file: The Well's, and those by which it follows its card."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import h5py
import numpy as np

from upsctl.data.hdf5_layout import FIELD_GROUPS, WELL_BOUNDARY_TYPES, boundary_groups, field_path, field_shape
from upsctl.data.violation import Violation
from upsctl.dataset_card import AxisCard, DatasetCard, ParameterCard

_ROUND_OFF = 1e-5


def check_split_file(path: Path, name: str, card: DatasetCard, trajectory_ids: Sequence[str]) -> Iterator[Violation]:
    """Every rule that the file breaks.

    Args:
        path: the file.
        name: its path inside the artifact, for the messages.
        card: the artifact's resolved card.
        trajectory_ids: of this split, from the manifest.
    """
    try:
        with h5py.File(path, "r") as file:
            yield from _FileCheck(file, name, card, trajectory_ids).violations()
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:  # all are h5py's
        yield Violation(name, "", "readable as HDF5", str(error))


class _FileCheck:
    def __init__(self, file: h5py.File, name: str, card: DatasetCard, trajectory_ids: Sequence[str]) -> None:
        self._file, self._name, self._card, self._ids = file, name, card, trajectory_ids

    def violations(self) -> Iterator[Violation]:
        yield from self._root()
        yield from self._times()
        for axis in self._card.axes:
            yield from self._axis(axis)
            yield from self._boundaries(axis)
        for order, group in enumerate(FIELD_GROUPS):
            names = [name for name, field in self._card.fields.items() if field.tensor_order == order]
            yield from self._attribute(group, "field_names", names)
            for name in names:
                yield from self._field(name)
        yield from self._attribute("scalars", "field_names", list(self._card.parameters))
        for name, parameter in self._card.parameters.items():
            yield from self._scalar(name, parameter)

    def _root(self) -> Iterator[Violation]:
        yield from self._attribute("/", "dataset_name", self._card.name)
        yield from self._attribute("/", "grid_type", "cartesian")
        yield from self._attribute("/", "n_spatial_dims", self._card.num_dimensions)
        yield from self._attribute("/", "n_trajectories", len(self._ids))
        shared = {name: item.values[0] for name, item in self._card.parameters.items() if len(item.values) == 1}
        yield from self._attribute("/", "simulation_parameters", list(shared))
        for name, value in shared.items():
            yield from self._attribute("/", name, value)
        yield from self._attribute("dimensions", "spatial_dims", [axis.name for axis in self._card.axes])
        stored = self._file.get("trajectory_ids")
        ids = [item.decode() for item in stored[:]] if isinstance(stored, h5py.Dataset) else None
        if ids != list(self._ids):
            yield self._violation("trajectory_ids", "the manifest's ids in their order", _short(ids))

    def _times(self) -> Iterator[Violation]:
        time = self._card.time
        yield from self._flags("dimensions/time", sample_varying=False)
        expected = time.start + time.dt * np.arange(time.num_frames)
        yield from self._values("dimensions/time", expected, "the card's times, equally spaced")

    def _axis(self, axis: AxisCard) -> Iterator[Violation]:
        place, size = f"dimensions/{axis.name}", (axis.high - axis.low) / axis.num_cells
        yield from self._flags(place, sample_varying=False, time_varying=False)
        centres = axis.low + size * (np.arange(axis.num_cells) + 0.5)
        yield from self._values(place, centres, "the centres of the card's equal cells")
        yield from self._attribute(place, "extent", [axis.low, axis.high])

    def _boundaries(self, axis: AxisCard) -> Iterator[Violation]:
        for group, (kind, cells) in boundary_groups(axis.name, axis.boundary).items():
            place = f"boundary_conditions/{group}"
            yield from self._attribute(place, "bc_type", WELL_BOUNDARY_TYPES[kind])
            yield from self._attribute(place, "boundary_kind", kind)
            yield from self._attribute(place, "associated_dims", [axis.name])
            yield from self._flags(place, sample_varying=False, time_varying=False)
            mask = np.zeros(axis.num_cells, bool)
            mask[cells] = True
            yield from self._values(f"{place}/mask", mask, "true on the outermost cells of its ends")

    def _field(self, name: str) -> Iterator[Violation]:
        place, is_variable = field_path(self._card, name), self._card.fields[name].role == "variable"
        shape = (len(self._ids), *field_shape(self._card, name))
        dataset = self._file.get(place)
        if not isinstance(dataset, h5py.Dataset):
            yield self._violation(place, "a dataset", "nothing")
            return
        yield from self._array(dataset, place, shape)
        yield from self._flags(place, sample_varying=True, time_varying=is_variable)
        yield from self._attribute(place, "dim_varying", [True] * self._card.num_dimensions)
        yield from self._attribute(place, "units", self._card.fields[name].units)
        if dataset.shape == shape and not all(np.isfinite(dataset[index]).all() for index in range(shape[0])):
            yield self._violation(place, "finite values", "NaN or infinity")

    def _array(self, dataset: h5py.Dataset, place: str, shape: tuple[int, ...]) -> Iterator[Violation]:
        if dataset.dtype != np.float32:
            yield self._violation(place, "float32", str(dataset.dtype))
        if dataset.shape != shape:
            yield self._violation(place, f"shape {shape}", str(dataset.shape))
        if dataset.chunks is None or dataset.chunks[0] != 1:
            yield self._violation(place, "chunks of one trajectory", str(dataset.chunks))

    def _scalar(self, name: str, parameter: ParameterCard) -> Iterator[Violation]:
        place = f"scalars/{name}"
        dataset = self._file.get(place)
        if not isinstance(dataset, h5py.Dataset) or dataset.shape != (len(self._ids),):
            yield self._violation(place, f"shape ({len(self._ids)},)", str(getattr(dataset, "shape", "nothing")))
            return
        yield from self._flags(place, sample_varying=True, time_varying=False)
        for value in np.unique(dataset[:]):
            if not _is_allowed(float(value), parameter):
                yield self._violation(place, "a value that the card allows", str(value))
                return

    def _values(self, place: str, expected: np.ndarray, rule: str) -> Iterator[Violation]:
        dataset = self._file.get(place)
        if not isinstance(dataset, h5py.Dataset) or dataset.shape != expected.shape:
            yield self._violation(place, f"{rule}: shape {expected.shape}", str(getattr(dataset, "shape", "nothing")))
            return
        got, scale = np.asarray(dataset[:], np.float64), np.abs(np.asarray(expected, np.float64)).max()
        worst = int(np.abs(got - expected).argmax())
        if not abs(got[worst] - expected[worst]) <= _ROUND_OFF * scale:
            yield self._violation(place, f"{rule}: {expected[worst]} at {worst}", str(got[worst]))

    def _flags(self, place: str, **flags: bool) -> Iterator[Violation]:
        for key, value in flags.items():
            yield from self._attribute(place, key, value)

    def _attribute(self, place: str, key: str, expected: object) -> Iterator[Violation]:
        item = self._file.get(place)
        if not isinstance(item, h5py.Group | h5py.Dataset):
            yield self._violation(place, "present", "nothing")
            return
        got = item.attrs.get(key)
        plain = got.tolist() if isinstance(got, np.ndarray | np.generic) else got
        if plain != expected or isinstance(plain, bool) != isinstance(expected, bool):
            yield self._violation(f"{place}@{key}", f"{expected!r}", repr(plain))

    def _violation(self, place: str, rule: str, got: str) -> Violation:
        return Violation(self._name, place, rule, got)


def _is_allowed(value: float, parameter: ParameterCard) -> bool:
    if parameter.range is not None:
        low, high = parameter.range
        return low * (1 - _ROUND_OFF) <= value <= high * (1 + _ROUND_OFF)
    return any(np.float32(value) == np.float32(allowed) for allowed in parameter.values)


def _short(ids: list[str] | None) -> str:
    return "nothing" if ids is None else f"{len(ids)} ids, the first {ids[:1]}"

"""PDEBench's files (Takamoto et al. 2022, arXiv:2210.07182): flat `.hdf5`, grouped `.h5`, incompressible `.h5`.

What a family's file holds stands in its card's `source.settings`, so another family needs a card and nothing else.
Nothing is guessed: a file whose names, shapes, coordinates or parameters are not the card's is refused.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from pydantic import Field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from upsctl.dataset_card import AxisCard, DatasetCard, Frozen, VendorSource
from upsctl.errors import DataError, ProfileError
from upsctl.interfaces import AbstractConverter
from upsctl.profile_reader import list_profiles, load_profile, validate
from upsctl.sample import Axis, Domain, Grid, Sample, SplitName

_CELL_TOLERANCE, _RELATIVE_TOLERANCE = 0.02, 1e-4
_OF_ALTERED_FILES = (OSError, RuntimeError, KeyError, ValueError, TypeError, YAMLError)  # h5py has no error of its own


class FieldSource(Frozen):
    """Which arrays make a field.

    Attributes:
        arrays: HDF5 datasets, one for each component, or one that holds all.
        components: indices into the array's last axis; None where the array has no such axis.
    """

    arrays: tuple[str, ...] = Field(min_length=1)
    components: tuple[int, ...] | None = None


class PdebenchSettings(Frozen):
    """What one family's files look like.

    Attributes:
        filename: regular expression of the file's whole name; its named groups are parameters, or `file`.
        grouping: `flat` (trajectories along the first axis) or `groups` (one HDF5 group for each trajectory).
        fields: the card's field -> its arrays.
        axes: the card's axis -> its coordinates' dataset; empty where the files hold none.
        times: the times' dataset; None for a steady problem, whose files' times mean nothing.
        attributes: parameter -> attribute that must agree, a dot leading into a YAML text; may be absent in the file.
        mislabelled_extents: ends that some files' coordinates have by mistake; the card's are used instead.
        test_split: `first_tenth` (PDEBench's own, as its loaders for single files have it), valid the next tenth; or
            `every_tenth`, for families of many small files.
    """

    filename: str
    grouping: Literal["flat", "groups"] = "flat"
    fields: dict[str, FieldSource]
    axes: dict[str, str] = Field(default_factory=dict)
    times: str | None = None
    attributes: dict[str, str] = Field(default_factory=dict)
    mislabelled_extents: tuple[tuple[float, float], ...] = ()
    test_split: Literal["first_tenth", "every_tenth"] = "first_tenth"


class PdebenchConverter(AbstractConverter):
    """Files of PDEBench -> samples, one trajectory in memory at a time; float64 files become float32."""

    Settings = PdebenchSettings

    def card_name(self, source: Path) -> str | None:
        """The card whose settings match the file's name."""
        cards = {name: load_profile("datasets", name).profile for name in list_profiles("datasets")}
        for name, card in cards.items():
            is_ours = isinstance(card.source, VendorSource) and card.source.converter == "pdebench"
            if is_ours and re.fullmatch(_read_settings(card).filename, source.name):
                return name
        return None

    def convert(self, source: Path, card: DatasetCard) -> Iterator[Sample]:
        """Read one file.

        Raises:
            DataError: naming the file, the dataset in it and the rule that it breaks.
        """
        settings = _read_settings(card)
        named = _named(source, settings.filename, card.name)
        try:
            with h5py.File(source, "r") as file:
                yield from _FileReader(file, source, card, settings, named).samples()
        except _OF_ALTERED_FILES as error:
            raise DataError(f"{source}: {error}", expected="a whole HDF5 file", next_step="download it again") from None

    def write_example(self, path: Path) -> Path:
        """An Advection file of 10 trajectories, 5 frames and 8 cells, with PDEBench's surplus sixth time."""
        target = path / "1D_Advection_Sols_beta0.4.hdf5"
        x = (np.arange(8, dtype=np.float32) + 0.5) / 8
        times = np.arange(6, dtype=np.float32) * np.float32(0.01)
        shifts = 0.4 * times[:5, None] + np.arange(10)[:, None, None] / 10
        with h5py.File(target, "w") as file:
            file["tensor"] = np.sin(2 * np.pi * (x - shifts)).astype(np.float32)
            file["x-coordinate"], file["t-coordinate"] = x, times
            file.attrs["beta"] = 0.4
        return target


def _named(source: Path, filename: str, card: str) -> dict[str, str]:
    """What a file's name says; nothing where it was renamed, which only files that are numbered cannot bear."""
    match, pattern = re.fullmatch(filename, source.name), re.compile(filename)
    if match is None and "file" in pattern.groupindex:
        raise DataError(f"{source}: name", expected=f"{filename}, as {card} says", got=source.name)
    return match.groupdict() if match else {}


class _FileReader:
    """One open file, its card and what its name says."""

    def __init__(
        self, file: h5py.File, path: Path, card: DatasetCard, settings: PdebenchSettings, named: dict[str, str]
    ) -> None:
        self._file, self._path, self._card, self._settings, self._named = file, path, card, settings, named
        self._groups = sorted(file, key=self._group_number) if settings.grouping == "groups" else []

    def samples(self) -> Iterator[Sample]:
        parameters, count = self._parameters(), self._num_trajectories()
        for index in range(count):
            number = self._state_number(index, count)
            state = f"state_{number:05d}"
            described = "_".join(f"{name}_{value:g}" for name, value in parameters.items())
            name = f"{state}/{described}" if described else state
            yield Sample(name, self._split(number, count), *self._content(index), parameters)

    def _content(self, index: int) -> tuple[Mapping[str, Domain], np.ndarray]:
        fields = {name: self._field(name, index) for name in self._card.variable_fields}
        constants = {name: self._field(name, index) for name in self._card.constant_fields}
        shapes = {values.shape[1:-1] for values in fields.values()} | {item.shape[:-1] for item in constants.values()}
        num_frames = {len(values) for values in fields.values()}
        if len(shapes) != 1 or len(num_frames) != 1 or len(next(iter(shapes))) != self._card.num_dimensions:
            raise self._error("fields", f"one grid of {self._card.num_dimensions} axes", f"{sorted(shapes)}")
        (shape,), (frames,) = shapes, num_frames
        axes = tuple(self._axis(card, size, index) for card, size in zip(self._card.axes, shape, strict=True))
        return {"domain": Domain(Grid(axes), fields, constants)}, self._times(index, frames)

    def _field(self, name: str, index: int) -> np.ndarray:
        source = self._settings.fields[name]
        arrays = [self._values(array, index).astype(np.float32) for array in source.arrays]
        if source.components is None:
            return np.stack(arrays, axis=-1)
        (values,) = arrays
        if values.shape[-1] <= max(source.components):
            raise self._error(source.arrays[0], f"components {source.components}", f"{values.shape[-1]} of them")
        return values[..., list(source.components)]

    def _times(self, index: int, num_frames: int) -> np.ndarray:
        """The first `num_frames` times: flat files hold one more, which belongs to no frame."""
        if self._settings.times is None:
            return self._card.time.start + self._card.time.dt * np.arange(num_frames)
        times = self._coordinates(self._settings.times, index).astype(np.float64)
        if len(times) not in (num_frames, num_frames + 1):
            raise self._error(self._settings.times, f"{num_frames} or {num_frames + 1} times", str(len(times)))
        times = times[:num_frames]
        step = (times[-1] - times[0]) / max(1, num_frames - 1)
        if np.abs(times - times[0] - step * np.arange(num_frames)).max() > _RELATIVE_TOLERANCE * abs(times[-1]):
            raise self._error(self._settings.times, "equally spaced times", "others")
        return times

    def _axis(self, card: AxisCard, num_cells: int, index: int) -> Axis:
        size = (card.high - card.low) / num_cells
        centres = card.low + size * (np.arange(num_cells) + 0.5)
        place = self._settings.axes.get(card.name)
        if place is not None:
            self._refuse_other_coordinates(place, self._coordinates(place, index), centres, size)
        return Axis(card.name, centres, (card.low, card.high), card.boundary)

    def _refuse_other_coordinates(self, place: str, stored: np.ndarray, centres: np.ndarray, size: float) -> None:
        if stored.shape != centres.shape:
            raise self._error(place, f"{len(centres)} coordinates, as the fields have", f"{stored.shape}")
        if np.abs(stored - centres).max() <= _CELL_TOLERANCE * size:
            return
        half = (stored[-1] - stored[0]) / (len(stored) - 1) / 2
        ends = (float(stored[0] - half), float(stored[-1] + half))
        if not any(np.allclose(ends, wrong, atol=2 * size) for wrong in self._settings.mislabelled_extents):
            raise self._error(place, f"cell centres {centres[0]:g} to {centres[-1]:g}", f"{stored[0]} to {stored[-1]}")

    def _parameters(self) -> dict[str, float]:
        """From the file's name and attributes, which must agree where both are there."""
        found: dict[str, float] = {}
        for name in self._card.parameters:
            values = [float(self._named[name])] if name in self._named else []
            values += self._attribute(self._settings.attributes[name]) if name in self._settings.attributes else []
            if not values:
                raise self._error(f"parameter {name}", "a value in the file's name or attributes", "none")
            if not np.isclose(values[0], values[-1], rtol=_RELATIVE_TOLERANCE, atol=0):
                raise self._error(f"parameter {name}", f"{values[0]:g}, as the name says", f"{values[-1]:g}")
            found[name] = values[0]
        return found

    def _attribute(self, place: str) -> list[float]:
        name, *keys = place.split(".")
        if name not in self._file.attrs:
            return []
        value: Any = self._file.attrs[name]
        if keys:
            value = YAML(typ="safe", pure=True).load(str(value))
        for key in keys:
            if not isinstance(value, Mapping) or key not in value:
                return []
            value = value[key]
        return [float(value)]

    def _values(self, array: str, index: int) -> np.ndarray:
        return np.asarray(self._dataset(array, index)[()] if self._groups else self._dataset(array, index)[index])

    def _coordinates(self, array: str, index: int) -> np.ndarray:
        """One axis' values; a second axis counts trajectories."""
        dataset = self._dataset(array, index)
        return np.asarray(dataset[index] if dataset.ndim == 2 else dataset[()])

    def _dataset(self, array: str, index: int) -> h5py.Dataset:
        place = f"{self._groups[index]}/{array}" if self._groups else array
        dataset = self._file.get(place)
        if not isinstance(dataset, h5py.Dataset):
            raise self._error(place, "a dataset", f"only {', '.join(list(self._file)[:6])}")
        return dataset

    def _num_trajectories(self) -> int:
        if self._settings.grouping == "groups":
            return len(self._groups)
        arrays = {array for source in self._settings.fields.values() for array in source.arrays}
        counts = {array: self._dataset(array, 0).shape[0] for array in sorted(arrays)}
        if len(set(counts.values())) != 1:
            raise self._error("first axis", "the same number of trajectories in all arrays", str(counts))
        return next(iter(counts.values()))

    def _state_number(self, index: int, count: int) -> int:
        """Which initial condition: files of other parameters share them, numbered files (`file`) have their own."""
        if "file" in self._named:
            return int(self._named["file"]) * count + index
        return self._group_number(self._groups[index]) if self._groups else index

    def _split(self, number: int, count: int) -> SplitName:
        tenth = number % 10 if self._settings.test_split == "every_tenth" else number // max(1, count // 10)
        return "test" if tenth == 0 else "valid" if tenth == 1 else "train"

    def _group_number(self, name: str) -> int:
        if not name.isdigit():
            raise self._error(name, "groups named by numbers", name)
        return int(name)

    def _error(self, place: str, rule: str, got: str) -> DataError:
        return DataError(f"{self._path}: {place}", expected=rule, got=got)


def _read_settings(card: DatasetCard) -> PdebenchSettings:
    if not isinstance(card.source, VendorSource):
        raise ProfileError(f"{card.name}: source", expected="converter pdebench", got=f"recipe {card.source.recipe}")
    settings = validate(PdebenchSettings, card.source.settings)
    if set(settings.fields) != set(card.fields):
        raise ProfileError(
            f"{card.name}: source.settings.fields", expected=", ".join(card.fields), got=", ".join(settings.fields)
        )
    return settings

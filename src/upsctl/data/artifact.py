"""The reader of one unpacked artifact folder."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np

from upsctl.data.field_statistics import FieldStatistics, read_statistics
from upsctl.data.hdf5_layout import boundary_groups, field_path, split_file
from upsctl.data.manifest import CARD_NAME, STATISTICS_NAME, Manifest, read_manifest
from upsctl.dataset_card import DatasetCard
from upsctl.errors import DataError, IntegrityError
from upsctl.profile_reader import load_yaml, validate
from upsctl.sample import Axis, BoundaryKind, SplitName


@dataclass(frozen=True, eq=False)
class Artifact:
    """One dataset slice on disk, opened for some of its splits: the others cannot be read through it.

    Attributes:
        path: the unpacked folder.
        card: the resolved dataset card.
        manifest: what made it, its files and its trajectories.
        statistics: of the training split.
        splits: the splits that may be read.
    """

    path: Path
    card: DatasetCard
    manifest: Manifest
    statistics: FieldStatistics
    splits: tuple[SplitName, ...]
    _files: dict[SplitName, h5py.File] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, path: Path, splits: Sequence[SplitName]) -> "Artifact":
        """Open the folder for `splits`; the files of other splits may be absent.

        Raises:
            IntegrityError: when the artifact is incomplete or of another schema.
            DataError: when it lacks one of `splits`.
        """
        manifest = read_manifest(path)
        for split in splits:
            if split not in manifest.trajectories:
                raise DataError(f"{path}: no split {split}", expected=" or ".join(manifest.trajectories))
        card = validate(DatasetCard, load_yaml(path / CARD_NAME))
        return cls(path, card, manifest, read_statistics(path / STATISTICS_NAME), tuple(splits))

    @property
    def content_digest(self) -> str:
        """Which bytes these are."""
        return self.manifest.content_digest

    @property
    def recipe_digest(self) -> str:
        """Which physics and code made them; for converted sets, which raw files too."""
        return self.manifest.provenance.source_digest

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The grid's axes, in the order of the fields' axes."""
        file = self._file(self.splits[0])
        return tuple(self._read_axis(file, axis.name, axis.boundary) for axis in self.card.axes)

    def trajectory_ids(self, split: SplitName) -> tuple[str, ...]:
        """Ids of the trajectories of a split, in the order of their index.

        Raises:
            DataError: when the artifact was not opened for `split`.
        """
        self._refuse_unopened(split)
        return self.manifest.trajectories[split]

    def times(self, split: SplitName) -> np.ndarray:
        """(T,) times of the frames, float64, in the card's time unit."""
        return np.asarray(_dataset(self._file(split), "dimensions/time")[:], np.float64)

    def read_fields(
        self, split: SplitName, trajectory: int, start: int = 0, stop: int | None = None
    ) -> dict[str, np.ndarray]:
        """Variable fields of one trajectory, frames `start` to `stop`: name -> (T, *space, C), float32."""
        file, frames = self._file(split), slice(start, stop)
        self._refuse_unknown_trajectory(split, trajectory)
        stored = {name: _dataset(file, field_path(self.card, name)) for name in self.card.variable_fields}
        return {name: self._with_components(dataset[trajectory, frames], name) for name, dataset in stored.items()}

    def read_constant_fields(self, split: SplitName, trajectory: int) -> dict[str, np.ndarray]:
        """Constant fields of one trajectory: name -> (*space, C), float32."""
        file = self._file(split)
        self._refuse_unknown_trajectory(split, trajectory)
        stored = {name: _dataset(file, field_path(self.card, name)) for name in self.card.constant_fields}
        return {name: self._with_components(dataset[trajectory], name) for name, dataset in stored.items()}

    def read_parameters(self, split: SplitName, trajectory: int) -> dict[str, float]:
        """Physical parameters of one trajectory: the shortest decimal number that the stored float32 stands for."""
        file = self._file(split)
        self._refuse_unknown_trajectory(split, trajectory)
        return {name: float(str(_dataset(file, f"scalars/{name}")[trajectory])) for name in self.card.parameters}

    def _with_components(self, values: np.ndarray, name: str) -> np.ndarray:
        order = self.card.fields[name].tensor_order
        return values.reshape(*values.shape[: values.ndim - order], self.card.num_components(name))

    def _file(self, split: SplitName) -> h5py.File:
        self._refuse_unopened(split)
        if split not in self._files:
            path = split_file(self.path, self.manifest.name, split)
            try:
                self._files[split] = h5py.File(path, "r")
            except OSError as error:
                raise IntegrityError(
                    f"{path}: {error}", expected="an HDF5 file", next_step=f"`upsctl data verify {self.path}`"
                ) from None
        return self._files[split]

    def _read_axis(self, file: h5py.File, name: str, boundary: tuple[BoundaryKind, BoundaryKind]) -> Axis:
        stored = _dataset(file, f"dimensions/{name}")
        low, high = (float(end) for end in np.asarray(stored.attrs["extent"]))
        for group in boundary_groups(name, boundary):
            if f"boundary_conditions/{group}" not in file:
                raise IntegrityError(f"{file.filename}: no boundary_conditions/{group}", expected="the card's boundary")
        return Axis(name, np.asarray(stored[:], np.float64), (low, high), boundary)

    def _refuse_unopened(self, split: SplitName) -> None:
        if split not in self.splits:
            raise DataError(
                f"{self.card.name}: split {split} was not opened", expected=f"one of {', '.join(self.splits)}"
            )

    def _refuse_unknown_trajectory(self, split: SplitName, trajectory: int) -> None:
        count = len(self.manifest.trajectories[split])
        if not 0 <= trajectory < count:
            raise DataError(
                f"{self.card.name}: trajectory {trajectory} of {split}", expected=f"0 to {count - 1}"
            )  # fmt: skip


def _dataset(file: h5py.File, path: str) -> h5py.Dataset:
    dataset = file.get(path)
    if not isinstance(dataset, h5py.Dataset):
        raise IntegrityError(f"{file.filename}: no dataset {path}", expected="the card's layout")
    return dataset

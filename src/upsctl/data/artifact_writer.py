"""Samples -> one artifact folder, a trajectory at a time: HDF5 by split, statistics and card, the manifest last."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import numpy as np

from upsctl.data.content_digest import content_digest
from upsctl.data.digests import card_digest, file_digest
from upsctl.data.field_statistics import StatisticsAccumulator, write_statistics
from upsctl.data.guarded_file import GuardedHdf5
from upsctl.data.hdf5_layout import field_path, field_shape, split_file
from upsctl.data.hdf5_writer import append, create_split_file, write_root
from upsctl.data.manifest import (
    CARD_NAME,
    MANIFEST_NAME,
    STATISTICS_NAME,
    FileRecord,
    Manifest,
    Provenance,
    write_manifest,
)
from upsctl.data.probes import missed_probes
from upsctl.data.uninterrupted import uninterrupted
from upsctl.dataset_card import DatasetCard
from upsctl.errors import DataError
from upsctl.profile_reader import write_yaml
from upsctl.recipe_card import SPLITS
from upsctl.sample import Sample, SplitName


class ArtifactWriter:
    """Writes one artifact into an empty folder; nothing is complete before `finish`.

    Args:
        folder: made if it is not there.
        card: the card that the samples follow; their shapes are checked against it.
    """

    def __init__(self, folder: Path, card: DatasetCard) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.card = folder, card
        self._files: dict[SplitName, GuardedHdf5] = {}
        self._trajectories: dict[SplitName, list[str]] = {}
        self._split_of: dict[str, SplitName] = {}
        self._statistics = StatisticsAccumulator()
        self._first: Sample | None = None

    def __enter__(self) -> "ArtifactWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    @property
    def num_trajectories(self) -> dict[SplitName, int]:
        """How many trajectories each split has so far."""
        return {split: len(ids) for split, ids in self._trajectories.items()}

    def write(self, sample: Sample) -> None:
        """Append one trajectory to its split.

        Raises:
            DataError: when a field or parameter is missing, unknown, misshapen or not finite, or the initial condition
                is in another split already.
            OSError: when the disk is full.
        """
        self._refuse_what_breaks_the_card(sample)
        self._refuse_a_leak(sample)
        with uninterrupted():
            self._append(sample)
        self._files[sample.split].raise_error()
        self._trajectories[sample.split].append(sample.trajectory_id)
        if sample.split == "train":
            self._statistics.add(sample.domain.fields, sample.domain.constant_fields)

    def _append(self, sample: Sample) -> None:
        if sample.split not in self._files:
            self._files[sample.split] = create_split_file(self._path(sample.split), self.card, sample)
            self._trajectories[sample.split] = []
        file, domain = self._files[sample.split].file, sample.domain
        for name, values in {**domain.fields, **domain.constant_fields}.items():
            append(file, field_path(self.card, name), np.reshape(values, field_shape(self.card, name)))
        for name, value in sample.parameters.items():
            append(file, f"scalars/{name}", np.asarray(value))

    def finish(self, card: DatasetCard, provenance: Provenance) -> Manifest:
        """Write the root attributes, statistics and card, then the manifest.

        Args:
            card: the card as resolved at the end; its splits say how many trajectories there must be.
            provenance: what made the samples.

        Raises:
            DataError: when a split has another number of trajectories than the card says.
        """
        _refuse_other_counts(card, self.num_trajectories)
        with uninterrupted():
            for split, file in self._files.items():
                write_root(file.file, card, self._trajectories[split])
        self._close()
        for file in self._files.values():
            file.raise_error()
        statistics = self._statistics.statistics()
        write_statistics(statistics, card, self.folder / STATISTICS_NAME)
        write_yaml(card.model_dump(mode="json"), self.folder / CARD_NAME)
        manifest = Manifest(
            name=card.name,
            version=version_in_name(card.name),
            card_digest=card_digest(card),
            content_digest=content_digest({split: self._path(split) for split in self._trajectories}),
            provenance=provenance,
            trajectories={split: tuple(ids) for split, ids in self._trajectories.items()},
            files=file_records(self.folder),
            probe_misses=missed_probes(card, self.folder, self._trajectories, statistics),
        )
        write_manifest(manifest, self.folder)
        return manifest

    def _path(self, split: SplitName) -> Path:
        return split_file(self.folder, self.card.name, split)

    def _close(self) -> None:
        with uninterrupted():
            for file in self._files.values():
                file.close()

    def _refuse_a_leak(self, sample: Sample) -> None:
        """Sources that differ in length may assign one initial condition to several splits."""
        other = self._split_of.setdefault(sample.initial_condition, sample.split)
        if other != sample.split:
            got = f"{sample.initial_condition} in {other} and in {sample.split}"
            raise DataError(f"{self.card.name}: splits", expected="an initial condition in one split only", got=got)

    def _refuse_what_breaks_the_card(self, sample: Sample) -> None:
        where, domain = f"{self.card.name}: {sample.trajectory_id}", sample.domain
        self._first = self._first or sample
        _refuse_other_coordinates(where, "times", sample.times, self._first.times, self.card.time.num_frames)
        pairs = zip(domain.geometry.axes, self._first.domain.geometry.axes, self.card.axes, strict=True)
        for axis, first, described in pairs:
            _refuse_other_coordinates(where, axis.name, axis.coordinates, first.coordinates, described.num_cells)
        _refuse_other_names(where, "variable fields", domain.fields, self.card.variable_fields)
        _refuse_other_names(where, "constant fields", domain.constant_fields, self.card.constant_fields)
        _refuse_other_names(where, "parameters", sample.parameters, self.card.parameters)
        for name, values in {**domain.fields, **domain.constant_fields}.items():
            order = self.card.fields[name].tensor_order
            shape = field_shape(self.card, name)
            expected = (*shape[: len(shape) - order], self.card.num_components(name))
            if values.shape != expected:
                raise DataError(f"{where}: field {name}", expected=f"shape {expected}", got=str(values.shape))
            if not np.isfinite(values).all():
                raise DataError(f"{where}: field {name}", expected="finite values", got="NaN or infinity")


def file_records(folder: Path) -> tuple[FileRecord, ...]:
    """Path, size and hash of every file in the folder but the manifest, sorted."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST_NAME)
    return tuple(
        FileRecord(path=path.relative_to(folder).as_posix(), num_bytes=path.stat().st_size, sha256=file_digest(path))
        for path in paths
    )


def version_in_name(name: str) -> int:
    """The version that a dataset's name ends with: 1 for `burgers1d_tiny_v1`.

    Raises:
        DataError: when it ends with none.
    """
    _, marker, number = name.rpartition("_v")
    if not marker or not number.isdigit():
        raise DataError(f"dataset name {name}", expected="an ending such as `_v1`")
    return int(number)


def _refuse_other_counts(card: DatasetCard, num_trajectories: Mapping[SplitName, int]) -> None:
    for split in SPLITS:
        expected, got = getattr(card.splits, split), num_trajectories.get(split, 0)
        if got != expected:
            raise DataError(f"{card.name}: split {split}", expected=f"{expected} trajectories", got=str(got))


def _refuse_other_coordinates(where: str, what: str, got: np.ndarray, first: np.ndarray, count: int) -> None:
    """All trajectories of an artifact stand on one grid and at the same times."""
    if len(got) != count:
        raise DataError(f"{where}: {what}", expected=f"{count} of them", got=str(len(got)))
    if not np.allclose(got, first, rtol=1e-5, atol=1e-6 * float(np.abs(first).max())):
        raise DataError(f"{where}: {what}", expected="those of the first trajectory", got="others")


def _refuse_other_names(where: str, what: str, got: Mapping[str, object], expected: Mapping[str, object]) -> None:
    if set(got) != set(expected):
        raise DataError(f"{where}: {what}", expected=", ".join(expected) or "none", got=", ".join(got) or "none")

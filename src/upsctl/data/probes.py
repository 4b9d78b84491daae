"""Whether a made artifact is the content that its card means: the card's probe values."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from upsctl.data.field_statistics import FieldStatistics
from upsctl.data.hdf5_layout import field_path, split_file
from upsctl.data.manifest import ProbeMiss
from upsctl.dataset_card import DatasetCard, Probe
from upsctl.errors import DataError
from upsctl.sample import SplitName

TOLERANCE = 1e-5


def missed_probes(
    card: DatasetCard, folder: Path, trajectories: Mapping[SplitName, Sequence[str]], statistics: FieldStatistics
) -> tuple[ProbeMiss, ...]:
    """The probes that the files in `folder` miss by more than 1e-5 of the field's rms over the training split.

    Raises:
        DataError: when a probe names a trajectory or an index that the artifact lacks.
    """
    misses = []
    for probe in card.probes:
        got = _stored_value(card, folder, trajectories, probe)
        if abs(got - probe.value) > TOLERANCE * float(np.linalg.norm(statistics.rms[probe.field])):
            values = {**probe.model_dump(exclude={"value"}), "expected": probe.value, "got": got}
            misses.append(ProbeMiss.model_validate(values))
    return tuple(misses)


def _stored_value(
    card: DatasetCard, folder: Path, trajectories: Mapping[SplitName, Sequence[str]], probe: Probe
) -> float:
    for split, ids in trajectories.items():
        if probe.trajectory_id in ids:
            with h5py.File(split_file(folder, card.name, split), "r") as file:
                dataset = file[field_path(card, probe.field)]
                assert isinstance(dataset, h5py.Dataset)
                values = np.asarray(dataset[list(ids).index(probe.trajectory_id)])
            num_space = len(probe.index) - 1
            return float(values.reshape(*values.shape[:num_space], -1)[probe.index])
    raise DataError(f"{card.name}: probe of {probe.trajectory_id}", expected="a trajectory of the card")

"""Artifact -> `Batch`: border 1. Whole trajectories for evaluation, windows in a reproducible order for training."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from ups_models.batch import Batch
from ups_models.geometry import GridGeometry
from upsctl.data.artifact import Artifact
from upsctl.sample import SplitName


class SplitTensors:
    """One split of one artifact in memory.

    Args:
        artifact: opened for that split.
        split: which.
    """

    def __init__(self, artifact: Artifact, split: SplitName) -> None:
        trajectories = range(len(artifact.trajectory_ids(split)))
        fields = [artifact.read_fields(split, index) for index in trajectories]
        constants = [artifact.read_constant_fields(split, index) for index in trajectories]
        parameters = [artifact.read_parameters(split, index) for index in trajectories]
        self.dataset, self.geometry = artifact.card.name, grid_geometry(artifact)
        self.fields = {name: _stack([sample[name] for sample in fields]) for name in artifact.card.variable_fields}
        self.constant_fields = {
            name: _stack([sample[name] for sample in constants]) for name in artifact.card.constant_fields
        }
        self.parameters = {
            name: torch.tensor([values[name] for values in parameters]) for name in artifact.card.parameters
        }
        self.time_step = artifact.card.time.dt

    @property
    def num_trajectories(self) -> int:
        """How many trajectories the split has."""
        return len(next(iter(self.fields.values())))

    @property
    def num_frames(self) -> int:
        """How many frames each trajectory has."""
        return next(iter(self.fields.values())).shape[1]

    def batch(self, trajectories: Sequence[int], starts: Sequence[int], num_frames: int) -> Batch:
        """Windows of `num_frames` frames, each from its own trajectory and start."""
        index = torch.as_tensor(trajectories)
        frames = torch.as_tensor(starts)[:, None] + torch.arange(num_frames)
        return Batch(
            dataset=self.dataset,
            geometry=self.geometry,
            fields={name: field[index[:, None], frames] for name, field in self.fields.items()},
            constant_fields={name: field[index] for name, field in self.constant_fields.items()},
            parameters={name: values[index] for name, values in self.parameters.items()},
            time_step=torch.full((len(index),), self.time_step),
        )

    def random_windows(self, count: int, num_frames: int) -> Batch:
        """At most `count` different windows; the same ones at every call."""
        starts = self.num_frames - num_frames + 1
        total = self.num_trajectories * starts
        chosen = np.sort(np.random.default_rng(0).permutation(total)[:count])
        return self.batch((chosen // starts).tolist(), (chosen % starts).tolist(), num_frames)


class WindowSampler:
    """Training windows in an order that depends on the seed and the batch's number alone.

    Every epoch is a new permutation of all (trajectory, start) pairs, so a training that goes on at batch n sees what
    it would have seen.

    Args:
        tensors: the training split.
        batch_size: windows per batch.
        seed: of the run.
    """

    def __init__(self, tensors: SplitTensors, batch_size: int, seed: int) -> None:
        self.tensors, self.batch_size, self.seed = tensors, batch_size, seed
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def batch(self, number: int, num_frames: int) -> Batch:
        """Batch `number` (from 0), with windows of `num_frames` frames."""
        num_starts = self.tensors.num_frames - 1
        pairs = [self._pair(number * self.batch_size + offset, num_starts) for offset in range(self.batch_size)]
        last_start = self.tensors.num_frames - num_frames
        starts = [pair % num_starts % (last_start + 1) for pair in pairs]
        return self.tensors.batch([pair // num_starts for pair in pairs], starts, num_frames)

    def _pair(self, position: int, num_starts: int) -> int:
        total = self.tensors.num_trajectories * num_starts
        if position // total != self._epoch:
            self._epoch = position // total
            self._order = np.random.default_rng([self.seed, self._epoch]).permutation(total)
        return int(self._order[position % total])


def iter_split(artifact: Artifact, split: SplitName, batch_size: int) -> Iterator[Batch]:
    """Whole trajectories of a split in their order, all frames, `batch_size` at a time."""
    tensors = SplitTensors(artifact, split)
    for start in range(0, tensors.num_trajectories, batch_size):
        chosen = range(start, min(start + batch_size, tensors.num_trajectories))
        yield tensors.batch(list(chosen), [0] * len(chosen), tensors.num_frames)


def grid_geometry(artifact: Artifact) -> GridGeometry:
    """The geometry that all trajectories of an artifact share."""
    axes = artifact.axes
    return GridGeometry(
        shape=tuple(len(axis.coordinates) for axis in axes),
        extent=tuple(axis.extent for axis in axes),
        boundary=tuple(axis.boundary for axis in axes),
    )


def _stack(arrays: Sequence[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.stack(arrays))

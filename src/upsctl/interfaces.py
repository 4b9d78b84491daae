"""The contracts of upsctl's plural folders: converters, recipes, stores and figures. All of them load no torch."""

import abc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel

from upsctl.dataset_card import DatasetCard
from upsctl.sample import Axis, Sample, SplitName


@dataclass(frozen=True)
class TrajectoryPlan:
    """What one trajectory of a recipe will be, known before it is solved.

    Attributes:
        trajectory_id: unique in the dataset.
        split: assigned here, before anything else.
        parameters: its physical parameters.
        seed: entropy for this trajectory alone, so that trajectories can be solved in any order.
    """

    trajectory_id: str
    split: SplitName
    parameters: Mapping[str, float]
    seed: tuple[int, ...]


class AbstractRecipe(abc.ABC):
    """An offline generator: a card's physics -> samples. One file per physics; numpy, scipy, numba; no torch."""

    Settings: ClassVar[type[BaseModel]]

    @abc.abstractmethod
    def plan(self, card: DatasetCard) -> Sequence[TrajectoryPlan]:
        """The trajectories of the card, all splits, in their order in the artifact."""

    @abc.abstractmethod
    def solve(self, card: DatasetCard, plan: TrajectoryPlan) -> Sample:
        """Solve one trajectory; a pure function of the card's recipe and the plan."""


class AbstractConverter(abc.ABC):
    """A raw format -> samples, streamed: memory is bounded by one trajectory. One file per source format."""

    Settings: ClassVar[type[BaseModel]]

    @abc.abstractmethod
    def card_name(self, source: Path) -> str | None:
        """The card that the vendor's file name decides, or None where it decides none."""

    @abc.abstractmethod
    def convert(self, source: Path, card: DatasetCard) -> Iterator[Sample]:
        """Read one raw file, one trajectory at a time.

        Raises:
            DataError: naming the file, the dataset in it and the rule that it breaks.
        """

    @abc.abstractmethod
    def write_example(self, path: Path) -> Path:
        """Write a small raw file in this format for the contract tests; returns the file's path."""


class AbstractStore(abc.ABC):
    """Bytes by key. One file per backend."""

    @abc.abstractmethod
    def __init__(self, address: str) -> None:
        """The store at the address of its profile; secrets come from the environment alone."""

    @property
    @abc.abstractmethod
    def is_writable(self) -> bool:
        """Whether `put` may be called at all."""

    @abc.abstractmethod
    def put(self, source: Path, key: str) -> None:
        """Store the file under `key`; a reader never sees half of it."""

    @abc.abstractmethod
    def get(self, key: str, target: Path) -> None:
        """Read the bytes of `key` into the file `target`, resuming what is already there.

        Raises:
            StoreError: when the key is missing or the store does not answer.
        """

    @abc.abstractmethod
    def list(self, prefix: str = "") -> list[str]:
        """The keys that start with `prefix`, sorted."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one emulator predicted for one split of one dataset, beside the truth, in physical units.

    Attributes:
        emulator: the label of the emulator, as in the leaderboard.
        card: the dataset's card (names, units, parameters).
        split: which split.
        trajectory_ids: (N,) names.
        times: (T,) of the frames below, the given first frame included.
        axes: the grid's axes.
        parameters: name -> (N,).
        truth, prediction: field -> (N, T, *space, C); frame 0 is the given one in both.
    """

    emulator: str
    card: DatasetCard
    split: SplitName
    trajectory_ids: tuple[str, ...]
    times: np.ndarray
    axes: tuple[Axis, ...]
    parameters: Mapping[str, np.ndarray]
    truth: Mapping[str, np.ndarray]
    prediction: Mapping[str, np.ndarray]

    @property
    def discrete_parameters(self) -> tuple[str, ...]:
        """The parameters that take few values, by which results are grouped."""
        return tuple(name for name in self.parameters if self.card.parameters[name].values)

    def group_trajectories(self) -> dict[tuple[float, ...], np.ndarray]:
        """Values of the discrete parameters -> indices of their trajectories, ascending; one group () without any."""
        columns = [self.parameters[name] for name in self.discrete_parameters]
        groups: dict[tuple[float, ...], list[int]] = {}
        for index in range(len(self.trajectory_ids)):
            groups.setdefault(tuple(float(column[index]) for column in columns), []).append(index)
        return {values: np.array(groups[values]) for values in sorted(groups)}


@dataclass(frozen=True, eq=False)
class FigureSource:
    """All that a figure may draw from: predictions of one or more emulators, and the events of their trainings.

    `training_events` maps an emulator's label to the parsed lines of its run's `events.jsonl`.
    """

    predictions: Sequence[Predictions]
    training_events: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Drawing:
    """What a figure wrote: the picture and the JSON beside it with the numbers read back from the drawn artists."""

    picture: Path
    numbers: Path


class AbstractFigure(abc.ABC):
    """Predictions -> one picture. One file per figure; `suffix` is its file's."""

    suffix: ClassVar[str] = ".png"

    @abc.abstractmethod
    def is_drawable(self, source: FigureSource) -> bool:
        """Whether this figure can show that source (its dimension, its number of frames, its events)."""

    @abc.abstractmethod
    def draw(self, source: FigureSource, target: Path) -> Drawing:
        """Draw `source` to the picture file `target`, and the drawn numbers to `target` with `.json`."""

"""The contracts of ups_models: emulators, encoders, stages, metrics and losses. Abstract here, final elsewhere."""

import abc
from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor, nn

from ups_models.batch import Batch, Fields
from ups_models.dimensionless import DimensionlessState, Network
from ups_models.geometry import GridGeometry


class PartConfig(BaseModel):
    """The settings of one part, standing beside it; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AbstractNormaliser(nn.Module, abc.ABC):
    """The change of units that a model carries, with the statistics of each of its datasets."""

    prediction: Literal["residual", "direct"]

    @abc.abstractmethod
    def statistic(self, dataset: str, field: str, name: str) -> Tensor:
        """`mean` (C,), `std` (), `size` () or `increment` () of one field of one dataset."""

    @abc.abstractmethod
    def set_statistics(self, dataset: str, means: Mapping[str, Tensor], stds: Mapping[str, Tensor]) -> None:
        """Take over mean (C,) and standard deviation (C,) of each field over the training split."""

    @abc.abstractmethod
    def fit_increments(self, pairs: Batch) -> None:
        """Measure the size of the increments between the first two frames of many training windows."""

    @abc.abstractmethod
    def to_dimensionless(self, batch: Batch) -> DimensionlessState:
        """Frame 0 of a batch in dimensionless fields and numbers."""

    @abc.abstractmethod
    def changes(self, outputs: Mapping[str, Tensor], state: DimensionlessState) -> dict[str, Tensor]:
        """The dimensionless changes of one step, from a network's outputs."""

    @abc.abstractmethod
    def change_scale(self, name: str, state: DimensionlessState) -> Tensor:
        """(B, 1, 1...) the size of a field's change in one step, zero for a step of zero length."""

    @abc.abstractmethod
    def to_physical(self, changes: Mapping[str, Tensor], state: DimensionlessState) -> Fields:
        """The next frame from dimensionless changes: name -> (B, 1, *space, C), physical units."""

    def advance(self, batch: Batch, network: Network) -> Fields:
        """One step of a network that sees dimensionless states: physical in, physical out."""
        state = self.to_dimensionless(batch)
        return self.to_physical(self.changes(network(state), state), state)


class AbstractEmulator(nn.Module, abc.ABC):
    """A map from the present state to the next frame: the universal model and every baseline.

    Physical units in, physical units out; evaluation cannot tell one from another.
    """

    Config: ClassVar[type[PartConfig]]
    normaliser: AbstractNormaliser

    def fit(self, pairs: Batch, valid_pairs: Batch) -> None:
        """Before any gradient step, take over what follows from the data in closed form; once for each dataset.

        Args:
            pairs: two consecutive frames each, many, from the training split.
            valid_pairs: the same of the validation split, for the choice of a regularisation.
        """
        self.normaliser.fit_increments(pairs)

    @abc.abstractmethod
    def step(self, batch: Batch) -> Fields:
        """The frame one `time_step` after frame 0 of `batch`: name -> (B, 1, *space, C)."""

    def predict(self, batch: Batch, num_steps: int) -> Fields:
        """Roll out autoregressively from frame 0: name -> (B, num_steps, *space, C)."""
        frames: list[Fields] = []
        state = batch.window(0, 1)
        for _ in range(num_steps):
            frames.append(self.step(state))
            state = state.with_fields(frames[-1])
        return {name: torch.cat([frame[name] for frame in frames], dim=1) for name in frames[0]}


class AbstractStage(abc.ABC):
    """One phase of training: what it needs, what it moves and by which loss."""

    Config: ClassVar[type[PartConfig]]
    needs: ClassVar[tuple[str, ...]]

    @abc.abstractmethod
    def trainable(self, model: AbstractEmulator) -> nn.Module:
        """The part whose parameters move; all others are frozen."""

    @abc.abstractmethod
    def num_frames(self, progress: float) -> int:
        """How many frames a training window has at `progress` (0 to 1) of the stage, the input included."""

    @abc.abstractmethod
    def loss(
        self, model: AbstractEmulator, batch: Batch, progress: float, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Named scalar terms whose sum is minimised; every draw is the generator's, on the processor."""


class AbstractMetric(abc.ABC):
    """An error of a prediction against the truth, both in physical units.

    A metric is computed in two steps so that metrics that pool over samples (PDEBench's) and those that give a number
    per sample have one form: `statistics` per sample, then `aggregate` over all samples of a split.

    Attributes:
        is_pooled: whether its published number is the aggregate over a split, beside the per-sample values.
    """

    is_pooled: ClassVar[bool] = False

    @abc.abstractmethod
    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, *S) per-sample statistics, S the metric's own axes; fields (B, T, *space, C) of predicted frames only."""

    @abc.abstractmethod
    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """(N, *S) statistics of N samples -> named scalars; the name is '' for a metric of one value."""

    def per_sample(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The aggregate of each sample alone: name -> (N,)."""
        alone = [self.aggregate(row[None]) for row in statistics]
        return {name: torch.stack([values[name] for values in alone]) for name in alone[0]}


class AbstractLoss(abc.ABC):
    """A differentiable error per sample."""

    @abc.abstractmethod
    def __call__(self, prediction: Fields, target: Fields, reference: Fields) -> Tensor:
        """(B,) loss; `reference` is the input state, for losses of increments."""


Settings = dict[str, Any]

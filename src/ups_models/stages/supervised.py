"""The stage of every baseline: regression of the next frames."""

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from ups_models.batch import Batch, Fields
from ups_models.interfaces import AbstractEmulator, AbstractLoss, AbstractStage, PartConfig
from ups_models.registry import load_part


class SupervisedConfig(PartConfig):
    """What is minimised, over how many steps.

    Attributes:
        loss: a file of `ups_models/losses/`.
        unroll: share of the training from which it holds -> steps unrolled with gradient.
    """

    loss: Literal["relative_l2"] = "relative_l2"
    unroll: dict[float, int] = Field(default_factory=lambda: {0.0: 1})


class Supervised(AbstractStage):
    """Minimise the loss of the next frames, unrolled from the true first one."""

    Config = SupervisedConfig
    needs = ()

    def __init__(self, config: SupervisedConfig) -> None:
        self.config = config
        self._loss = _loss_class(config.loss)()

    def trainable(self, model: AbstractEmulator) -> nn.Module:
        """The whole model."""
        return model

    def num_frames(self, progress: float) -> int:
        """The input and the unrolled steps at `progress`."""
        return 1 + [steps for start, steps in sorted(self.config.unroll.items()) if start <= progress][-1]

    def loss(
        self, model: AbstractEmulator, batch: Batch, progress: float, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """`relative_l2`: the mean over the batch."""
        prediction = model.predict(batch, batch.num_frames - 1)
        return self._against_truth(prediction, batch)

    def terms(self, frames: Sequence[Fields], batch: Batch) -> dict[str, Tensor]:
        """The same of frames that were predicted one by one."""
        joined = {name: torch.cat([frame[name] for frame in frames], dim=1) for name in frames[0]}
        return self._against_truth(joined, batch)

    def _against_truth(self, prediction: Fields, batch: Batch) -> dict[str, Tensor]:
        target = batch.window(1, batch.num_frames)
        per_sample = self._loss(prediction, target.fields, batch.window(0, 1).fields)
        return {self.config.loss: torch.mean(per_sample)}


def _loss_class(name: str) -> type[AbstractLoss]:
    return load_part("ups_models.losses", name, AbstractLoss)

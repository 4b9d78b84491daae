"""The mean of all training states."""

import torch

from ups_models.batch import Batch, Fields
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.normaliser import Normaliser
from ups_models.problem import Problems


class Mean(AbstractEmulator):
    """u(t + dt) = mean over training trajectories, frames and space of u, component by component."""

    Config = PartConfig

    def __init__(self, problems: Problems, config: PartConfig, normaliser: Normaliser) -> None:
        super().__init__()
        self.normaliser = normaliser

    def step(self, batch: Batch) -> Fields:
        """The training mean everywhere, name -> (B, 1, *space, C)."""
        means = {name: self.normaliser.statistic(batch.dataset, name, "mean") for name in batch.fields}
        return {name: torch.ones_like(field[:, :1]) * means[name] for name, field in batch.fields.items()}

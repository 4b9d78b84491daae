"""Nothing changes."""

from ups_models.batch import Batch, Fields
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.normaliser import Normaliser
from ups_models.problem import Problems


class Persistence(AbstractEmulator):
    """u(t + dt) = u(t)."""

    Config = PartConfig

    def __init__(self, problems: Problems, config: PartConfig, normaliser: Normaliser) -> None:
        super().__init__()
        self.normaliser = normaliser

    def step(self, batch: Batch) -> Fields:
        """Frame 0 again, name -> (B, 1, *space, C)."""
        return batch.window(0, 1).fields

"""The first stage of the universal model: encoder, latent operator and decoder, end to end in physical space."""

from torch import Tensor, nn

from ups_models.batch import Batch
from ups_models.interfaces import AbstractEmulator, AbstractStage
from ups_models.stages.supervised import Supervised, SupervisedConfig


class Operator(AbstractStage):
    """Supervised regression of the decoded next frames."""

    Config = SupervisedConfig
    needs = ()

    def __init__(self, config: SupervisedConfig) -> None:
        self._supervised = Supervised(config)

    def trainable(self, model: AbstractEmulator) -> nn.Module:
        """The whole model."""
        return model

    def num_frames(self, progress: float) -> int:
        """The input and the unrolled steps at `progress`."""
        return self._supervised.num_frames(progress)

    def loss(self, model: AbstractEmulator, batch: Batch, progress: float) -> dict[str, Tensor]:
        """The terms of the supervised stage."""
        return self._supervised.loss(model, batch, progress)

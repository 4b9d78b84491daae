"""The universal surrogate: encoder, latent operator and decoder as one emulator."""

from torch import Tensor

from ups_models.any_point_decoder import AnyPointDecoder
from ups_models.batch import Batch, Fields
from ups_models.conditioning import Conditioning
from ups_models.encoders.grid import GridEncoder
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.latent_operator import LatentOperator, LatentOperatorConfig
from ups_models.normaliser import DimensionlessState, Normaliser
from ups_models.problem import Problems
from ups_models.sizes import Sizes


class UniversalConfig(PartConfig):
    """The sizes that the parts share, and the parts' own configs."""

    sizes: Sizes = Sizes()
    operator: LatentOperatorConfig = LatentOperatorConfig()


class Universal(AbstractEmulator):
    """One latent model for all its problems: encode, step, decode, once per time step.

    Args:
        problems: dataset name -> Problem.
        config: sizes.
        normaliser: the frame it lives in.
    """

    Config = UniversalConfig

    def __init__(self, problems: Problems, config: UniversalConfig, normaliser: Normaliser) -> None:
        super().__init__()
        dimensions = sorted({problem.num_dimensions for problem in problems.values()})
        self.normaliser = normaliser
        self.conditioning = Conditioning(normaliser, config.sizes.conditioning_width)
        self.encoder = GridEncoder(problems, config.sizes)
        self.operator = LatentOperator(dimensions, config.operator, config.sizes)
        self.decoder = AnyPointDecoder(problems, config.sizes)

    def step(self, batch: Batch) -> Fields:
        """The next frame, name -> (B, 1, *space, C), in physical units."""
        return self.normaliser.advance(batch, self._network)

    def _network(self, state: DimensionlessState) -> dict[str, Tensor]:
        latent = self.encoder.encode(state, self.conditioning(state))
        return self.decoder.decode(self.operator.step(latent), state.fields)

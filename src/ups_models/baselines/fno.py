"""The Fourier neural operator of the `neuraloperator` library."""

from typing import Any

import torch
from torch import Tensor, nn

from ups_models.batch import Batch, Fields
from ups_models.blocks.stacked_channels import num_channels, stack_channels, unstack_channels
from ups_models.blocks.zero_start import start_at_zero
from ups_models.dimensionless import DimensionlessState
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.normaliser import Normaliser
from ups_models.problem import Problems


class FNOConfig(PartConfig):
    """What `neuralop.models.FNO` is made with.

    Attributes:
        num_modes: kept along each axis, in 1D, 2D and 3D.
        width: channels of a layer, `hidden_channels`.
        num_layers: depth.
        with_coordinates: whether the coordinates are inputs, `positional_embedding`. On periodic domains they tell
            nothing and cost a seventh of the updates (docs/log.md); elsewhere they tell the place.
    """

    num_modes: tuple[int, int, int] = (64, 16, 12)
    width: int = 32
    num_layers: int = 4
    with_coordinates: bool = False


class FNO(AbstractEmulator):
    """Fields, constant fields and numbers as channels -> FNO -> the fields (Li et al. 2021, arXiv 2010.08895).

    With `residual` the last layer begins at zero.

    Args:
        problems: one dataset.
        config: sizes.
        normaliser: the frame it lives in.
    """

    Config = FNOConfig

    def __init__(self, problems: Problems, config: FNOConfig, normaliser: Normaliser) -> None:
        super().__init__()
        from neuralop.models import FNO as NeuralOperatorFNO

        (self.problem,) = problems.values()
        inputs = num_channels(self.problem.fields) + len(normaliser.number_names(self.problem))
        self.normaliser, self.outputs = normaliser, normaliser.output_fields(self.problem)
        embedding: Any = "grid" if config.with_coordinates else None  # the library takes None, its types do not say so
        self.network: nn.Module = NeuralOperatorFNO(
            n_modes=(config.num_modes[self.problem.num_dimensions - 1],) * self.problem.num_dimensions,
            in_channels=inputs,
            out_channels=num_channels(self.outputs),
            hidden_channels=config.width,
            n_layers=config.num_layers,
            positional_embedding=embedding,
        )
        if normaliser.prediction == "residual":
            start_at_zero(self.network.get_submodule("projection.fcs.1"))
        self.register_state_dict_post_hook(_drop_settings)

    def step(self, batch: Batch) -> Fields:
        """The next frame, name -> (B, 1, *space, C)."""
        return self.normaliser.advance(batch, self._network)

    def _network(self, state: DimensionlessState) -> dict[str, Tensor]:
        with torch.autocast(state.step_size.device.type, enabled=False):
            return unstack_channels(self.network(stack_channels(state)), self.outputs)


def _drop_settings(module: nn.Module, state: dict[str, Any], prefix: str, local_metadata: dict[str, Any]) -> None:
    """The library puts its constructor's arguments among the weights; a checkpoint has them in its description."""
    state.pop("_metadata", None)

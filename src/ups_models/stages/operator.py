"""The first stage of the universal model: encoder, latent operator and decoder, end to end in physical space."""

import torch
from torch import Tensor, nn

from ups_models.batch import Batch
from ups_models.blocks.interpolation import interpolate
from ups_models.errors import ModelError
from ups_models.interfaces import AbstractEmulator, AbstractStage
from ups_models.stages.supervised import Supervised, SupervisedConfig
from ups_models.universal import Advanced, Universal

NUM_SAMPLES = 2
"""Of a batch, for the term between the nodes; that term is a small part of the model and learns fast."""

NUM_POINTS = 64
"""Of each of these samples."""

FINE_TAPS = 8
"""Nodes along each axis from which the truth between nodes is interpolated."""

WEIGHT = 1e-3
"""Of the loss between nodes."""

ROUND_OFF = 1e-12
"""Mean square, relative to the field's, below which differences between orders mean nothing."""


class Operator(AbstractStage):
    """Regression of the decoded next frames, and of what lies between their nodes."""

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

    def loss(
        self, model: AbstractEmulator, batch: Batch, progress: float, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """The terms of the supervised stage, and `between_nodes`, which moves the decoder's term of that name alone.

        Raises:
            ModelError: for another model than the universal one.
        """
        if not isinstance(model, Universal):
            raise ModelError(f"stage operator: expected the universal model, got {type(model).__name__}")
        after, frames, state = None, [], batch.window(0, 1)
        for _ in range(batch.num_frames - 1):
            after = model.advance(state)
            frames.append(after.fields)
            state = state.with_fields(after.fields)
        assert after is not None
        terms = self._supervised.terms(frames, batch)
        return {**terms, "between_nodes": between_nodes_loss(model, after, batch, generator)}


def between_nodes_loss(model: Universal, after: Advanced, batch: Batch, generator: torch.Generator) -> Tensor:
    """The truth between nodes as the decoder reads it, against its eight-point interpolation, at random points.

    Squared, relative to what the decoder's own orders differ by: so smooth states count as shocks do. The features are
    taken as they are: only the decoder's share moves. Adam does not see the weight, the common clipping does.
    """
    after, batch = after.first(NUM_SAMPLES), batch.map(lambda tensor: tensor[:NUM_SAMPLES])
    points = _random_points(batch, generator)
    truth = {name: field[:, -1].movedim(-1, 1) for name, field in batch.fields.items()}
    losses = []
    for name, found in model.between_nodes(truth, after, points).items():
        fine = interpolate(truth[name], points, batch.geometry, FINE_TAPS)
        size = _mean_square(found.high - found.low) + ROUND_OFF * _mean_square(found.high) + 1e-30
        losses.append((_mean_square(found.value - fine) / size).mean())
    return WEIGHT * torch.stack(losses).mean()


def _mean_square(values: Tensor) -> Tensor:
    """(B,) over all but the samples."""
    return values.square().flatten(1).mean(1)


def _random_points(batch: Batch, generator: torch.Generator) -> Tensor:
    device, geometry = batch.time_step.device, batch.geometry
    unit = torch.rand(batch.size, NUM_POINTS, geometry.num_dimensions, generator=generator).to(device)
    low = torch.tensor([low for low, _ in geometry.extent], device=device)
    return low + unit * torch.tensor(geometry.domain_extent, device=device)

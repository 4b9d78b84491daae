"""The first stage of the universal model: encoder, latent operator and decoder, end to end in physical space."""

import torch
from torch import Tensor, nn

from ups_models.batch import Batch
from ups_models.blocks.interpolation import interpolate
from ups_models.errors import ModelError
from ups_models.interfaces import AbstractEmulator, AbstractStage
from ups_models.stages.supervised import Supervised, SupervisedConfig
from ups_models.universal import NUM_TAPS, Advanced, Universal

NUM_SAMPLES = 2
"""Of a batch, for the term between the nodes; that term is a small part of the model and learns fast."""

NUM_POINTS = 64
"""Of each of these samples."""

FINE_TAPS = 8
"""Nodes along each axis from which the truth between nodes is interpolated."""


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
    """The term between nodes against the truth's: eight-point minus four-point interpolation, at random points.

    Squared, relative to the truth's mean square at the nodes: a root's gradient would be as large as that of the
    frames, and the common clipping would starve them. The features are taken as they are: only the term itself moves.
    """
    after, batch = after.first(NUM_SAMPLES), batch.map(lambda tensor: tensor[:NUM_SAMPLES])
    points = _random_points(batch, generator)
    found = model.between_nodes(after, points)
    losses = []
    for name, term in found.items():
        truth = batch.fields[name][:, -1].movedim(-1, 1)
        fine, coarse = (interpolate(truth, points, batch.geometry, taps) for taps in (FINE_TAPS, NUM_TAPS))
        size = truth.square().flatten(1).mean(1) + 1e-30
        losses.append(((term - (fine - coarse)).square().flatten(1).mean(1) / size).mean())
    return torch.stack(losses).mean()


def _random_points(batch: Batch, generator: torch.Generator) -> Tensor:
    device, geometry = batch.time_step.device, batch.geometry
    unit = torch.rand(batch.size, NUM_POINTS, geometry.num_dimensions, generator=generator).to(device)
    low = torch.tensor([low for low, _ in geometry.extent], device=device)
    return low + unit * torch.tensor(geometry.domain_extent, device=device)

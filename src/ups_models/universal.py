"""The universal surrogate: encoder, latent operator and decoder as one emulator."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ups_models.any_point_decoder import AnyPointDecoder
from ups_models.batch import Batch, Fields
from ups_models.blocks.interpolation import interpolate
from ups_models.blocks.linear_propagator import LinearPropagator
from ups_models.conditioning import Conditioning
from ups_models.dimensionless import DimensionlessState
from ups_models.encoders.grid import GridEncoder
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.latent import LatentState
from ups_models.latent_operator import LatentOperator, LatentOperatorConfig
from ups_models.normaliser import Normaliser
from ups_models.problem import Problems
from ups_models.sizes import Sizes

NUM_TAPS = 4
"""Nodes along each axis from which values between nodes are interpolated."""


class UniversalConfig(PartConfig):
    """The sizes that the parts share, and the parts' own configs."""

    sizes: Sizes = Sizes()
    operator: LatentOperatorConfig = LatentOperatorConfig()


@dataclass(frozen=True)
class Advanced:
    """One step, with what its values between the nodes follow from.

    Attributes:
        fields: the next frame, name -> (B, 1, *space, C), physical.
        before: the state that was advanced.
        latent: its latent state after the step.
        fine: (B, S, *space) the decoder's features.
    """

    fields: Fields
    before: DimensionlessState
    latent: LatentState
    fine: Tensor


class Universal(AbstractEmulator):
    """One latent model for all its problems: encode, step, decode, once per time step, beside a linear propagator.

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
        self._output_names = {name: list(normaliser.output_fields(problem)) for name, problem in problems.items()}
        self.conditioning = Conditioning(normaliser, config.sizes.conditioning_width)
        self.encoder = GridEncoder(problems, config.sizes)
        self.operator = LatentOperator(dimensions, config.operator, config.sizes)
        self.decoder = AnyPointDecoder(normaliser, config.sizes)
        self.propagators = nn.ModuleDict({
            f"{problem.num_dimensions}d_{name}": LinearPropagator(
                problem.num_dimensions, config.sizes.conditioning_width)
            for problem in problems.values()
            for name in normaliser.output_fields(problem)
        })  # fmt: skip

    def step(self, batch: Batch) -> Fields:
        """The next frame, name -> (B, 1, *space, C), in physical units."""
        return self.advance(batch).fields

    def step_at(self, batch: Batch, points: Tensor) -> Fields:
        """The next frame at `points` (B, N, D): name -> (B, 1, N, C); at the nodes, what `step` gives."""
        after = self.advance(batch)
        between = self.between_nodes(after, points)
        values = {}
        for name, field in after.fields.items():
            at_points = interpolate(field[:, 0].movedim(-1, 1), points, batch.geometry, NUM_TAPS)
            values[name] = (at_points + between[name]).transpose(1, 2)[:, None]
        return values

    def advance(self, batch: Batch) -> Advanced:
        """One step, and what it went through."""
        before = self.normaliser.to_dimensionless(batch)
        latent = self.operator.step(self.encoder.encode(before, self.conditioning(before)))
        fine = self.decoder.fine_features(latent)
        outputs = self.decoder.decode(fine, self._output_names[batch.dataset])
        for name, output in outputs.items():
            propagator = self.propagators[f"{batch.geometry.num_dimensions}d_{name}"]
            outputs[name] = output + propagator(before.fields[name], latent.conditioning)
        return Advanced(self.normaliser.to_physical(outputs, before), before, latent, fine)

    def between_nodes(self, after: Advanced, points: Tensor) -> dict[str, Tensor]:
        """What the next frame has at `points` beyond its interpolated nodes: name -> (B, C, N), physical."""
        before, geometry = after.before, after.before.geometry
        if before.shift is not None:  # the state was seen in a frame that moves by whole cells
            points = points - before.shift[:, None] * torch.tensor(geometry.cell_size, device=points.device)
        terms = self.decoder.decode_between(after.fine, after.latent, points, before.fields)
        return {name: term * before.scale[name].reshape(-1, 1, 1) for name, term in terms.items()}

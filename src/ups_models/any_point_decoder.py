"""Latent tokens and fine features -> the network's output: at the grid's nodes, and between them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ups_models.blocks.interpolation import interpolate, node_positions
from ups_models.blocks.precision import in_full_precision
from ups_models.blocks.zero_start import start_at_zero
from ups_models.fine_path import build_fine_blocks
from ups_models.geometry import GridGeometry
from ups_models.latent import LatentState
from ups_models.normaliser import Normaliser
from ups_models.sizes import Sizes

NUM_TAPS = (4, 6)
"""Nodes along each axis from which values between nodes are interpolated, by the lower and by the higher order."""


@dataclass(frozen=True)
class BetweenNodes:
    """A field at points between the nodes.

    Attributes:
        low, high: (B, C, N) its interpolations by the lower and by the higher order.
        share: (B, C, N) of their difference, learned.
    """

    low: Tensor
    high: Tensor
    share: Tensor

    @property
    def value(self) -> Tensor:
        """(B, C, N) what the decoder says."""
        return self.high + self.share * (self.high - self.low)


class AnyPointDecoder(nn.Module):
    """Transposed patches plus the stem's features, local blocks, and one zero-initialised head per field name.

    Between the nodes, a field is its values at the nodes interpolated by order 6 plus a learned share of what order 6
    adds to order 4, `I_6 u + g(features, xi) (I_6 u - I_4 u)`, with xi the offset from the nearest node in cells: the
    term vanishes at every node, is small where the field is smooth, and takes the order back or on where it is not (a
    learned choice between stencils, as in Kochkov et al. 2021, arXiv 2102.01010).

    Args:
        normaliser: its problems decide the field names and the dimensions that have weights.
        sizes: the encoder's, whose patches are undone.
    """

    def __init__(self, normaliser: Normaliser, sizes: Sizes) -> None:
        super().__init__()
        self.patches, self.blocks = nn.ModuleDict(), nn.ModuleDict()
        self.heads, self.between_nodes = nn.ModuleDict(), nn.ModuleDict()
        problems = normaliser.problems.values()
        for dimensions in sorted({problem.num_dimensions for problem in problems}):
            width, edge = sizes.fine_width[dimensions - 1], sizes.patch_size[dimensions - 1]
            transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[dimensions - 1]
            self.patches[f"{dimensions}d"] = start_at_zero(transposed(sizes.token_width, width, edge, stride=edge))
            self.blocks[f"{dimensions}d"] = build_fine_blocks(dimensions, sizes)
        for problem in problems:
            dimensions, width = problem.num_dimensions, sizes.fine_width[problem.num_dimensions - 1]
            for name, spec in normaliser.output_fields(problem).items():
                self.heads[f"{dimensions}d_{name}"] = _zero_ended(width, 2 * width, spec.num_components)
            for name, spec in problem.variable_fields.items():
                between = _zero_ended(width + 2 * dimensions, 2 * width, spec.num_components)
                self.between_nodes[f"{dimensions}d_{name}"] = between

    def fine_features(self, state: LatentState) -> Tensor:
        """(B, S, *space) features at the nodes, from tokens and skip."""
        key = f"{state.geometry.num_dimensions}d"
        fine = state.skip + self.patches[key](state.tokens)
        for block in self.get_submodule(f"blocks.{key}").children():
            fine = block(fine, state.conditioning, state.geometry.boundary)
        return fine

    @in_full_precision
    def decode(self, fine: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
        """The output of each named field at the nodes, (B, C, *space), from the fine features."""
        points = fine.movedim(1, -1)
        return {name: self.heads[f"{fine.ndim - 2}d_{name}"](points).movedim(-1, 1) for name in names}

    @in_full_precision
    def between(
        self, fine: Tensor, fields: Mapping[str, Tensor], geometry: GridGeometry, points: Tensor
    ) -> dict[str, BetweenNodes]:
        """The values of fields (B, C, *space) at `points` (B, N, D); at the nodes, the nodes' values.

        Args:
            fine: (B, S, *space) the decoder's features at the nodes.
            fields: name -> values at the nodes.
            geometry: where the nodes are.
            points: in the geometry's length unit.
        """
        offset = node_positions(points, geometry)
        offset = 2 * math.pi * (offset - offset.round())
        features = interpolate(fine, points, geometry, num_taps=2).transpose(1, 2)
        inputs, found = torch.cat([features, offset.sin(), offset.cos()], dim=-1), {}
        for name, field in fields.items():
            low, high = (interpolate(field, points, geometry, num_taps) for num_taps in NUM_TAPS)
            share = self.between_nodes[f"{fine.ndim - 2}d_{name}"](inputs).transpose(1, 2)
            found[name] = BetweenNodes(low, high, share)
        return found


def _zero_ended(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """A pointwise network whose output is zero before training."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.SiLU(), start_at_zero(nn.Linear(hidden, outputs)))

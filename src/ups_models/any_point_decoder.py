"""Latent tokens and fine features -> the network's output: at the grid's nodes, and between them."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ups_models.blocks.interpolation import interpolate, node_positions
from ups_models.blocks.local_block import local_blocks
from ups_models.latent import LatentState
from ups_models.problem import Problems
from ups_models.sizes import Sizes


class AnyPointDecoder(nn.Module):
    """Transposed patches plus the stem's features, local blocks, and one zero-initialised head per field name.

    Between the nodes, a field is its interpolated values at the nodes plus a learned term
    `(1 - prod_d cos^2(pi xi_d)) g(features, xi)`, with xi the offset from the nearest node in cells, so that the term
    vanishes at every node.

    Args:
        problems: decides the field names and the dimensions that have weights.
        sizes: the encoder's, whose patches are undone.
    """

    def __init__(self, problems: Problems, sizes: Sizes) -> None:
        super().__init__()
        self.patches, self.blocks = nn.ModuleDict(), nn.ModuleDict()
        self.heads, self.between_nodes = nn.ModuleDict(), nn.ModuleDict()
        for dimensions in sorted({problem.num_dimensions for problem in problems.values()}):
            width, edge = sizes.stem_width[dimensions - 1], sizes.patch_size[dimensions - 1]
            transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[dimensions - 1]
            self.patches[f"{dimensions}d"] = transposed(sizes.token_width, width, edge, stride=edge)
            self.blocks[f"{dimensions}d"] = nn.ModuleList(local_blocks(dimensions, sizes))
        for problem in problems.values():
            dimensions, width = problem.num_dimensions, sizes.stem_width[problem.num_dimensions - 1]
            for name, spec in problem.variable_fields.items():
                self.heads[f"{dimensions}d_{name}"] = _zero(nn.Linear(width, spec.num_components))
                self.between_nodes[f"{dimensions}d_{name}"] = nn.Sequential(
                    nn.Linear(width + 2 * dimensions, 2 * width), nn.GELU(),
                    _zero(nn.Linear(2 * width, spec.num_components)),
                )  # fmt: skip

    def fine_features(self, state: LatentState) -> Tensor:
        """(B, S, *space) features at the nodes, from tokens and skip."""
        key = f"{state.geometry.num_dimensions}d"
        fine = state.skip + self.patches[key](state.tokens)
        for block in self.get_submodule(f"blocks.{key}").children():
            fine = block(fine, state.conditioning, state.geometry.boundary)
        return fine

    def decode(self, fine: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
        """The output of each named field at the nodes, (B, C, *space), from the fine features."""
        return {name: _at_each_point(fine, self.heads[f"{fine.ndim - 2}d_{name}"]) for name in names}

    def decode_between(
        self, fine: Tensor, state: LatentState, points: Tensor, names: Iterable[str]
    ) -> dict[str, Tensor]:
        """The learned term of each named field at `points` (B, N, D): (B, C, N), zero at the nodes."""
        offset = node_positions(points, state.geometry)
        offset = offset - offset.round()
        waves = torch.cat([(2 * math.pi * offset).sin(), (2 * math.pi * offset).cos()], dim=-1)
        features = interpolate(fine, points, state.geometry, num_taps=2).transpose(1, 2)
        inputs, envelope = torch.cat([features, waves], dim=-1), 1 - (math.pi * offset).cos().square().prod(dim=-1)
        terms = {name: self.between_nodes[f"{fine.ndim - 2}d_{name}"](inputs) for name in names}
        return {name: (envelope[..., None] * term).transpose(1, 2) for name, term in terms.items()}


def _at_each_point(fine: Tensor, head: nn.Module) -> Tensor:
    assert isinstance(head, nn.Linear)
    return torch.einsum("bs...,cs->bc...", fine, head.weight) + head.bias.reshape(1, -1, *(1,) * (fine.ndim - 2))


def _zero(linear: nn.Linear) -> nn.Linear:
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    return linear

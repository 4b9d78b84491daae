"""Latent tokens and fine features -> the network's output at the grid's nodes, field by field."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from ups_models.blocks.local_block import local_blocks
from ups_models.latent import LatentState
from ups_models.problem import Problems
from ups_models.sizes import Sizes


class AnyPointDecoder(nn.Module):
    """Transposed patches plus the stem's features, a local block, and one zero-initialised head per field name.

    Args:
        problems: decides the field names and the dimensions that have weights.
        sizes: the encoder's, whose patches are undone.
    """

    def __init__(self, problems: Problems, sizes: Sizes) -> None:
        super().__init__()
        self.patches, self.blocks, self.heads = nn.ModuleDict(), nn.ModuleDict(), nn.ModuleDict()
        for dimensions in sorted({problem.num_dimensions for problem in problems.values()}):
            width, edge = sizes.stem_width[dimensions - 1], sizes.patch_size[dimensions - 1]
            transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[dimensions - 1]
            self.patches[f"{dimensions}d"] = transposed(sizes.token_width, width, edge, stride=edge)
            self.blocks[f"{dimensions}d"] = nn.ModuleList(local_blocks(dimensions, sizes))
        for problem in problems.values():
            for name, spec in problem.variable_fields.items():
                width = sizes.stem_width[problem.num_dimensions - 1]
                head = nn.Linear(width, spec.num_components)
                nn.init.zeros_(head.weight)
                nn.init.zeros_(head.bias)
                self.heads[f"{problem.num_dimensions}d_{name}"] = head

    def decode(self, state: LatentState, names: Iterable[str]) -> dict[str, Tensor]:
        """The output of each named field at the nodes, (B, C, *space)."""
        fine = self.fine_features(state)
        key = f"{state.geometry.num_dimensions}d"
        return {name: _at_each_point(fine, self.heads[f"{key}_{name}"]) for name in names}

    def fine_features(self, state: LatentState) -> Tensor:
        """(B, S, *space) features at the nodes, from tokens and skip."""
        key = f"{state.geometry.num_dimensions}d"
        fine = state.skip + self.patches[key](state.tokens)
        for block in self.get_submodule(f"blocks.{key}").children():
            fine = block(fine, state.conditioning, state.geometry.boundary)
        return fine


def _at_each_point(fine: Tensor, head: nn.Module) -> Tensor:
    assert isinstance(head, nn.Linear)
    return torch.einsum("bs...,cs->bc...", fine, head.weight) + head.bias.reshape(1, -1, *(1,) * (fine.ndim - 2))

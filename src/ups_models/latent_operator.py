"""Time evolution of the latent tokens: blocks of global mixing, local mixing and a channel MLP."""

from collections.abc import Sequence

from torch import Tensor, nn

from ups_models.blocks.gated_mlp import GatedMLP
from ups_models.blocks.modulated_norm import ModulatedNorm
from ups_models.blocks.neighbour_shift import NeighbourShift
from ups_models.blocks.spectral_mixing import SpectralMixing
from ups_models.interfaces import PartConfig
from ups_models.latent import LatentState
from ups_models.sizes import Sizes


class LatentOperatorConfig(PartConfig):
    """What is passed on the way through the latent; three numbers are for 1D, 2D and 3D.

    Attributes:
        depth: how many of the blocks.
        num_modes: kept along each axis by the spectral mixing.
        reach: the largest move of the local mixing, in tokens.
        spectral_groups: groups of channels that the spectral mixing maps apart.
    """

    depth: tuple[int, int, int] = (1, 2, 2)
    num_modes: tuple[int, int, int] = (16, 6, 4)
    reach: tuple[int, int, int] = (2, 2, 1)
    spectral_groups: int = 8


class LatentOperator(nn.Module):
    """LatentState -> LatentState one step later.

    The spectral maps have weights per number of dimensions; channel MLPs and modulation are shared by all.

    Args:
        dimensions: the numbers of dimensions that have weights.
        config: depth and modes.
        sizes: widths of tokens and conditioning.
    """

    def __init__(self, dimensions: Sequence[int], config: LatentOperatorConfig, sizes: Sizes) -> None:
        super().__init__()
        self.depth = config.depth
        deepest = max(config.depth[number - 1] for number in dimensions)
        passing = [[number for number in dimensions if config.depth[number - 1] > index] for index in range(deepest)]
        self.blocks = nn.ModuleList(_OperatorBlock(numbers, config, sizes) for numbers in passing)

    def step(self, state: LatentState) -> LatentState:
        """Advance the tokens by one time step."""
        tokens = state.tokens.movedim(1, -1)
        for block in self.blocks[: self.depth[state.geometry.num_dimensions - 1]]:
            tokens = block(tokens, state)
        return state.with_tokens(tokens.movedim(-1, 1))


class _OperatorBlock(nn.Module):
    def __init__(self, dimensions: Sequence[int], config: LatentOperatorConfig, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.token_width
        self.spectral_norm = ModulatedNorm(width, sizes.conditioning_width)
        self.mlp_norm = ModulatedNorm(width, sizes.conditioning_width)
        self.spectral, self.local = nn.ModuleDict(), nn.ModuleDict()
        for number in dimensions:
            modes, reach = config.num_modes[number - 1], config.reach[number - 1]
            self.spectral[f"{number}d"] = SpectralMixing(number, width, modes, config.spectral_groups)
            self.local[f"{number}d"] = NeighbourShift(number, width, reach)
        self.mlp = GatedMLP(width, sizes.mlp_ratio * width)

    def forward(self, tokens: Tensor, state: LatentState) -> Tensor:
        """(B, *grid, E) -> (B, *grid, E)."""
        key = f"{state.geometry.num_dimensions}d"
        normalised, gate = self.spectral_norm(tokens, state.conditioning)
        tokens = tokens + gate * self.spectral[key](normalised.movedim(-1, 1)).movedim(1, -1)
        normalised, gate = self.mlp_norm(tokens, state.conditioning)
        return tokens + gate * self.mlp(self.local[key](normalised, state.geometry.boundary))

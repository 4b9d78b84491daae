"""Time evolution of the latent tokens: blocks of global mixing, local mixing and a channel MLP."""

from collections.abc import Sequence

from torch import Tensor, nn

from ups_models.blocks.boundary_convolution import BoundaryConvolution
from ups_models.blocks.gated_mlp import GatedMLP
from ups_models.blocks.modulated_norm import ModulatedNorm
from ups_models.blocks.spectral_mixing import SpectralMixing
from ups_models.interfaces import PartConfig
from ups_models.latent import LatentState
from ups_models.sizes import Sizes


class LatentOperatorConfig(PartConfig):
    """Depth, and per number of dimensions the kept modes and the kernel of the local mixing."""

    depth: int = 4
    num_modes: tuple[int, int, int] = (16, 6, 4)
    kernel_size: tuple[int, int, int] = (5, 5, 3)
    spectral_groups: int = 8


class LatentOperator(nn.Module):
    """LatentState -> LatentState one step later.

    Spatial operators (spectral, convolution) have weights per number of dimensions; channel MLPs and modulation are
    shared by all.

    Args:
        dimensions: the numbers of dimensions that have weights.
        config: depth and modes.
        sizes: widths of tokens and conditioning.
    """

    def __init__(self, dimensions: Sequence[int], config: LatentOperatorConfig, sizes: Sizes) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(_OperatorBlock(dimensions, config, sizes) for _ in range(config.depth))

    def step(self, state: LatentState) -> LatentState:
        """Advance the tokens by one time step."""
        tokens = state.tokens
        for block in self.blocks:
            tokens = block(tokens, state)
        return state.with_tokens(tokens)


class _OperatorBlock(nn.Module):
    def __init__(self, dimensions: Sequence[int], config: LatentOperatorConfig, sizes: Sizes) -> None:
        super().__init__()
        width = sizes.token_width
        self.spectral_norm = ModulatedNorm(width, sizes.conditioning_width)
        self.local_norm = ModulatedNorm(width, sizes.conditioning_width)
        self.mlp_norm = ModulatedNorm(width, sizes.conditioning_width)
        self.spectral, self.local = nn.ModuleDict(), nn.ModuleDict()
        for number in dimensions:
            modes, kernel = config.num_modes[number - 1], config.kernel_size[number - 1]
            self.spectral[f"{number}d"] = SpectralMixing(number, width, modes, config.spectral_groups)
            self.local[f"{number}d"] = BoundaryConvolution(number, width, width, kernel, groups=width)
        self.mlp = GatedMLP(width, sizes.mlp_ratio * width)

    def forward(self, tokens: Tensor, state: LatentState) -> Tensor:
        """(B, E, *grid) -> (B, E, *grid)."""
        key = f"{state.geometry.num_dimensions}d"
        normalised, gate = self.spectral_norm(tokens, state.conditioning)
        tokens = tokens + gate * self.spectral[key](normalised)
        normalised, gate = self.local_norm(tokens, state.conditioning)
        tokens = tokens + gate * self.local[key](normalised, state.geometry.boundary)
        normalised, gate = self.mlp_norm(tokens, state.conditioning)
        return tokens + gate * self.mlp(normalised)

"""A residual block of local mixing at full resolution."""

from collections.abc import Iterator, Sequence

from torch import Tensor, nn

from ups_models.blocks.boundary_convolution import BoundaryConvolution
from ups_models.blocks.gated_mlp import GatedMLP
from ups_models.blocks.modulated_norm import ModulatedNorm
from ups_models.sizes import Sizes


class LocalBlock(nn.Module):
    """x + gate * GatedMLP(convolution(ModulatedNorm(x))), the convolution depthwise.

    Args:
        num_dimensions: 1, 2 or 3.
        channels: C of (B, C, *space).
        kernel_size: of the depthwise convolution, odd.
        conditioning_width: W of the conditioning.
        mlp_ratio: hidden width over channels.
    """

    def __init__(
        self, num_dimensions: int, channels: int, kernel_size: int, conditioning_width: int, mlp_ratio: int
    ) -> None:
        super().__init__()
        self.norm = ModulatedNorm(channels, conditioning_width)
        self.convolution = BoundaryConvolution(num_dimensions, channels, channels, kernel_size, groups=channels)
        self.mlp = GatedMLP(channels, mlp_ratio * channels)

    def forward(self, field: Tensor, conditioning: Tensor, boundary: Sequence[tuple[str, str]]) -> Tensor:
        """(B, C, *space), (B, W) -> (B, C, *space)."""
        normalised, gate = self.norm(field, conditioning)
        return field + gate * self.mlp(self.convolution(normalised, boundary))


def local_blocks(num_dimensions: int, sizes: Sizes) -> Iterator[LocalBlock]:
    """The `stem_blocks` blocks at full resolution of one number of dimensions."""
    width, kernel = sizes.stem_width[num_dimensions - 1], sizes.stem_kernel[num_dimensions - 1]
    for _ in range(sizes.stem_blocks):
        yield LocalBlock(num_dimensions, width, kernel, sizes.conditioning_width, sizes.mlp_ratio)

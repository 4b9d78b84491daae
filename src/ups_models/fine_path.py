"""The blocks at full resolution that encoder and decoder are made of."""

from torch import nn

from ups_models.blocks.fourier_block import FourierBlock
from ups_models.sizes import Sizes


def build_fine_blocks(num_dimensions: int, sizes: Sizes) -> nn.ModuleList:
    """The Fourier blocks on one side of the latent."""
    index = num_dimensions - 1
    return nn.ModuleList(
        FourierBlock(
            num_dimensions,
            sizes.fine_width[index],
            sizes.fine_modes[index],
            sizes.fine_kernel[index],
            sizes.conditioning_width,
        )
        for _ in range(sizes.fine_blocks[index])
    )

"""The sizes that the encoder, latent operator and decoder have in common."""

from ups_models.interfaces import PartConfig


class Sizes(PartConfig):
    """Widths of the tokens, the conditioning and, in 1D, 2D and 3D, of the path at full resolution.

    Attributes:
        token_width: E, channels of a token.
        conditioning_width: W, length of the conditioning vector.
        mlp_ratio: hidden width of a channel MLP over its channels.
        patch_size: cells along the edge of a token's patch.
        fine_width: channels at full resolution.
        stem_kernel: edge of the first convolution, odd.
        fine_blocks: Fourier blocks at full resolution, as many before the latent as after it.
        fine_modes: that these blocks keep along each axis.
        fine_kernel: edge of their convolutions.
    """

    token_width: int = 96
    conditioning_width: int = 64
    mlp_ratio: int = 2
    patch_size: tuple[int, int, int] = (4, 4, 4)
    fine_width: tuple[int, int, int] = (32, 16, 8)
    stem_kernel: tuple[int, int, int] = (7, 5, 3)
    fine_blocks: tuple[int, int, int] = (2, 1, 1)
    fine_modes: tuple[int, int, int] = (16, 12, 6)
    fine_kernel: tuple[int, int, int] = (3, 3, 3)

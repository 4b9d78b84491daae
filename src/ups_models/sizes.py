"""The sizes that encoder, latent operator and decoder have in common."""

from ups_models.interfaces import PartConfig


class Sizes(PartConfig):
    """Widths of the tokens, the conditioning and, per number of dimensions, of the path at full resolution.

    Attributes:
        token_width: E, channels of a token.
        conditioning_width: W, length of the conditioning vector.
        mlp_ratio: hidden width of a channel MLP over its channels.
        stem_width: channels at full resolution in 1D, 2D and 3D.
        stem_kernel: edge of the kernels at full resolution in 1D, 2D and 3D, odd.
        stem_blocks: local blocks at full resolution, before and after the latent.
        patch_size: cells along the edge of a token's patch in 1D, 2D and 3D.
    """

    token_width: int = 96
    conditioning_width: int = 64
    mlp_ratio: int = 2
    stem_width: tuple[int, int, int] = (32, 16, 8)
    stem_kernel: tuple[int, int, int] = (7, 5, 3)
    stem_blocks: int = 1
    patch_size: tuple[int, int, int] = (4, 4, 4)

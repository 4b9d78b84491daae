"""A convolution that continues a field beyond an axis: around it where it is periodic, by its last value elsewhere."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

_PADDING = {"periodic": "circular", "wall": "replicate", "open": "replicate", "neumann": "replicate",
            "robin": "replicate", "dirichlet": "replicate"}


def pad(field: Tensor, width: int, boundary: Sequence[tuple[str, str]]) -> Tensor:
    """Continue (B, C, *space) by `width` cells at both ends of every axis."""
    if width == 0:
        return field
    num_axes = len(boundary)
    modes = {_PADDING[low] for low, _ in boundary}
    if len(modes) == 1:
        return functional.pad(field, (width, width) * num_axes, mode=modes.pop())
    for axis, (low, _) in enumerate(boundary):
        sides = [0, 0] * num_axes
        sides[2 * (num_axes - 1 - axis) : 2 * (num_axes - axis)] = [width, width]
        field = functional.pad(field, sides, mode=_PADDING[low])
    return field


class BoundaryConvolution(nn.Module):
    """A convolution of stride 1 that keeps the grid's shape.

    Args:
        num_dimensions: 1, 2 or 3.
        in_channels, out_channels: of (B, C, *space).
        kernel_size: odd.
        groups: as in `torch.nn.Conv2d`; `in_channels` makes it depthwise.
    """

    def __init__(
        self, num_dimensions: int, in_channels: int, out_channels: int, kernel_size: int, groups: int = 1
    ) -> None:
        super().__init__()
        convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[num_dimensions - 1]
        self.convolution = convolution(in_channels, out_channels, kernel_size, groups=groups)
        self.width = kernel_size // 2

    def forward(self, field: Tensor, boundary: Sequence[tuple[str, str]]) -> Tensor:
        """(B, in, *space) -> (B, out, *space)."""
        return self.convolution(pad(field, self.width, boundary))

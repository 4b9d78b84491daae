"""The modern U-Net: residual blocks, group norm, GELU, skip connections."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from ups_models.batch import Batch, Fields
from ups_models.blocks.boundary_convolution import BoundaryConvolution
from ups_models.blocks.stacked_channels import num_channels, stack_channels, unstack_channels
from ups_models.blocks.zero_start import start_at_zero
from ups_models.dimensionless import DimensionlessState
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.normaliser import Normaliser
from ups_models.problem import Problems

_STRIDED = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class UNetConfig(PartConfig):
    """Sizes of the levels.

    Attributes:
        width: channels of the first level.
        multiples: each level's channels over `width`; one level for each number.
        num_blocks: residual blocks of a level.
        num_groups: of the group normalisation.
    """

    width: int = 24
    multiples: tuple[int, ...] = (1, 2, 2, 4)
    num_blocks: int = 1
    num_groups: int = 8


class UNet(AbstractEmulator):
    """A small U-Net of the kind that Gupta & Brandstetter (2022, arXiv 2209.15616) found strongest.

    As theirs: residual blocks of two convolutions with group norm before them and GELU, strided convolutions down and
    transposed ones up. Smaller: one block on each level, widths that are multiples of the first, kernels of 2 between
    levels. Padded as the boundary says. With `residual` its head begins at zero.

    Args:
        problems: one dataset.
        config: sizes.
        normaliser: the frame it lives in.
    """

    Config = UNetConfig

    def __init__(self, problems: Problems, config: UNetConfig, normaliser: Normaliser) -> None:
        super().__init__()
        (self.problem,) = problems.values()
        dimensions = self.problem.num_dimensions
        inputs = num_channels(self.problem.fields) + len(normaliser.number_names(self.problem))
        widths = [config.width * multiple for multiple in config.multiples]
        self.normaliser, self.outputs = normaliser, normaliser.output_fields(self.problem)
        self.stem = BoundaryConvolution(dimensions, inputs, widths[0], 3)
        self.first = _Level(dimensions, widths[0], widths[0], config)
        self.coarsen, self.down = nn.ModuleList(), nn.ModuleList()
        self.refine, self.up = nn.ModuleList(), nn.ModuleList()
        for fine, coarse in pairwise(widths):
            self.coarsen.append(_STRIDED[dimensions - 1](fine, fine, 2, stride=2))
            self.down.append(_Level(dimensions, fine, coarse, config))
            self.refine.append(_TRANSPOSED[dimensions - 1](coarse, fine, 2, stride=2))
            self.up.append(_Level(dimensions, 2 * fine, fine, config))
        self.bottom = _Level(dimensions, widths[-1], widths[-1], config)
        self.head = BoundaryConvolution(dimensions, widths[0], num_channels(self.outputs), 3)
        if normaliser.prediction == "residual":
            start_at_zero(self.head)

    def step(self, batch: Batch) -> Fields:
        """The next frame, name -> (B, 1, *space, C)."""
        return self.normaliser.advance(batch, self._network)

    def _network(self, state: DimensionlessState) -> dict[str, Tensor]:
        boundary = state.geometry.boundary
        with torch.autocast(state.step_size.device.type, enabled=False):  # the state must not be rounded
            stem = self.stem(stack_channels(state), boundary)
        field = self.first(stem, boundary)
        skips = []
        for coarsen, level in zip(self.coarsen, self.down, strict=True):
            skips.append(field)
            field = level(coarsen(field), boundary)
        field = self.bottom(field, boundary)
        for refine, level, skip in zip(reversed(self.refine), reversed(self.up), reversed(skips), strict=True):
            field = level(torch.cat([refine(field), skip], dim=1), boundary)
        with torch.autocast(state.step_size.device.type, enabled=False):
            return unstack_channels(self.head(field.float(), boundary), self.outputs)


class _Level(nn.Module):
    """Residual blocks at one resolution; the first changes the width."""

    def __init__(self, dimensions: int, before: int, after: int, config: UNetConfig) -> None:
        super().__init__()
        widths = [before] + [after] * config.num_blocks
        self.blocks = nn.ModuleList(
            _ResidualBlock(dimensions, into, out, config.num_groups) for into, out in pairwise(widths)
        )

    def forward(self, field: Tensor, boundary: Sequence[tuple[str, str]]) -> Tensor:
        for block in self.blocks:
            field = block(field, boundary)
        return field


class _ResidualBlock(nn.Module):
    """x + conv(gelu(norm(conv(gelu(norm(x)))))), a 1x1 map of x where the width changes."""

    def __init__(self, dimensions: int, before: int, after: int, num_groups: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = nn.GroupNorm(num_groups, before), nn.GroupNorm(num_groups, after)
        self.first = BoundaryConvolution(dimensions, before, after, 3)
        self.second = BoundaryConvolution(dimensions, after, after, 3)
        same = before == after
        self.identity = nn.Identity() if same else _STRIDED[dimensions - 1](before, after, 1)

    def forward(self, field: Tensor, boundary: Sequence[tuple[str, str]]) -> Tensor:
        hidden = self.first(functional.gelu(self.first_norm(field)), boundary)
        hidden = self.second(functional.gelu(self.second_norm(hidden)), boundary)
        return self.identity(field) + hidden

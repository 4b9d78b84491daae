"""Grid fields -> latent tokens: a narrow path at full resolution, then patches."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from ups_models.blocks.boundary_convolution import pad
from ups_models.dimensionless import DimensionlessState
from ups_models.errors import ModelError
from ups_models.fine_path import build_fine_blocks
from ups_models.latent import LatentState
from ups_models.normaliser import Normaliser
from ups_models.sizes import Sizes

CONVOLUTIONS = (functional.conv1d, functional.conv2d, functional.conv3d)


class GridEncoder(nn.Module):
    """DimensionlessState -> LatentState.

    Fields are known by name: each name has its own input kernel, and the token's content is their sum, so that any
    set of fields goes through the same stem. One class serves 1D, 2D and 3D; each has its own kernels.

    Args:
        normaliser: its problems decide the field names and the dimensions that have weights.
        sizes: widths.
    """

    def __init__(self, normaliser: Normaliser, sizes: Sizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.kernels = nn.ParameterDict(_input_kernels(normaliser, sizes))
        self.bias = nn.ParameterDict()
        self.blocks, self.patches = nn.ModuleDict(), nn.ModuleDict()
        for dimensions in sorted({problem.num_dimensions for problem in normaliser.problems.values()}):
            width, edge = sizes.fine_width[dimensions - 1], sizes.patch_size[dimensions - 1]
            patch = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dimensions - 1]
            self.bias[f"{dimensions}d"] = nn.Parameter(torch.zeros(width))
            self.blocks[f"{dimensions}d"] = build_fine_blocks(dimensions, sizes)
            self.patches[f"{dimensions}d"] = patch(width, sizes.token_width, edge, stride=edge)

    def encode(self, state: DimensionlessState, conditioning: Tensor) -> LatentState:
        """Tokens and fine features of a state.

        Raises:
            ModelError: for a field name without weights, or a grid that patches do not tile.
        """
        geometry = state.geometry
        edge = self.sizes.patch_size[geometry.num_dimensions - 1]
        if any(cells % edge for cells in geometry.shape):
            raise ModelError(f"grid encoder: expected cells divisible by the patch {edge}, got {geometry.shape}")
        with torch.autocast(state.step_size.device.type, enabled=False):  # the state must not be rounded
            also = {_carried(name): field for name, field in state.carried.items()}
            fine = self._stem({**state.fields, **state.constant_fields, **also}, state)
        for block in self._of("blocks", geometry.num_dimensions).children():
            fine = block(fine, conditioning, geometry.boundary)
        tokens = self._of("patches", geometry.num_dimensions)(fine)
        return LatentState(tokens, conditioning, fine, geometry)

    def _stem(self, fields: Mapping[str, Tensor], state: DimensionlessState) -> Tensor:
        dimensions = state.geometry.num_dimensions
        keys = {name: f"{dimensions}d_{name}" for name in fields}
        missing = [name for name, key in keys.items() if key not in self.kernels]
        if missing:
            raise ModelError(f"grid encoder: no weights for the field `{missing[0]}` in {dimensions}D")
        kernel = torch.cat([self.kernels[key] for key in keys.values()], dim=1)
        stacked = pad(torch.cat(list(fields.values()), dim=1), kernel.shape[-1] // 2, state.geometry.boundary)
        return CONVOLUTIONS[dimensions - 1](stacked, kernel, self.bias[f"{dimensions}d"])

    def _of(self, part: str, num_dimensions: int) -> nn.Module:
        return self.get_submodule(f"{part}.{num_dimensions}d")


def _carried(name: str) -> str:
    """The name under which a carried field comes in."""
    return f"carried_{name}"


def _input_kernels(normaliser: Normaliser, sizes: Sizes) -> dict[str, nn.Parameter]:
    kernels = {}
    for problem in normaliser.problems.values():
        dimensions, frame = problem.num_dimensions, normaliser.frame_of(problem)
        size = (sizes.stem_kernel[dimensions - 1],) * dimensions
        carried = {_carried(name): problem.fields[name] for name in (frame.transported if frame else ())}
        for name, spec in {**problem.fields, **carried}.items():
            kernel = torch.empty(sizes.fine_width[dimensions - 1], spec.num_components, *size)
            nn.init.normal_(kernel, std=(spec.num_components * kernel[0, 0].numel()) ** -0.5)
            kernels[f"{dimensions}d_{name}"] = nn.Parameter(kernel)
    return kernels

"""What the latent tokens alone hold: a state as the best linear, skip-free decoder of them gives it back.

A diagnostic, not a bound: the model's own decoder sees the skipped features too, and is not linear.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ups_models.batch import Batch, Fields
from ups_models.blocks.boundary_convolution import pad
from ups_models.physical_fields import physical_field
from ups_models.universal import Universal

RIDGE = 1e-6
"""Over the mean square of the features: enough that those which never vary do no harm."""


@dataclass(frozen=True)
class TokenDecoder:
    """Each patch of the dimensionless fields from its token and that token's neighbours, one linear map for all.

    Attributes:
        model: whose frozen tokens are decoded.
        weight: (F, P) features of a token -> values of a patch, all variable fields in their order.
    """

    model: Universal
    weight: Tensor

    def decode(self, batch: Batch) -> Fields:
        """Every frame of a batch as its tokens alone hold it: name -> (B, T, *space, C), physical."""
        frames = [self._decode_frame(frame) for frame in _frames(batch)]
        return {name: torch.cat([frame[name] for frame in frames], dim=1) for name in frames[0]}

    def _decode_frame(self, frame: Batch) -> Fields:
        state, features = self.model.see(frame), _features(self.model, frame)
        sizes = [field.shape[1] for field in state.fields.values()]
        found = _from_patches(features @ self.weight, features.shape[1:-1], frame.geometry.shape, sum(sizes))
        parts = dict(zip(state.fields, found.to(torch.float32).split(sizes, dim=1), strict=True))
        physical = {name: physical_field(name, part, state) for name, part in parts.items()}
        return {name: field.movedim(1, -1)[:, None] for name, field in physical.items()}


def fit_token_decoder(model: Universal, batches: Iterable[Batch]) -> TokenDecoder:
    """The decoder of least squares over every frame of some batches."""
    square, product = torch.zeros(()), torch.zeros(())
    for frame in (frame for batch in batches for frame in _frames(batch)):
        grid = _features(model, frame)
        features = grid.flatten(0, -2)
        patches = _to_patches(torch.cat(list(model.see(frame).fields.values()), dim=1).double(), grid.shape[1:-1])
        square, product = square + features.T @ features, product + features.T @ patches
    ridge = RIDGE * square.diagonal().mean() * torch.eye(len(square), dtype=square.dtype, device=square.device)
    return TokenDecoder(model, torch.linalg.solve(square + ridge, product))


def _frames(batch: Batch) -> Iterator[Batch]:
    return (batch.window(frame, frame + 1) for frame in range(batch.num_frames))


def _features(model: Universal, frame: Batch) -> Tensor:
    """(B, *grid, F) each token of a state, the next ones along each axis, and one."""
    state = model.see(frame)
    tokens = model.encoder.encode(state, model.conditioning(state)).tokens.double()
    grid, found = tokens.shape[2:], [torch.ones_like(tokens[:, :1]), tokens]
    padded = pad(tokens, 1, frame.geometry.boundary)
    for axis in range(len(grid)):
        inner = padded
        for other in (other for other in range(len(grid)) if other != axis):
            inner = inner.narrow(other + 2, 1, grid[other])
        found += [inner.narrow(axis + 2, start, grid[axis]) for start in (0, 2)]
    return torch.cat(found, dim=1).movedim(1, -1)


def _to_patches(field: Tensor, grid: torch.Size) -> Tensor:
    """(B, C, *space) -> (B tokens, C cells of a patch)."""
    for axis, tokens in enumerate(grid):
        field = field.unflatten(axis + 2, (tokens, -1)).movedim(axis + 3, -1)
    return field.movedim(1, len(grid) + 1).flatten(0, len(grid)).flatten(1)


def _from_patches(rows: Tensor, grid: torch.Size, space: tuple[int, ...], channels: int) -> Tensor:
    """(B, *grid, C cells of a patch) -> (B, C, *space)."""
    edges = [cells // tokens for cells, tokens in zip(space, grid, strict=True)]
    field = rows.unflatten(-1, (channels, *edges)).movedim(len(grid) + 1, 1)  # (B, C, *grid, *edges)
    for axis in range(len(grid)):
        field = field.movedim(len(grid) + 2, axis + 3).flatten(axis + 2, axis + 3)
    return field

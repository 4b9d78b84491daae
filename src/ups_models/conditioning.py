"""What conditions a step: a set of named numbers and boundary kinds, pooled by a small attention to one vector."""

import math

import torch
from torch import Tensor, nn

from ups_models.declared_frame import TINY
from ups_models.diffusion import domain_extent
from ups_models.dimensionless import DimensionlessState
from ups_models.errors import ModelError
from ups_models.normaliser import Normaliser

BOUNDARY_KINDS = ("periodic", "open", "wall", "dirichlet", "neumann", "robin")
ASPECTS = ("aspect_1", "aspect_2")
SIZES = ("domain_extent", "time_step")


class Conditioning(nn.Module):
    """DimensionlessState -> (B, W).

    Each present number is a token: the embedding of its name plus a map of Fourier features of its value. Each axis
    adds a token for the kinds of its two ends, each but the first one also for its length over the first one's. A
    learned query pools the set, so that absent numbers are not there. In the standard frame, whose numbers are the
    parameters alone, the time step and the extent of the domain are numbers too.

    Args:
        normaliser: its problems decide the vocabulary of names.
        width: W.
        num_frequencies: Fourier features per number.
    """

    frequencies: Tensor

    def __init__(self, normaliser: Normaliser, width: int, num_frequencies: int = 8) -> None:
        super().__init__()
        problems = normaliser.problems.values()
        self.names = sorted({*ASPECTS, *SIZES, *(name for one in problems for name in normaliser.number_names(one))})
        self._is_declared = {name: normaliser.frame_of(one) is not None for name, one in normaliser.problems.items()}
        self.name_embedding = nn.Embedding(len(self.names), width)
        self.boundary_embedding = nn.Embedding(2 * len(BOUNDARY_KINDS), width)
        self.dimension_embedding = nn.Embedding(3, width)
        self.register_buffer("frequencies", math.pi * 2.0 ** (torch.arange(num_frequencies) / 2 - 2))
        self.value_map = nn.Sequential(nn.Linear(2 * num_frequencies + 1, width), nn.SiLU(), nn.Linear(width, width))
        self.score = nn.Linear(width, 1, bias=False)
        self.output = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, state: DimensionlessState) -> Tensor:
        """The conditioning vector of each sample, (B, W)."""
        with torch.autocast(state.step_size.device.type, enabled=False):
            tokens = torch.cat([self._number_tokens(state), self._boundary_tokens(state)], dim=1)
            weights = self.score(tokens).softmax(dim=1)
            return self.output((weights * tokens).sum(dim=1) * math.sqrt(tokens.shape[1]))

    def _number_tokens(self, state: DimensionlessState) -> Tensor:
        numbers = {**state.numbers, **_aspects(state), **({} if self._is_declared[state.dataset] else _sizes(state))}
        unknown = sorted(set(numbers) - set(self.names))
        if unknown:
            raise ModelError(f"conditioning has no name `{unknown[0]}`; expected one of {', '.join(self.names)}")
        present = sorted(numbers)
        if not present:
            return self.name_embedding.weight.new_zeros(len(state.step_size), 0, self.name_embedding.embedding_dim)
        values = torch.stack([numbers[name] for name in present], dim=1)[..., None]
        angles = values * self.frequencies
        features = torch.cat([values, angles.sin(), angles.cos()], dim=-1)
        index = torch.tensor([self.names.index(name) for name in present], device=values.device)
        return self.value_map(features) + self.name_embedding(index)

    def _boundary_tokens(self, state: DimensionlessState) -> Tensor:
        device = self.dimension_embedding.weight.device
        kinds = [[BOUNDARY_KINDS.index(kind) for kind in pair] for pair in state.geometry.boundary]
        index = torch.tensor([[low, high + len(BOUNDARY_KINDS)] for low, high in kinds], device=device)
        dimension = self.dimension_embedding.weight[state.geometry.num_dimensions - 1]
        tokens = torch.cat([self.boundary_embedding(index).sum(dim=1), dimension[None]])
        batch_size = len(next(iter(state.fields.values())))
        return tokens.expand(batch_size, -1, -1)


def _aspects(state: DimensionlessState) -> dict[str, Tensor]:
    first, *others = state.geometry.domain_extent
    step = state.step_size.flatten()
    named = zip(ASPECTS, others, strict=False)
    return {name: torch.full_like(step, math.log2(length / first)) for name, length in named}


def _sizes(state: DimensionlessState) -> dict[str, Tensor]:
    step = state.step_size.flatten()
    extent = torch.full_like(step, math.log10(domain_extent(state.geometry)))
    return {"time_step": torch.log10(step + TINY).clamp_min(-8.0), "domain_extent": extent}

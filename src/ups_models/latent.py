"""The latent state: a regular grid of tokens, what conditions it, and the fine features that skip it."""

from dataclasses import dataclass, replace

from torch import Tensor

from ups_models.geometry import GridGeometry


@dataclass(frozen=True)
class LatentState:
    """The state between encoder and decoder.

    Attributes:
        tokens: (B, E, *grid), one token per patch of the domain.
        conditioning: (B, W).
        skip: (B, S, *space) fine features at the nodes.
        geometry: where the nodes are.
    """

    tokens: Tensor
    conditioning: Tensor
    skip: Tensor
    geometry: GridGeometry

    def with_tokens(self, tokens: Tensor) -> "LatentState":
        """The same state with other tokens."""
        return replace(self, tokens=tokens)

"""Ridge regression of one spectrum on another, wavenumber by wavenumber."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

FLOOR = 1e-14
"""A wavenumber with less than this share of the strongest one's energy is round-off of float32 and is not fitted."""

TINY = 1e-30


@dataclass(frozen=True)
class Moments:
    """All that least squares needs of the samples: weighted sums over them, for each of K wavenumbers.

    Attributes:
        gram: (K, I, I) sum of w x x^H.
        cross: (K, O, I) sum of w y x^H.
        power: (K,) sum of w |y|^2.
    """

    gram: Tensor
    cross: Tensor
    power: Tensor

    def ridge_maps(self, ridge: float) -> Tensor:
        """(K, O, I) A = (sum w y x^H) (sum w x x^H + R)^-1, with R = ridge times the mean energy of the inputs at k.

        Source: Hoerl & Kennard (1970), Technometrics 12(1), eq. 2.1, complex and per wavenumber.
        """
        num_inputs = self.gram.shape[-1]
        energy = self.gram.diagonal(dim1=1, dim2=2).real.mean(1)
        strength = ridge * energy + FLOOR * energy.max() + TINY
        identity = torch.eye(num_inputs, dtype=self.gram.dtype, device=self.gram.device)
        return torch.linalg.solve(self.gram + strength[:, None, None] * identity, self.cross, left=False)

    def squared_error(self, maps: Tensor) -> Tensor:
        """(K,) sum of w |y - A x|^2, from the moments alone."""
        explained = torch.einsum("koi,koi->k", maps.conj(), self.cross).real
        predicted = torch.einsum("koi,kij,koj->k", maps.conj(), self.gram.transpose(1, 2), maps).real
        return self.power - 2 * explained + predicted


def sum_moments(samples: Iterable[tuple[Tensor, Tensor, Tensor]]) -> Moments:
    """The moments of chunks of samples: inputs (B, I, *space), targets (B, O, *space), weights (B,), all float64.

    The spectra are those of `torch.fft.rfftn` over space, K = the number of its wavenumbers.
    """
    parts = [_moments(*sample) for sample in samples]
    return Moments(*(torch.stack(sums).sum(0) for sums in zip(*parts, strict=True)))


def count_conjugates(space: tuple[int, ...]) -> Tensor:
    """(K,) how often each wavenumber of the half spectrum occurs in the whole one: once or twice."""
    *others, last = space
    counts = torch.full((last // 2 + 1,), 2.0, dtype=torch.float64)
    counts[0] = 1.0
    if last % 2 == 0:
        counts[-1] = 1.0
    return counts.expand(*others, -1).flatten()


def _moments(inputs: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    axes = tuple(range(2, inputs.ndim))
    x = torch.fft.rfftn(inputs, dim=axes, norm="ortho").flatten(2).movedim(2, 0)  # (K, B, I)
    y = torch.fft.rfftn(targets, dim=axes, norm="ortho").flatten(2).movedim(2, 0)
    weighted = x.conj() * weights[:, None]
    gram, cross = x.transpose(1, 2) @ weighted, y.transpose(1, 2) @ weighted
    return gram, cross, torch.einsum("kbo,b->k", y.abs().square(), weights)

"""PDEBench's RMSE in Fourier space."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric

BANDS = {"low": slice(0, 4), "mid": slice(4, 12), "high": slice(12, None)}
"""PDEBench's bands of wavenumbers, counted in waves per domain."""


class PdebenchFrmse(AbstractMetric):
    """Error by wavenumber, pooled over samples before the root, averaged over a band, channels and frames.

        fRMSE_band = mean_{k in band, c, t} sqrt(mean_b E_k) / N,   N the number of cells
        1D: E_k = |rfft(p - u)_k|^2;   2D, 3D: E_k = sum of |fftn(p - u)_n|^2 over the shell floor|n| = k

    In 2D and 3D only mode numbers of the positive quadrant or octant (n_i < N_i / 2) and shells below min_i N_i / 2
    count, as in PDEBench; the domain's length is taken as 1. As all `pdebench_*` metrics it treats each component of
    each field as a channel. Source: Takamoto et al., PDEBench (2210.07182), appendix B.
    """

    is_pooled = True

    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, T, C, K): E_k / N^2 of each channel and frame; fields are (B, T, *space, C)."""
        error = torch.cat([prediction[name] - truth for name, truth in target.items()], dim=-1).movedim(-1, 2)
        if geometry.num_dimensions == 1:
            return torch.fft.rfft(error, norm="forward").abs().square()
        return _shells(error)

    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The three bands; a band beyond the grid's last wavenumber is NaN."""
        spectrum = statistics.mean(dim=0).sqrt()
        return {name: spectrum[..., band].mean() for name, band in BANDS.items()}


def _shells(error: Tensor) -> Tensor:
    """(B, T, C, K) from (B, T, C, *space)."""
    halves = [cells // 2 for cells in error.shape[3:]]
    quadrant = (..., *(slice(half) for half in halves))
    power = torch.fft.fftn(error, dim=tuple(range(3, error.ndim)), norm="forward")[quadrant].abs().square().flatten(3)
    modes = torch.meshgrid(*(torch.arange(half, dtype=torch.float64) for half in halves), indexing="ij")
    shell = torch.stack(modes).norm(dim=0).floor().long().flatten().to(error.device)
    inside = shell < min(halves)
    sums = power.new_zeros(*power.shape[:3], min(halves))
    return sums.index_add(3, shell[inside], power[..., inside])

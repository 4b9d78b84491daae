"""Relative error by scale: low, middle and high wavenumbers."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric

BANDS = {"low": (0.0, 4.0), "mid": (4.0, 12.0), "high": (12.0, float("inf"))}
"""Radial mode numbers (waves per domain), the low end in, the high end out: PDEBench's limits."""

FLOOR = 0.01
"""A band's norm counts for at least this fraction of the trajectory's norm: an empty band is no division by zero."""


class SpectralBands(AbstractMetric):
    """The relative error of one band of wavenumbers, for each of three bands.

    With the discrete Fourier transform over space and |n| the length of the vector of mode numbers,

        E_band = mean_{fields, t} ||p_t - u_t||_band / max(||u_t||_band, 0.01 (mean_t ||u_t||^2)^(1/2)),
        ||u||_band^2 = sum_{|n| in band} |u_n|^2,   u_n = (1/N) sum_x u(x) exp(-2 pi i n.x/N).

    Components are pooled. By Parseval the squares of the bands' absolute errors add up to the square of the rmse. On an
    axis that is not periodic the jump at its ends counts in the high band.
    """

    def statistics(self, prediction: Fields, target: Fields, geometry: GridGeometry) -> Tensor:
        """(B, 3): each sample's own values, in the order of `BANDS`; fields are (B, T, *space, C)."""
        masks = _masks(geometry.shape, next(iter(target.values())))
        errors = [_relative_errors(prediction[name], truth, masks) for name, truth in target.items()]
        return torch.stack(errors).mean(dim=(0, 2))

    def aggregate(self, statistics: Tensor) -> Mapping[str, Tensor]:
        """The mean over samples for each band."""
        return dict(zip(BANDS, statistics.mean(dim=0), strict=True))


def _masks(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """(3, N): which modes each band holds."""
    modes = [torch.fft.fftfreq(cells, 1 / cells, device=like.device, dtype=like.dtype) for cells in shape]
    radius = torch.stack(torch.meshgrid(*modes, indexing="ij")).norm(dim=0).flatten()
    return torch.stack([(radius >= low) & (radius < high) for low, high in BANDS.values()]).to(like.dtype)


def _relative_errors(prediction: Tensor, target: Tensor, masks: Tensor) -> Tensor:
    """(B, T, 3) from (B, T, *space, C)."""
    power = _power(target)
    floor = FLOOR * power.sum(dim=2).mean(dim=1).sqrt()[:, None, None]
    error = (_power(prediction - target) @ masks.T).sqrt()
    norm = torch.maximum((power @ masks.T).sqrt(), floor)
    return torch.where(error == 0, error, error / norm)


def _power(field: Tensor) -> Tensor:
    """(B, T, N): the squared modulus of every mode, summed over components."""
    space = tuple(range(2, field.ndim - 1))
    modes = torch.fft.fftn(field, dim=space, norm="forward")
    return modes.abs().square().sum(dim=-1).flatten(2)

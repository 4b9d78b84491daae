"""The relative L2 error of the next state."""

import torch
from torch import Tensor

from ups_models.batch import Fields
from ups_models.interfaces import AbstractLoss

FLOOR = 1e-2
"""A state's norm is never taken below this fraction of the input's; the metric `nrmse` takes the trajectory's."""


class RelativeL2(AbstractLoss):
    """Mean over fields and frames of ||p - u|| / max(||u||, FLOOR ||u_0||), norms over space and components.

    The root has an infinite gradient at zero error: an epsilon stands inside it.
    """

    def __call__(self, prediction: Fields, target: Fields, reference: Fields) -> Tensor:
        """(B,); prediction and target (B, T, *space, C), reference (B, 1, *space, C)."""
        terms = []
        for name, predicted in prediction.items():
            axes = tuple(range(2, predicted.ndim))
            square = (predicted - target[name]).square().mean(axes)
            size = target[name].square().mean(axes)
            floor = (FLOOR**2) * reference[name].square().mean(axes)
            size = torch.maximum(size, floor) + 1e-30
            terms.append(((square / size + 1e-12).sqrt()).mean(1))
        return torch.stack(terms).mean(0)

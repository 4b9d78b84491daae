"""AdamW, its schedule over steps, and the moving average of the weights."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from upsctl.profiles import OptimiserProfile


def build_optimiser(part: nn.Module, profile: OptimiserProfile) -> torch.optim.AdamW:
    """AdamW with weight decay on all weights of several axes (matrices, kernels), none on those of one (biases, norms).

    `neuraloperator`'s biases and gates have several axes, all but one of length 1, and decay with its kernels.

    Updates are fused, which PyTorch cannot do for complex weights.
    """
    groups = [
        {
            "params": [weight for weight in part.parameters() if _kind(weight) == (is_matrix, is_complex)],
            "weight_decay": profile.weight_decay if is_matrix else 0.0,
            "fused": not is_complex,
        }
        for is_matrix in (True, False)
        for is_complex in (False, True)
    ]
    return torch.optim.AdamW(groups, lr=profile.learning_rate, betas=profile.betas)


def _kind(weight: nn.Parameter) -> tuple[bool, bool] | None:
    """Whether a weight is a matrix or kernel, and whether it is complex; of a frozen one, nothing."""
    return (weight.ndim > 1, weight.is_complex()) if weight.requires_grad else None


def learning_rate(step: int, num_steps: int, profile: OptimiserProfile) -> float:
    """Linear warmup, then a cosine down to `final_fraction` of the peak; a function of the step alone."""
    warmup = max(1, round(profile.warmup_fraction * num_steps))
    if step < warmup:
        return profile.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(1, num_steps - warmup)
    cosine = 0.5 * (1 + math.cos(math.pi * progress))
    return profile.learning_rate * (profile.final_fraction + (1 - profile.final_fraction) * cosine)


class MovingAverage:
    """An exponential moving average of parameters; its half-life is a share of the training.

    Args:
        parameters: name -> tensor, the live weights.
        half_life: in steps.
    """

    def __init__(self, parameters: Mapping[str, Tensor], half_life: float) -> None:
        self.decay = 0.5 ** (1 / max(half_life, 1.0))
        self.weights = {name: parameter.detach().clone() for name, parameter in parameters.items()}

    def update(self, parameters: Mapping[str, Tensor], step: int) -> None:
        """Move towards the live weights; early on faster, so that the start is forgotten."""
        decay = min(self.decay, (1 + step) / (10 + step))
        live = [parameter.detach() for parameter in parameters.values()]
        get_ema_multi_avg_fn(decay)(list(self.weights.values()), live, step)

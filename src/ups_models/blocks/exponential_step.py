"""A step that is exact where a field obeys a linear equation: exponential integration with a learned rate."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ups_models.blocks.precision import in_full_precision

FREQUENCIES = (0.5, 1.0, 2.0, 4.0)
SMALL = 0.05
"""Below this |z|, phi_1 is its Taylor series to the third order."""

GAIN = 20.0
"""Of the logarithm of a weight over its parameter, which an optimiser moves by its rate at each update. At .001 or
.002, where the network learns shocks too, a weight finds 1 / pi within two hundred updates."""


class ExponentialStep(nn.Module):
    """du_k = phi_1(z_k) (f_k + z_k u_k) + g_k (e^(z_k - d_k) v_k - e^(z_k) u_k), with phi_1(z) = (e^z - 1) / z.

    The first part is the exponential Euler step of u' = z u + f (Cox & Matthews 2002, doi 10.1006/jcph.2002.6995,
    eq. 4); f is the network's change. The second goes a share g_k of the way to v, the field as the flow carries it on
    while it diffuses by d (`carried.py`).

        z_k = d_k + h (a(|k|, c) + i k . b(|k|, c)),  d_k = - sum_p w_p p dt |k|^2

    has wavevectors k in 2 pi / L and sums over the parameters p that have the units of a diffusivity; w_p, of which the
    logarithm is learned, starts at one, as if each were the field's own. a, b and g come from a small network of
    log |k| and the conditioning c; before training a and b are zero and g is one. So a nearly linear state is advanced
    for any parameter, and what diffusion takes from a field it takes from f too.

    Args:
        num_dimensions: D.
        conditioning_width: W.
        diffusivities: the names of such parameters, of any problem.
        hidden: width of the small network.
    """

    def __init__(
        self, num_dimensions: int, conditioning_width: int, diffusivities: Sequence[str], hidden: int = 32
    ) -> None:
        super().__init__()
        self.logarithms = nn.ParameterDict({name: nn.Parameter(torch.zeros(())) for name in diffusivities})
        self.of_conditioning = nn.Linear(conditioning_width, hidden)
        self.of_wavenumber = nn.Linear(1 + 2 * len(FREQUENCIES), hidden, bias=False)
        self.hidden = nn.Linear(hidden, hidden)
        self.output = nn.Linear(hidden, 2 + num_dimensions)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)
        with torch.no_grad():
            self.output.bias[1] = 1.0  # g

    @in_full_precision
    def forward(
        self, field: Tensor, change: Tensor, carried: Tensor | None, scale: Tensor, conditioning: Tensor,
        diffusion_numbers: Mapping[str, Tensor], waves: Tensor,
    ) -> Tensor:  # fmt: skip
        """The change of a periodic field, (B, C, *space).

        Args:
            field, change, carried: u, f and v (if any), (B, C, *space).
            scale: h, the size of a change in one step, that broadcasts against them.
            conditioning: (B, W).
            diffusion_numbers: p dt / L^2 of each diffusivity of this problem, (B,).
            waves: k of each wave of `rfftn`, (*half spectrum, D).
        """
        learned, share = self._of_waves(waves, conditioning)
        diffusion = self.diffusion(waves, diffusion_numbers)
        rate, axes = scale * learned + diffusion, tuple(range(2, field.ndim))
        changed = exponential_change(field, change, rate)
        if carried is None:
            return changed
        # Of value d - d = 0: v was made with the weights as they are, but the loss must see what they do to it.
        left = scale * learned + diffusion - diffusion.detach()
        towards, away = torch.fft.rfftn(torch.cat([carried, field]), dim=axes).chunk(2)
        return changed + torch.fft.irfftn(
            share * (left.exp() * towards - rate.exp() * away), s=field.shape[2:], dim=axes)

    def diffusion(self, waves: Tensor, diffusion_numbers: Mapping[str, Tensor]) -> Tensor:
        """d of waves (*half spectrum, D) in one step, (B, 1, *half spectrum)."""
        weights = {name: (GAIN * logarithm).exp() for name, logarithm in self.logarithms.items()}
        return diffusion_rate(waves, [weights[name] * number for name, number in diffusion_numbers.items()])

    def _of_waves(self, waves: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """(*half spectrum, D), (B, W) -> the complex a + i k . b / 8 and the real g, (B, 1, *half spectrum)."""
        radius = waves.norm(dim=-1)
        shells = torch.arange(radius.max().item() + 2.0, device=waves.device)
        own, common = self.of_conditioning(conditioning)[:, None], self.of_wavenumber(_features(shells))
        of_shells = self.output(functional.silu(self.hidden(functional.silu(own + common))))
        damping, share, velocity = _between_shells(of_shells, radius).split([1, 1, waves.shape[-1]], dim=-1)
        is_wave = (radius > 0)[..., None]  # the mean is none
        turning = (waves * velocity).sum(dim=-1) / 8
        return torch.complex((damping * is_wave)[..., 0], turning)[:, None], (share * is_wave)[:, None, ..., 0]


def exponential_change(field: Tensor, change: Tensor, rate: Tensor) -> Tensor:
    """phi_1(z) (f + z u), (B, C, *space), from u, f, (B, C, *space), and z, (B, 1, *half spectrum)."""
    axes = tuple(range(2, field.ndim))
    spectrum, forcing = torch.fft.rfftn(torch.cat([field, change]), dim=axes).chunk(2)
    return torch.fft.irfftn(phi(rate) * (forcing + rate * spectrum), s=field.shape[2:], dim=axes)


def diffusion_rate(waves: Tensor, numbers: Sequence[Tensor]) -> Tensor:
    """- sum_p n_p |k|^2 for numbers n_p = p dt / L^2, (B,): (B, 1, *half spectrum), or 0 without any."""
    square = (2 * math.pi * waves).square().sum(dim=-1)
    return -sum((number.reshape(-1, 1, *(1,) * square.ndim) * square for number in numbers), torch.zeros(()))


def phi(z: Tensor) -> Tensor:
    """(e^z - 1) / z, one at zero."""
    is_small = z.abs() < SMALL
    other = torch.where(is_small, torch.ones_like(z), z)  # no gradient of 0 / 0
    return torch.where(is_small, 1 + z / 2 + z**2 / 6 + z**3 / 24, (other.exp() - 1) / other)


def _between_shells(values: Tensor, radius: Tensor) -> Tensor:
    """(B, S, V) at whole |k| -> (B, *half spectrum, V) at each wave's, linearly interpolated."""
    below = radius.floor().long()
    part = (radius - below)[..., None]
    return torch.lerp(values[:, below], values[:, below + 1], part)


def wavevectors(space: torch.Size, aspect: Sequence[float]) -> Tensor:
    """(*half spectrum, D) wavevectors of `rfftn` in 2 pi / L, for axes of `aspect` times L."""
    axes = [torch.fft.fftfreq(cells, 1 / cells) for cells in space[:-1]] + [torch.arange(space[-1] // 2 + 1.0)]
    scaled = [axis / length for axis, length in zip(axes, aspect, strict=True)]
    return torch.stack(torch.meshgrid(*scaled, indexing="ij"), dim=-1)


def _features(radius: Tensor) -> Tensor:
    """(S,) -> (S, 9) of log2 |k|."""
    logarithm = torch.log2(radius.clamp_min(0.5))
    angles = [frequency * logarithm for frequency in FREQUENCIES]
    waves_of_it = [function(angle) for angle in angles for function in (torch.sin, torch.cos)]
    return torch.stack([logarithm / math.log2(16), *waves_of_it], dim=-1)

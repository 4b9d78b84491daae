"""An exponential step is exact for a field that diffuses, and a translation-equivariant map of waves otherwise."""

import math

import pytest
import torch
from torch import Tensor

from ups_models.blocks.exponential_step import ExponentialStep, phi, wavevectors
from ups_models.diffusion import aspect
from ups_models.geometry import GridGeometry

SHAPES = [(16,), (8, 12), (4, 6, 8)]


def steps_of(shape: tuple[int, ...], is_trained: bool) -> tuple[ExponentialStep, dict[str, Tensor]]:
    torch.manual_seed(0)
    step = ExponentialStep(len(shape), 5, ["viscosity"])
    if is_trained:
        torch.nn.init.normal_(step.output.weight, std=0.3)
    inputs = {name: torch.randn(2, 3, *shape) for name in ("field", "change", "carried")}
    return step, {**inputs, "scale": torch.full((2, 1, *(1,) * len(shape)), 0.1), "conditioning": torch.randn(2, 5)}


def unit_waves(field: Tensor) -> Tensor:
    return wavevectors(field.shape[2:], [1.0] * (field.ndim - 2))


def advance(step: ExponentialStep, inputs: dict[str, Tensor], number: float) -> Tensor:
    with torch.no_grad():
        return step(*inputs.values(), {"viscosity": torch.full((2,), number)}, unit_waves(inputs["field"]))


def test_an_untrained_step_solves_the_heat_equation_with_a_source() -> None:
    """u_t = p u_xx + s for u = cos(2 pi x) and s = cos(4 pi x): each wave has its own closed form."""
    x, number = torch.arange(32) / 32, 3e-3
    first, second = (torch.cos(2 * math.pi * wave * x)[None, None] for wave in (1, 2))
    step = ExponentialStep(1, 5, ["viscosity"])
    numbers = {"viscosity": torch.tensor([number])}
    with torch.no_grad():
        change = step(first, second, None, torch.ones(1, 1, 1), torch.zeros(1, 5), numbers, unit_waves(first))
    rates = [number * (2 * math.pi * wave) ** 2 for wave in (1, 2)]
    exact = math.expm1(-rates[0]) * first - math.expm1(-rates[1]) / rates[1] * second
    torch.testing.assert_close(change, exact, rtol=0, atol=1e-6)


def test_on_an_oblong_each_axis_diffuses_by_its_own_length() -> None:
    """u_t = p lap u on a domain of 1 by 2: a wave of one period along an axis decays by the square of its length."""
    lengths, viscosity = (1.0, 2.0), 0.01
    geometry = GridGeometry((16, 16), ((0.0, 1.0), (0.0, 2.0)), (("periodic", "periodic"),) * 2)
    step, place = ExponentialStep(2, 5, ["viscosity"]), 2 * math.pi * torch.arange(16) / 16
    waves = torch.stack([torch.cos(place)[:, None].expand(16, 16), torch.cos(place)[None].expand(16, 16)])[:, None]
    numbers = {"viscosity": torch.full((2,), viscosity / math.prod(lengths))}
    with torch.no_grad():
        change = step(
            waves, 0 * waves, None, torch.ones(1, 1, 1, 1), torch.zeros(2, 5), numbers,
            wavevectors(waves.shape[2:], aspect(geometry)))
    exact = torch.tensor([math.expm1(-viscosity * (2 * math.pi / length) ** 2) for length in lengths])
    torch.testing.assert_close(change, exact.reshape(2, 1, 1, 1) * waves, rtol=0, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_trained_step_commutes_with_shifts_and_is_linear(shape: tuple[int, ...]) -> None:
    step, inputs = steps_of(shape, is_trained=True)
    axes, spatial = tuple(range(2, 2 + len(shape))), ("field", "change", "carried")
    change = advance(step, inputs, 1e-3)
    moved = {name: inputs[name].roll((1,) * len(shape), axes) for name in spatial}
    twice = {name: 2 * inputs[name] for name in spatial}
    torch.testing.assert_close(
        advance(step, {**inputs, **moved}, 1e-3), change.roll((1,) * len(shape), axes), rtol=0, atol=1e-4)
    torch.testing.assert_close(advance(step, {**inputs, **twice}, 1e-3), 2 * change, rtol=0, atol=1e-4)
    torch.testing.assert_close(change.mean(axes), inputs["change"].mean(axes), rtol=0, atol=1e-5)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_trained_step_without_time_changes_nothing_where_nothing_is_carried(shape: tuple[int, ...]) -> None:
    step, inputs = steps_of(shape, is_trained=True)
    still = {"change": 0 * inputs["change"], "carried": inputs["field"], "scale": 0 * inputs["scale"]}
    torch.testing.assert_close(advance(step, {**inputs, **still}, 0.0), still["change"], rtol=0, atol=1e-6)


def test_phi_is_smooth_through_zero_and_its_gradient_finite() -> None:
    z = torch.complex(torch.linspace(-0.2, 0.2, 41, dtype=torch.float64), torch.full((41,), 1e-3).double())
    torch.testing.assert_close(phi(z), (z.exp() - 1) / z, rtol=0, atol=1e-6)
    zero = torch.zeros(3, dtype=torch.complex64, requires_grad=True)
    phi(zero).real.sum().backward()
    assert zero.grad is not None
    torch.testing.assert_close(zero.grad.real, torch.full((3,), 0.5))

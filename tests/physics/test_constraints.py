"""What the equations never violate."""

import torch

from ups_models.constraints import keep_mean, limit_fluctuation, velocity_of_vorticity
from ups_models.geometry import GridGeometry

PLANE = GridGeometry((16, 24), ((0.0, 1.0), (0.0, 2.0)), (("periodic", "periodic"),) * 2)


def stream_function_flow() -> tuple[torch.Tensor, torch.Tensor]:
    """(velocity, vorticity) of psi = sin(2 pi x) cos(2 pi y) + cos(pi y), by hand."""
    x, y = torch.meshgrid(PLANE.coordinates(0), PLANE.coordinates(1), indexing="ij")
    wave = 2 * torch.pi
    u = -wave * (wave * x).sin() * (wave * y).sin() - torch.pi * (torch.pi * y).sin()
    v = -wave * (wave * x).cos() * (wave * y).cos()
    w = 2 * wave**2 * (wave * x).sin() * (wave * y).cos() + torch.pi**2 * (torch.pi * y).cos()
    return torch.stack([u, v])[None], w[None, None]


def test_the_velocity_of_a_vorticity_is_the_streamfunctions() -> None:
    velocity, vorticity = stream_function_flow()
    torch.testing.assert_close(velocity_of_vorticity(vorticity, PLANE), velocity, rtol=0, atol=1e-5)


def test_a_changed_mean_is_taken_back() -> None:
    change = torch.randn(2, 3, 8) + 5
    assert keep_mean(change).mean(-1).abs().max() < 1e-6


def test_a_larger_fluctuation_is_scaled_down_and_a_smaller_one_stays() -> None:
    before = torch.randn(2, 1, 64, generator=torch.Generator().manual_seed(0))
    following = torch.cat([1.0 + 2 * before[:1], 1.0 + 0.5 * before[1:]])
    limited = limit_fluctuation(following, before)
    torch.testing.assert_close(limited[1], following[1])
    torch.testing.assert_close(limited[0] - limited[0].mean(), before[0] - before[0].mean(), rtol=0, atol=1e-5)
    torch.testing.assert_close(limited.mean(-1), following.mean(-1))


def test_above_the_limit_a_smaller_fluctuation_is_still_learned() -> None:
    """Else a network that begins above it, where the state decays, stays there for ever."""
    before = torch.randn(1, 1, 64, generator=torch.Generator().manual_seed(0))
    amplitude = torch.tensor(3.0, requires_grad=True)
    (limit_fluctuation(amplitude * before, before) - 0.5 * before).square().mean().backward()
    assert amplitude.grad is not None and amplitude.grad > 0.1


def test_decayed_states_have_finite_gradients() -> None:
    for size in (0.0, 1e-20, 1e-7):
        following = (size * torch.randn(2, 1, 16)).requires_grad_()
        limit_fluctuation(following, torch.ones(2, 1, 16)).square().sum().backward()
        assert following.grad is not None and following.grad.isfinite().all()

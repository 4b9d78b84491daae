"""The solver that stands in every table, against exact solutions: a weak one would flatter every model."""

import math

import pytest
import torch
from torch import Tensor

from contracts.small_problems import untrained
from ups_models.baselines.coarse_solver import CoarseSolver
from ups_models.batch import Batch
from ups_models.geometry import GridGeometry
from ups_models.muscl_hancock import burgers_step

CELLS = 48
PERIODIC = ("periodic", "periodic")


def taylor_green(viscosity: float, force: float, wind: float = 0.0) -> Batch:
    """u = (W + sin X cos Y, -cos X sin Y), w = 4 pi sin X sin Y with X = 2 pi x, and a force of `force` times it."""
    place = 2 * math.pi * torch.arange(CELLS) / CELLS
    x, y = torch.meshgrid(place, place, indexing="ij")
    vortices = torch.stack([x.sin() * y.cos(), -x.cos() * y.sin()], dim=-1)
    vorticity = 4 * math.pi * (x.sin() * y.sin())[..., None]
    fields = {"velocity": vortices + torch.tensor([wind, 0.0]), "vorticity": vorticity, "tracer": x.cos()[..., None]}
    return Batch(
        "navier_stokes2d", GridGeometry((CELLS, CELLS), ((0.0, 1.0), (0.0, 1.0)), (PERIODIC, PERIODIC)),
        {name: field[None, None] for name, field in fields.items()}, {"force": force * vortices[None]},
        {"viscosity": torch.tensor([viscosity])}, torch.tensor([0.125]))  # fmt: skip


def relative_error(found: Tensor, exact: Tensor) -> float:
    return float((found - exact).abs().max() / exact.abs().max())


@pytest.mark.parametrize("force", [0.0, 0.5])
def test_taylor_greens_vortices_decay_and_grow_by_their_force(force: float) -> None:
    """Their amplitude obeys a' = F - 8 pi^2 nu a."""
    batch, rate = taylor_green(0.01, force), 8 * math.pi**2 * 0.01
    solver, _ = untrained("coarse_solver", "navier_stokes2d")
    amplitude = math.exp(-rate * 0.125) - force * math.expm1(-rate * 0.125) / rate
    found = solver.step(batch)
    for name in ("velocity", "vorticity"):
        assert relative_error(found[name], amplitude * batch.fields[name]) < 2e-5, name


def test_a_wind_carries_vortices_over_whole_cells() -> None:
    """A wind of one domain per unit of time moves all by 48 / 8 cells, while they decay."""
    batch = taylor_green(0.01, 0.0, wind=1.0)
    found = untrained("coarse_solver", "navier_stokes2d")[0].step(batch)["vorticity"]
    decay = math.exp(-8 * math.pi**2 * 0.01 * 0.125)
    assert relative_error(found, decay * batch.fields["vorticity"].roll(6, dims=2)) < 2e-5


def sine(cells: int) -> Batch:
    place = torch.arange(cells) / cells
    geometry = GridGeometry((cells,), ((0.0, 1.0),), (PERIODIC,))
    velocity = (0.5 + torch.sin(2 * math.pi * place))[None, None, :, None]
    return Batch("burgers1d", geometry, {"u": velocity}, {}, {"viscosity": torch.tensor([0.0])}, torch.tensor([0.05]))


def steepening_error(cells: int) -> float:
    """Mean error against u(x, t) = u0(x - u t), which holds without viscosity until the shock at t = 1 / (2 pi)."""
    batch = sine(cells)
    found = untrained("coarse_solver", "burgers1d")[0].step(batch)["u"][0, 0, :, 0].double()
    place, exact = torch.arange(cells).double() / cells, batch.fields["u"][0, 0, :, 0].double()
    for _ in range(200):  # the implicit solution, by iteration
        exact = 0.5 + torch.sin(2 * math.pi * (place - 0.05 * exact))
    return float((found - exact).abs().mean())


def test_burgers_waves_steepen_along_their_characteristics_to_second_order() -> None:
    coarse, fine = steepening_error(64), steepening_error(128)
    assert coarse < 2e-3
    assert math.log2(coarse / fine) > 1.8


def test_a_card_without_a_viscosity_is_solved_without_one() -> None:
    """Then the schemes have nothing to diffuse by, as with a viscosity of zero."""
    batch = sine(64)
    with_zero = untrained("coarse_solver", "burgers1d")[0]
    without = untrained("coarse_solver", "burgers1d")[0]
    assert isinstance(without, CoarseSolver)
    without.problem = without.problem.model_copy(update={"parameters": {}})
    torch.testing.assert_close(without.step(batch), with_zero.step(batch), rtol=0, atol=1e-6)


def test_a_shock_moves_at_the_mean_of_its_two_sides_and_a_fan_opens_behind() -> None:
    """u = 3 on cells 16 to 48, else 1, in cells per step: after 4 steps the shock has gone 8 cells, the fan spans 8."""
    cell = torch.arange(128).double() + 0.5
    state = torch.where((cell > 16) & (cell < 48), 3.0, 1.0).double()[None]
    for _ in range(4):
        state = burgers_step(state, torch.zeros(1, 65, dtype=torch.float64))
    exact = torch.where(cell < 56, ((cell - 16) / 4).clamp(1, 3), 1.0)
    assert abs(float(state.sum() - 128 - 2 * 32)) < 1e-10
    assert float((state[0] - exact).abs().sum()) < 2.0  # the sides of the shock smear over a cell
    assert state.min() > 1 - 1e-12 and state.max() < 3 + 1e-12


def test_samples_of_a_batch_take_their_own_parts() -> None:
    slow, fast = (speed * torch.sin(2 * math.pi * torch.arange(64).double() / 64)[None] for speed in (0.5, 9.0))
    rate = torch.zeros(2, 33, dtype=torch.float64)
    both = burgers_step(torch.cat([slow, fast]), rate)
    torch.testing.assert_close(both, torch.cat([burgers_step(one, rate[:1]) for one in (slow, fast)]), rtol=0, atol=0)

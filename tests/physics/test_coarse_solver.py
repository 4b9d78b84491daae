"""The untrained solver against exact solutions: what it says is known before anything is learned."""

import math

import pytest
import torch

from contracts.small_problems import untrained
from ups_models.batch import Batch
from ups_models.geometry import GridGeometry

CELLS = 48
PERIODIC = ("periodic", "periodic")


def taylor_green(viscosity: float, force: float) -> Batch:
    """u = (sin X cos Y, -cos X sin Y), w = 4 pi sin X sin Y with X = 2 pi x, and a force of `force` times u."""
    place = 2 * math.pi * torch.arange(CELLS) / CELLS
    x, y = torch.meshgrid(place, place, indexing="ij")
    velocity = torch.stack([x.sin() * y.cos(), -x.cos() * y.sin()], dim=-1)
    fields = {"velocity": velocity, "vorticity": 4 * math.pi * (x.sin() * y.sin())[..., None],
              "tracer": x.cos()[..., None]}  # fmt: skip
    return Batch(
        "navier_stokes2d", GridGeometry((CELLS, CELLS), ((0.0, 1.0), (0.0, 1.0)), (PERIODIC, PERIODIC)),
        {name: field[None, None] for name, field in fields.items()}, {"force": force * velocity[None]},
        {"viscosity": torch.tensor([viscosity])}, torch.tensor([0.1]))  # fmt: skip


@pytest.mark.parametrize("force", [0.0, 0.5])
def test_taylor_greens_vortices_decay_and_grow_by_their_force(force: float) -> None:
    """Their amplitude obeys a' = F - 8 pi^2 nu a."""
    batch, rate = taylor_green(0.01, force), 8 * math.pi**2 * 0.01
    solver, _ = untrained("coarse_solver", "navier_stokes2d", num_parts=[16])
    amplitude = math.exp(-rate * 0.1) - force * math.expm1(-rate * 0.1) / rate
    found = solver.step(batch)
    for name in ("velocity", "vorticity"):
        error = (found[name] - amplitude * batch.fields[name]).abs().max() / batch.fields[name].abs().max()
        assert error < 2e-3, name


def sine(cells: int) -> Batch:
    place = torch.arange(cells) / cells
    geometry = GridGeometry((cells,), ((0.0, 1.0),), (PERIODIC,))
    velocity = (0.5 + torch.sin(2 * math.pi * place))[None, None, :, None]
    return Batch("burgers1d", geometry, {"u": velocity}, {}, {"viscosity": torch.tensor([0.0])}, torch.tensor([0.05]))


@pytest.mark.parametrize(("num_parts", "bound"), [(1, 3e-3), (4, 1e-3)])
def test_burgers_waves_steepen_along_their_characteristics(num_parts: int, bound: float) -> None:
    """Without viscosity u(x, t) = u0(x - u t) until the shock, at t = 1 / (2 pi)."""
    batch = sine(256)
    solver, _ = untrained("coarse_solver", "burgers1d", num_parts=[num_parts])
    found = solver.step(batch)["u"][0, 0, :, 0].double()
    place, exact = torch.arange(256).double() / 256, batch.fields["u"][0, 0, :, 0].double()
    for _ in range(200):  # the implicit solution, by iteration
        exact = 0.5 + torch.sin(2 * math.pi * (place - 0.05 * exact))
    assert float((found - exact).abs().max()) < bound

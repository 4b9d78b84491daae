"""What the flow carries arrives where it must: exact shifts, characteristics, a steady flow, no time at all."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from contracts.small_problems import PROBLEMS, small_batch, untrained
from ups_models.batch import Batch
from ups_models.blocks.exponential_step import diffusion_rate, wavevectors
from ups_models.carried import carried_fields
from ups_models.geometry import GridGeometry
from ups_models.normaliser import Normaliser
from ups_models.physical_fields import physical_field

PERIODIC = ("periodic", "periodic")


def carried(batch: Batch, num_parts: int = 1, rates: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """The carried fields in physical units."""
    emulator, _ = untrained("universal", batch.dataset)
    frame = PROBLEMS[batch.dataset].frame
    assert frame is not None and isinstance(emulator.normaliser, Normaliser)
    state = emulator.normaliser.to_dimensionless(batch)
    found = carried_fields(batch, state, frame, num_parts, rates or {})
    return {name: physical_field(name, field, state) for name, field in found.items()}


def grid_batch(dataset: str, num_cells: int, time_step: float, fields: dict[str, Tensor]) -> Batch:
    """One sample on a finer grid of unit extent; fields (C, *space)."""
    dimensions = PROBLEMS[dataset].num_dimensions
    geometry = GridGeometry((num_cells,) * dimensions, ((0.0, 1.0),) * dimensions, (PERIODIC,) * dimensions)
    batch = small_batch(dataset, size=1)
    force = {name: torch.zeros(1, *geometry.shape, 2) for name in batch.constant_fields}
    frames = {name: field.movedim(0, -1)[None, None] for name, field in fields.items()}
    return replace(
        batch, geometry=geometry, fields=frames, constant_fields=force, time_step=torch.tensor([time_step]))


@pytest.mark.parametrize("dataset", PROBLEMS)
def test_without_time_nothing_moves(dataset: str) -> None:
    """Of noise, the roughest of states, on a grid as fine as a real one."""
    small, generator = small_batch(dataset, size=1), torch.Generator().manual_seed(0)
    num_cells = 256 if small.geometry.num_dimensions == 1 else 32
    shape = (num_cells,) * small.geometry.num_dimensions
    noise = {name: torch.randn(field.shape[-1], *shape, generator=generator) for name, field in small.fields.items()}
    batch = grid_batch(dataset, num_cells, 0.0, noise)
    for name, field in carried(batch).items():
        torch.testing.assert_close(field[0], noise[name], rtol=0, atol=3e-6 * float(noise[name].abs().max()))


def test_a_uniform_flow_of_whole_cells_moves_a_tracer_by_them() -> None:
    flow = torch.tensor([3.0, -2.0]).reshape(2, 1, 1).expand(2, 32, 32) / 32 / 0.1
    tracer = torch.randn(1, 32, 32, generator=torch.Generator().manual_seed(0))
    fields = {"velocity": flow, "vorticity": torch.zeros(1, 32, 32), "tracer": tracer}
    found = carried(grid_batch("navier_stokes2d", 32, 0.1, fields))["tracer"][0]
    torch.testing.assert_close(found, tracer.roll((3, -2), (1, 2)), rtol=0, atol=1e-4)


def burgers_error(time_step: float) -> float:
    """Against the characteristics u(x, t) = u_0(x - u t) of inviscid Burgers before its shock."""
    x = torch.arange(2048, dtype=torch.float64) / 2048
    exact = torch.zeros_like(x)
    for _ in range(200):
        exact = torch.sin(2 * math.pi * (x - exact * time_step))
    fields = {"u": torch.sin(2 * math.pi * x)[None].float()}
    return float((carried(grid_batch("burgers1d", 2048, time_step, fields))["u"][0, 0] - exact).abs().max())


def vortices_error(time_step: float) -> float:
    """Taylor and Green's vortices are a steady flow of an ideal fluid: each particle keeps its vorticity."""
    angle = 2 * math.pi * torch.arange(256) / 256
    x, y = torch.meshgrid(angle, angle, indexing="ij")
    velocity = torch.stack([torch.cos(x) * torch.sin(y), -torch.sin(x) * torch.cos(y)])
    vorticity = -4 * math.pi * (torch.cos(x) * torch.cos(y))[None]
    fields = {"velocity": velocity, "vorticity": vorticity, "tracer": vorticity}
    found = carried(grid_batch("navier_stokes2d", 256, time_step, fields))
    return float((found["vorticity"][0] - vorticity).abs().max() / vorticity.abs().max())


def test_two_parts_are_nearer_to_the_truth_than_one() -> None:
    angle = 2 * math.pi * torch.arange(64) / 64
    x, y = torch.meshgrid(angle, angle, indexing="ij")
    velocity = torch.stack([torch.cos(x) * torch.sin(y), -torch.sin(x) * torch.cos(y)])
    vorticity = -4 * math.pi * (torch.cos(x) * torch.cos(y))[None]
    batch = grid_batch("navier_stokes2d", 64, 0.3, {"velocity": velocity, "vorticity": vorticity, "tracer": vorticity})
    one, two = (float((carried(batch, parts)["vorticity"][0] - vorticity).abs().max()) for parts in (1, 2))
    assert two < one / 2


@pytest.mark.parametrize(("error", "time_step"), [(burgers_error, 0.1), (vortices_error, 0.2)])
def test_the_error_of_one_step_is_of_third_order(
    error: Callable[[float], float], time_step: float
) -> None:
    coarse, fine = error(time_step), error(time_step / 2)
    assert coarse < 0.1
    assert math.log2(coarse / fine) > 2.5


@pytest.mark.parametrize("force", [0.0, 0.5])
def test_carried_vortices_decay_and_grow_by_their_force(force: float) -> None:
    """Taylor and Green's vortices, which stand still: their amplitude obeys a' = F - 8 pi^2 nu a."""
    angle, rate = 2 * math.pi * torch.arange(48) / 48, 8 * math.pi**2 * 0.01
    x, y = torch.meshgrid(angle, angle, indexing="ij")
    velocity, vorticity = torch.stack([x.sin() * y.cos(), -x.cos() * y.sin()]), 4 * math.pi * (x.sin() * y.sin())[None]
    fields = {"velocity": velocity, "vorticity": vorticity, "tracer": vorticity}
    pushed = {"force": force * velocity.movedim(0, -1)[None]}
    batch = replace(grid_batch("navier_stokes2d", 48, 0.1, fields), constant_fields=pushed)
    decay = diffusion_rate(wavevectors(torch.Size((48, 48)), [1.0, 1.0]), [torch.tensor([0.01 * 0.1])])
    amplitude = math.exp(-rate * 0.1) - force * math.expm1(-rate * 0.1) / rate
    found = carried(batch, 16, {"vorticity": decay})["vorticity"][0]
    assert float((found - amplitude * vorticity).abs().max() / vorticity.abs().max()) < 2e-3

"""The decoder between the nodes: it agrees with the grid at them, and learns what interpolation misses."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from contracts.small_problems import PROBLEMS, perturb, small_batch, trained, untrained
from ups_models.batch import Batch
from ups_models.blocks.interpolation import interpolate
from ups_models.geometry import GridGeometry
from ups_models.stages.operator import Operator
from ups_models.stages.supervised import SupervisedConfig
from ups_models.universal import Universal


def nodes(geometry: GridGeometry, size: int) -> Tensor:
    """(B, N, D) all nodes."""
    axes = [geometry.coordinates(axis).float() for axis in range(geometry.num_dimensions)]
    points = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, -2)
    return points.expand(size, -1, -1)


def ours(dataset: str) -> tuple[Universal, Batch]:
    model = trained("universal", dataset)
    assert isinstance(model, Universal)
    perturb(model)
    return model, small_batch(dataset, num_frames=2)


@pytest.mark.parametrize("dataset", PROBLEMS)
def test_points_in_any_order_agree_with_the_grid_at_the_nodes(dataset: str) -> None:
    model, batch = ours(dataset)
    points = nodes(batch.geometry, batch.size)
    order = torch.randperm(points.shape[1], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        at_points, grid = model.step_at(batch, points[:, order]), model.step(batch)
    for name, field in grid.items():
        expected = field.flatten(2, -2)[:, :, order]
        torch.testing.assert_close(at_points[name], expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize("dataset", PROBLEMS)
def test_between_nodes_a_trained_model_reads_otherwise_than_polynomials_do(dataset: str) -> None:
    model, batch = ours(dataset)
    batch = rough(batch)
    points = nodes(batch.geometry, batch.size) + 0.5 * torch.tensor(batch.geometry.cell_size)
    with torch.no_grad():
        found, grid = model.step_at(batch, points), model.step(batch)
    for name, field in grid.items():
        plain = interpolate(field[:, 0].movedim(-1, 1), points, batch.geometry, 6)
        assert (found[name][:, 0].transpose(1, 2) - plain).abs().max() > 1e-6


@pytest.mark.parametrize("num_taps", [2, 4, 8])
def test_interpolation_is_exact_for_polynomials_and_has_its_order(num_taps: int) -> None:
    geometry = GridGeometry((24,), ((0.0, 1.0),), (("open", "open"),))
    x = geometry.coordinates(0).float()
    points = 0.3 + 0.4 * torch.rand(1, 50, 1, generator=torch.Generator().manual_seed(0))
    field, truth = (values ** (num_taps - 1) for values in (x[None, None], points[:, :, 0][:, None]))
    torch.testing.assert_close(interpolate(field, points, geometry, num_taps), truth, rtol=0, atol=1e-5)


def test_interpolation_wraps_on_periodic_axes_alone() -> None:
    field = torch.tensor([[[1.0, 2.0, 4.0, 3.0]]])
    points = torch.tensor([[[0.0], [1.0]]])
    for kind, expected in (("periodic", [2.0, 2.0]), ("open", [1.0, 3.0])):
        geometry = GridGeometry((4,), ((0.0, 1.0),), ((kind, kind),))
        torch.testing.assert_close(interpolate(field, points, geometry, 2)[0, 0], torch.tensor(expected))


def test_the_loss_between_nodes_moves_that_term_alone_and_falls() -> None:
    model, _ = untrained("universal", "navier_stokes2d")
    assert isinstance(model, Universal)
    stage, batch = Operator(SupervisedConfig()), rough(small_batch("navier_stokes2d", num_frames=2))
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(0)
    losses = []
    for _ in range(60):
        optimiser.zero_grad()
        loss = stage.loss(model, batch, 0.0, generator)["between_nodes"]
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    moved = {name for name, parameter in model.named_parameters() if parameter.grad is not None}
    assert moved and all(name.startswith("decoder.between_nodes") for name in moved)
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])


def test_the_error_at_cell_corners_is_about_that_at_the_nodes() -> None:
    """The states hold few waves, so that their values at the corners are known."""
    model, _ = untrained("universal", "navier_stokes2d")
    assert isinstance(model, Universal)
    optimiser, stage = torch.optim.Adam(model.parameters(), lr=2e-3), Operator(SupervisedConfig())
    for update in range(120):
        optimiser.zero_grad()
        batch = small_batch("navier_stokes2d", size=8, seed=100 + update)
        terms = stage.loss(model, batch, 0.0, torch.Generator().manual_seed(update))
        torch.stack(list(terms.values())).sum().backward()
        optimiser.step()
    errors = errors_of_one_step(model.eval(), small_batch("navier_stokes2d", size=8))
    for at_corners, at_nodes in (errors["vorticity"], errors["tracer"]):
        assert at_nodes < 0.1
        assert at_corners < 1.5 * at_nodes


def errors_of_one_step(model: Universal, batch: Batch) -> dict[str, tuple[float, float]]:
    """Field -> relative error at the cells' corners and at the nodes."""
    points = nodes(batch.geometry, batch.size) + 0.5 * torch.tensor(batch.geometry.cell_size)
    with torch.no_grad():
        corners, grid = model.step_at(batch, points), model.step(batch)
    found = {}
    for name, field in batch.fields.items():
        truth = field[:, 1:2]
        moved = half_a_cell_on(truth[:, 0].movedim(-1, 1)).movedim(1, -1)[:, None].flatten(2, -2)
        found[name] = (relative(corners[name], moved), relative(grid[name], truth))
    return found


def half_a_cell_on(field: Tensor) -> Tensor:
    """A periodic field (B, C, *space) of few waves at the corners (x + dx / 2, ...) of its cells."""
    for axis in range(2, field.ndim):
        cells = field.shape[axis]
        turn = torch.polar(torch.ones(cells), torch.pi * torch.fft.fftfreq(cells, 1 / cells) / cells)
        turn = turn.reshape(-1, *(1,) * (field.ndim - 1 - axis))
        field = torch.fft.ifft(torch.fft.fft(field, dim=axis) * turn, dim=axis).real
    return field


def relative(found: Tensor, truth: Tensor) -> float:
    return float((found - truth).norm() / truth.norm())


def rough(batch: Batch) -> Batch:
    """With a wave near the grid's limit, which polynomials miss."""
    cells = batch.geometry.shape[0]
    wave = torch.cos(2 * torch.pi * (cells // 3) * torch.arange(cells) / cells).reshape(1, 1, -1, 1)
    added = {
        name: field + 0.3 * wave.reshape(1, 1, -1, *(1,) * (field.ndim - 3)) for name, field in batch.fields.items()}
    return replace(batch, fields=added)

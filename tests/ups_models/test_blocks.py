"""Layers on a grid: a spectral mixing means the same at any resolution; padding continues as the boundary says."""

import math

import pytest
import torch
from torch import Tensor

from ups_models.blocks.boundary_convolution import BoundaryConvolution, pad
from ups_models.blocks.gated_mlp import GatedMLP
from ups_models.blocks.modulated_norm import ModulatedNorm
from ups_models.blocks.neighbour_shift import NeighbourShift
from ups_models.blocks.spectral_least_squares import count_conjugates
from ups_models.blocks.spectral_mixing import SpectralMixing

NUM_MODES = 4
CHANNELS = 6


def mixing(num_dimensions: int) -> SpectralMixing:
    torch.manual_seed(0)
    return SpectralMixing(num_dimensions, CHANNELS, NUM_MODES, groups=2).double()


def sampled_waves(num_cells: int, num_dimensions: int, highest: int = NUM_MODES - 1) -> Tensor:
    """(2, CHANNELS, *grid) the same continuous field, wavenumbers up to `highest` along each axis."""
    generator = torch.Generator().manual_seed(0)
    field = torch.zeros(2, CHANNELS, *(num_cells,) * num_dimensions, dtype=torch.float64)
    points = [torch.arange(num_cells, dtype=torch.float64) / num_cells] * num_dimensions
    mesh = torch.meshgrid(*points, indexing="ij")
    for _ in range(12):
        waves = torch.randint(-highest, highest + 1, (num_dimensions,), generator=generator)
        phase = sum((2 * math.pi * int(wave) * axis for wave, axis in zip(waves, mesh, strict=True)), torch.zeros(()))
        weight, delay = torch.randn(2, 2, CHANNELS, generator=generator, dtype=torch.float64)
        ones = (1,) * num_dimensions
        field = field + weight.reshape(2, CHANNELS, *ones) * torch.cos(phase + delay.reshape(2, CHANNELS, *ones))
    return field


@pytest.mark.parametrize("num_dimensions", [1, 2, 3])
def test_a_mixing_is_the_same_operator_on_a_finer_grid(num_dimensions: int) -> None:
    layer = mixing(num_dimensions)
    coarse = layer(sampled_waves(8, num_dimensions))
    fine = layer(sampled_waves(24, num_dimensions))
    every_third = (slice(None), slice(None), *(slice(None, None, 3),) * num_dimensions)
    torch.testing.assert_close(fine[every_third], coarse, rtol=0, atol=1e-9)
    assert coarse.std() > 0.1


@pytest.mark.parametrize("num_dimensions", [1, 2, 3])
def test_a_mixing_commutes_with_any_shift(num_dimensions: int) -> None:
    layer, axes = mixing(num_dimensions), tuple(range(2, 2 + num_dimensions))
    field = torch.randn(2, CHANNELS, *(10,) * num_dimensions, dtype=torch.float64)
    moved = layer(field.roll((3,) * num_dimensions, axes))
    torch.testing.assert_close(moved, layer(field).roll((3,) * num_dimensions, axes), rtol=0, atol=1e-9)


@pytest.mark.parametrize("cells", [2, 3, 4, 5])
@pytest.mark.parametrize("num_dimensions", [1, 2, 3])
def test_a_mixing_works_on_grids_with_fewer_waves_than_it_keeps(num_dimensions: int, cells: int) -> None:
    field = torch.randn(2, CHANNELS, *(cells,) * num_dimensions, dtype=torch.float64)
    result = mixing(num_dimensions)(field)
    assert result.shape == field.shape
    assert result.isfinite().all()


def test_a_mixing_drops_the_waves_that_it_does_not_keep() -> None:
    line = torch.arange(32, dtype=torch.float64) / 32
    wave = torch.cos(2 * math.pi * NUM_MODES * line).expand(1, CHANNELS, 32)
    assert mixing(1)(wave).abs().max() < 1e-9


@pytest.mark.parametrize("kind", ["periodic", "wall", "open", "neumann", "robin", "dirichlet"])
@pytest.mark.parametrize("num_dimensions", [1, 2, 3])
def test_padding_continues_as_the_boundary_says(num_dimensions: int, kind: str) -> None:
    field = torch.arange(4.0**num_dimensions).reshape(1, 1, *(4,) * num_dimensions)
    padded = pad(field, 2, ((kind, kind),) * num_dimensions)
    assert padded.shape[2:] == (8,) * num_dimensions
    line = padded.flatten(2)[0, 0] if num_dimensions == 1 else padded[(0, 0, *(2,) * (num_dimensions - 1))]
    expected = [2.0, 3, 0, 1, 2, 3, 0, 1] if kind == "periodic" else [0.0, 0, 0, 1, 2, 3, 3, 3]
    assert line.tolist() == expected


def test_padding_of_each_axis_is_its_own() -> None:
    field = torch.arange(9.0).reshape(1, 1, 3, 3)
    padded = pad(field, 1, (("periodic", "periodic"), ("wall", "open")))[0, 0]
    assert padded[:, 1].tolist() == [6.0, 0.0, 3.0, 6.0, 0.0]
    assert padded[1].tolist() == [0.0, 0.0, 1.0, 2.0, 2.0]


def test_no_padding_is_the_field_itself() -> None:
    field = torch.randn(1, 2, 5)
    assert pad(field, 0, (("periodic", "periodic"),)) is field


def test_a_periodic_convolution_commutes_with_any_shift() -> None:
    layer, field = BoundaryConvolution(2, 3, 5, 5), torch.randn(2, 3, 8, 6)
    ends = (("periodic", "periodic"),) * 2
    torch.testing.assert_close(layer(field.roll((3, 1), (2, 3)), ends), layer(field, ends).roll((3, 1), (2, 3)))


def test_pointwise_layers_see_one_point_at_a_time() -> None:
    """The same weights in any number of dimensions: a grid is a bag of points to them."""
    mlp, norm = GatedMLP(CHANNELS, 2 * CHANNELS), ModulatedNorm(CHANNELS, 5)
    tokens, conditioning = torch.randn(2, 4, 6, CHANNELS), torch.randn(2, 5)
    torch.testing.assert_close(mlp(tokens).flatten(1, 2), mlp(tokens.flatten(1, 2)))
    grid, line = norm(tokens, conditioning)[0], norm(tokens.flatten(1, 2), conditioning)[0]
    torch.testing.assert_close(grid.flatten(1, 2), line)
    torch.testing.assert_close(grid.mean(-1), torch.zeros_like(grid[..., 0]), rtol=0, atol=1e-5)


def test_a_shift_brings_the_neighbours_and_stops_at_ends() -> None:
    shift = NeighbourShift(1, 3, 1)  # one channel each: in place, from the left, from the right
    tokens = torch.arange(4.0)[None, :, None].expand(1, 4, 3)
    periodic, open_ends = (shift(tokens, [(kind, kind)])[0].T.tolist() for kind in ("periodic", "open"))
    assert periodic == [[0, 1, 2, 3], [3, 0, 1, 2], [1, 2, 3, 0]]
    assert open_ends == [[0, 1, 2, 3], [0, 0, 1, 2], [1, 2, 3, 3]]


@pytest.mark.parametrize("space", [(8,), (7,), (4, 6), (5, 3), (2, 4, 4)])
def test_half_a_spectrum_counts_as_the_whole(space: tuple[int, ...]) -> None:
    """Parseval: the counted energy of the half spectrum is that of the field."""
    field = torch.randn(space, dtype=torch.float64)
    energy = torch.fft.rfftn(field, norm="ortho").abs().square().flatten()
    torch.testing.assert_close((energy * count_conjugates(space)).sum(), field.square().sum())

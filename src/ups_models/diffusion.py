"""What a problem says of diffusion: its diffusivities and domain in dimensionless numbers."""

import math

import torch
from torch import Tensor

from ups_models.batch import Batch
from ups_models.blocks.exponential_step import wavevectors
from ups_models.geometry import GridGeometry
from ups_models.problem import Problem


def diffusivities(problem: Problem) -> list[str]:
    """The parameters that have a diffusivity's units, m^2/s."""
    return [name for name, spec in problem.parameters.items() if spec.powers == (2, -1)]


def diffusion_numbers(problem: Problem, batch: Batch) -> dict[str, Tensor]:
    """p dt / L^2 of each diffusivity p, (B,)."""
    square = domain_extent(batch.geometry) ** 2
    return {name: batch.parameters[name] * batch.time_step / square for name in diffusivities(problem)}


def waves_of(batch: Batch) -> Tensor:
    """The wavevectors of `rfftn` on a batch's grid, (*half spectrum, D), in 2 pi / L."""
    return wavevectors(torch.Size(batch.geometry.shape), aspect(batch.geometry)).to(batch.time_step)


def aspect(geometry: GridGeometry) -> list[float]:
    """The length of each axis over L, the geometric mean of all."""
    return [length / domain_extent(geometry) for length in geometry.domain_extent]


def domain_extent(geometry: GridGeometry) -> float:
    """L, in the dataset's length unit."""
    return math.prod(geometry.domain_extent) ** (1 / geometry.num_dimensions)

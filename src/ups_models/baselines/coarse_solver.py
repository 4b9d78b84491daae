"""A numerical solver on the stored grid: what the equations give without any training."""

import math
from dataclasses import replace

import torch
from pydantic import Field
from torch import Tensor

from ups_models.batch import Batch, Fields
from ups_models.blocks.exponential_step import diffusion_rate, exponential_change, wavevectors
from ups_models.carried import carried_fields
from ups_models.diffusion import aspect, diffusion_numbers
from ups_models.dimensionless import DimensionlessState
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.normaliser import Normaliser
from ups_models.problem import Problems

NUM_FIT_PAIRS = 64


class CoarseSolverConfig(PartConfig):
    """What the equations say that a card does not, and in how many parts a step may be made.

    Attributes:
        diffusion_factors: dataset -> what multiplies its diffusivity in the equation (1 / pi for Nu / pi); else 1.
        num_parts: those tried; the best on validation pairs is taken.
    """

    diffusion_factors: dict[str, float] = Field(default_factory=dict)
    num_parts: tuple[int, ...] = (1, 2, 4, 8, 16)


class CoarseSolver(AbstractEmulator):
    """Each part of a time step: carry what the card calls transported, diffuse, add the force.

    The same semi-Lagrangian steps and exact diffusion as inside our model (`carried.py`, `exponential_step.py`), so
    that it tells what is known before anything is learned. A force acts on the velocity, or as its curl on the
    vorticity; no pressure is solved for without a vorticity. On a domain that is not periodic nothing but transport
    happens. All parameters in m^2/s are taken for diffusivities of every field.

    Args:
        problems: one dataset.
        config: coefficients, and numbers of parts.
        normaliser: in whose frame the state is carried.
    """

    Config = CoarseSolverConfig
    num_parts: Tensor

    def __init__(self, problems: Problems, config: CoarseSolverConfig, normaliser: Normaliser) -> None:
        super().__init__()
        ((dataset, self.problem),) = problems.items()
        self.factor = {dataset: 1.0, **config.diffusion_factors}[dataset]
        self.config, self.normaliser = config, normaliser
        self._frame, self._names = normaliser.frame_of(self.problem), list(normaliser.output_fields(self.problem))
        self.register_buffer("num_parts", torch.tensor(config.num_parts[0]))

    def fit(self, pairs: Batch, valid_pairs: Batch) -> None:
        """Take the number of parts with the smallest error of one step, its geometric mean over fields and pairs."""
        super().fit(pairs, valid_pairs)
        some = valid_pairs.map(lambda tensor: tensor[:NUM_FIT_PAIRS])
        errors = [self._error(some, number) for number in self.config.num_parts]
        self.num_parts.fill_(self.config.num_parts[errors.index(min(errors))])

    def step(self, batch: Batch) -> Fields:
        """The next frame, name -> (B, 1, *space, C)."""
        return self._solve(batch, int(self.num_parts))

    def _solve(self, batch: Batch, num_parts: int) -> Fields:
        part = batch.window(0, 1).map(Tensor.double)
        part = replace(part, time_step=part.time_step / num_parts)
        for _ in range(num_parts):
            part = part.with_fields(self._make_part(part))
        return {name: field.to(batch.time_step.dtype) for name, field in part.fields.items()}

    def _make_part(self, batch: Batch) -> Fields:
        state = self.normaliser.to_dimensionless(batch)
        carried = {} if self._frame is None else carried_fields(batch, state, self._frame, num_parts=1)
        forces = self._forces(batch, state)
        if not all(batch.geometry.is_periodic):
            unmoved = {name: torch.zeros_like(state.fields[name]) for name in self._names}
            moved = {name: field - state.fields[name] for name, field in carried.items()}
            return self.normaliser.to_physical({**unmoved, **moved}, state)
        waves = wavevectors(torch.Size(batch.geometry.shape), aspect(batch.geometry)).to(batch.time_step)
        rate = diffusion_rate(waves, [self.factor * one for one in diffusion_numbers(self.problem, batch).values()])
        changes = {
            name: exponential_change(state.fields[name], forces[name], carried.get(name), rate, 1.0)
            for name in self._names
        }
        return self.normaliser.to_physical(changes, state)

    def _forces(self, batch: Batch, state: DimensionlessState) -> dict[str, Tensor]:
        """What the force changes in one part, dimensionless."""
        frame, forces = self._frame, {name: torch.zeros_like(state.fields[name]) for name in self._names}
        if frame is not None and frame.forcing is not None:
            force = state.offset[frame.forcing] + state.scale[frame.forcing] * state.constant_fields[frame.forcing]
            moved = frame.velocity if frame.vorticity is None else frame.vorticity
            force = force if frame.vorticity is None else _curl(force, batch)
            forces[moved] = force * batch.time_step.reshape(-1, *(1,) * (force.ndim - 1)) / state.scale[moved]
        return forces

    def _error(self, pairs: Batch, num_parts: int) -> float:
        """The mean logarithm of the squared relative errors."""
        with torch.no_grad():
            found = self._solve(pairs, num_parts)
        errors = []
        for name, field in found.items():
            truth = pairs.fields[name][:, 1:].flatten(1)
            error = (field.flatten(1) - truth).square().mean(1) / truth.square().mean(1).clamp_min(1e-30)
            errors.append((error + 1e-12).log().nan_to_num(nan=math.inf).mean())
        return float(torch.stack(errors).mean())


def _curl(force: Tensor, batch: Batch) -> Tensor:
    """(B, 2, N_x, N_y) -> f_y,x - f_x,y, (B, 1, N_x, N_y), on a periodic plane."""
    lengths = batch.geometry.domain_extent
    waves = 2 * math.pi * wavevectors(force.shape[2:], lengths).to(force)
    spectrum = torch.fft.rfft2(force)
    curl = 1j * (waves[..., 0] * spectrum[:, 1] - waves[..., 1] * spectrum[:, 0])
    return torch.fft.irfft2(curl, s=force.shape[2:])[:, None]

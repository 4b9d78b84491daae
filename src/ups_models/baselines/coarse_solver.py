"""A numerical solver on the stored grid: what the equations give without any training."""

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from ups_models.batch import Batch, Fields
from ups_models.blocks.exponential_step import diffusion_rate, exponential_change, wavevectors
from ups_models.carried import carried_fields
from ups_models.diffusion import diffusion_numbers, waves_of
from ups_models.dimensionless import DimensionlessState
from ups_models.forcing import forced_change, forced_field
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.muscl_hancock import burgers_step
from ups_models.normaliser import Normaliser
from ups_models.physical_fields import cells_per_step, physical_field
from ups_models.problem import FrameSpec, Problems
from ups_models.pseudo_spectral import vorticity_step
from ups_models.space_means import spatial_mean

Scheme = Literal["muscl_hancock", "pseudo_spectral", "semi_lagrangian"]
NUM_FIT_PAIRS = 64
TINY = 1e-30


class CoarseSolverConfig(PartConfig):
    """What the equations say that a card does not, and in how many parts a step may be made.

    Attributes:
        diffusion_factors: dataset -> what multiplies its diffusivity in the equation (1 / pi for Nu / pi); else 1.
        num_parts: of a semi-Lagrangian step, those tried; the best on validation pairs is taken.
    """

    diffusion_factors: dict[str, float] = Field(default_factory=dict)
    num_parts: tuple[int, ...] = (1, 2, 4, 8, 16)


class CoarseSolver(AbstractEmulator):
    """What a textbook would solve the card's equations with, on the stored grid:

    - a velocity that carries itself along a periodic line: a Godunov scheme (`muscl_hancock.py`);
    - a vorticity, and what its flow carries, on a periodic plane: waves (`pseudo_spectral.py`);
    - other declared flows: the semi-Lagrangian steps that our model has inside (`carried.py`), in as many parts as
      are best on validation pairs; a force acts on the velocity, or as its curl on the vorticity;
    - what no flow carries diffuses, and a card without a frame says nothing else.

    On a domain that is not periodic nothing diffuses. All parameters in m^2/s are taken for diffusivities of every
    field.

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
        """Take the number of semi-Lagrangian parts with the smallest error of one step, a geometric mean."""
        super().fit(pairs, valid_pairs)
        if self._frame is None or _scheme(self._frame, pairs.geometry) != "semi_lagrangian":
            return
        some = valid_pairs.map(lambda tensor: tensor[:NUM_FIT_PAIRS])
        errors = [self._error(some, number) for number in self.config.num_parts]
        self.num_parts.fill_(self.config.num_parts[errors.index(min(errors))])

    def step(self, batch: Batch) -> Fields:
        """The next frame, name -> (B, 1, *space, C)."""
        return self._solve(batch, int(self.num_parts))

    def _solve(self, batch: Batch, num_parts: int) -> Fields:
        double = batch.window(0, 1).map(Tensor.double)
        state = self.normaliser.to_dimensionless(double)
        rate = self._rate(double)
        carried = self._carried(double, state, rate, num_parts)
        changes = {
            name: carried[name] - state.fields[name] if name in carried
            else self._still(name, double, state, rate)
            for name in self._names
        }
        found = self.normaliser.to_physical(changes, state)
        return {name: field.to(batch.time_step.dtype) for name, field in found.items()}

    def _carried(
        self, batch: Batch, state: DimensionlessState, rate: Tensor | None, num_parts: int
    ) -> dict[str, Tensor]:
        """The fields that a flow carries after one step, dimensionless."""
        frame = self._frame
        if frame is None:
            return {}
        scheme = _scheme(frame, batch.geometry)
        if rate is not None and scheme == "muscl_hancock":
            return {frame.velocity: _along_a_line(batch, state, frame, rate)}
        if rate is not None and scheme == "pseudo_spectral":
            return _on_a_plane(batch, state, frame, rate)
        rates = {} if rate is None else dict.fromkeys(frame.transported, rate)
        return carried_fields(batch, state, frame, num_parts, rates)

    def _still(self, name: str, batch: Batch, state: DimensionlessState, rate: Tensor | None) -> Tensor:
        """The change of a field that nothing carries."""
        field, frame = state.fields[name], self._frame
        is_forced = frame is not None and forced_field(frame) == name
        source = forced_change(batch, state, frame) if frame is not None and is_forced else torch.zeros_like(field)
        return source if rate is None else exponential_change(field, source, rate)

    def _rate(self, batch: Batch) -> Tensor | None:
        """What diffusion does to the waves of every field in one step, on a periodic domain."""
        if not all(batch.geometry.is_periodic):
            return None
        numbers = [self.factor * one for one in diffusion_numbers(self.problem, batch).values()]
        waves = waves_of(batch)
        return diffusion_rate(waves, numbers).expand(batch.size, 1, *waves.shape[:-1])

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


def _scheme(frame: FrameSpec, geometry: GridGeometry) -> Scheme:
    if not all(geometry.is_periodic):
        return "semi_lagrangian"
    if geometry.num_dimensions == 1 and frame.transported == (frame.velocity,) and frame.forcing is None:
        return "muscl_hancock"
    return "pseudo_spectral" if frame.vorticity in frame.transported else "semi_lagrangian"


def _along_a_line(batch: Batch, state: DimensionlessState, frame: FrameSpec, rate: Tensor) -> Tensor:
    name, field = frame.velocity, state.fields[frame.velocity]
    cells = cells_per_step(physical_field(name, field, state), batch, state)
    change = burgers_step(cells[:, 0], rate[:, 0])[:, None] - cells
    ratio = batch.time_step.reshape(-1, 1, 1) / state.geometry.cell_size[0]
    return field + change / (ratio * state.scale[name]).clamp_min(TINY)


def _on_a_plane(batch: Batch, state: DimensionlessState, frame: FrameSpec, rate: Tensor) -> dict[str, Tensor]:
    names = sorted(frame.transported, key=lambda name: name != frame.vorticity)
    fields = [physical_field(name, state.fields[name], state) for name in names]
    sources = [torch.zeros_like(field) for field in fields]
    if frame.forcing is not None:
        sources[0] = forced_change(batch, state, frame) * state.scale[names[0]]
    mean = spatial_mean(physical_field(frame.velocity, state.fields[frame.velocity], state))
    waves = 2 * math.pi * wavevectors(fields[0].shape[2:], state.geometry.domain_extent).to(rate)
    found = vorticity_step(
        torch.cat(fields, 1), mean.flatten(1), torch.cat(sources, 1), rate, waves, batch.time_step)
    parts = found.split([field.shape[1] for field in fields], dim=1)
    return {name: (part - state.offset[name]) / state.scale[name] for name, part in zip(names, parts, strict=True)}

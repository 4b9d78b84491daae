"""Small problems of each number of dimensions, batches of smooth states of them, and emulators trained a little."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ups_models.batch import Batch
from ups_models.checkpoint import EmulatorDescription, build_emulator
from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractEmulator, AbstractStage
from ups_models.problem import FieldSpec, FrameSpec, ParameterSpec, Problem
from ups_models.stages.operator import Operator
from ups_models.stages.supervised import Supervised, SupervisedConfig

SHAPES = {1: (32,), 2: (16, 16), 3: (8, 8, 8)}
VISCOSITY = ParameterSpec(powers=(2, -1), log_centre=-2.0)
VISCOSITIES = (0.03, 0.003)
LENGTHS = (1.0, 1.5, 0.75)
"""Of the axes: no square, so that no axis can be taken for another."""
SMALL_SETTINGS: dict[tuple[str, str], dict[str, Any]] = {("fno", "burgers3d"): {"num_modes": [8, 8, 6], "width": 16}}
"""Where the default sizes are slow; all others are the defaults."""


def burgers(num_dimensions: int) -> Problem:
    """A velocity alone, Galilean invariant, its mean conserved."""
    velocity = FieldSpec(num_components=num_dimensions, powers=(1, -1))
    frame = FrameSpec(velocity="u", is_galilean_invariant=True, transported=("u",), conserved_means=("u",),
                      dissipated=("u",) if num_dimensions == 1 else ())
    return Problem(
        num_dimensions=num_dimensions, time_step=0.1, fields={"u": velocity}, parameters={"viscosity": VISCOSITY},
        frame=frame)  # fmt: skip


def navier_stokes() -> Problem:
    """Velocity, vorticity and a passive tracer under a constant force, in 2D."""
    fields = {
        "velocity": FieldSpec(num_components=2, powers=(1, -1)),
        "vorticity": FieldSpec(num_components=1, powers=(0, -1)),
        "tracer": FieldSpec(num_components=1, powers=(0, 0)),
        "force": FieldSpec(num_components=2, powers=(1, -2), is_constant=True),
    }
    conserved = ("vorticity", "tracer")
    frame = FrameSpec(velocity="velocity", forcing="force", transported=conserved, conserved_means=conserved,
                      vorticity="vorticity", dissipated=("tracer",), linear=("tracer",))
    return Problem(num_dimensions=2, time_step=0.1, fields=fields, parameters={"viscosity": VISCOSITY}, frame=frame)


PROBLEMS = {"burgers1d": burgers(1), "navier_stokes2d": navier_stokes(), "burgers3d": burgers(3)}


def small_batch(dataset: str, size: int = 3, num_frames: int = 2, seed: int = 0, end: str = "periodic") -> Batch:
    """Smooth random states that decay and drift from frame to frame; every boundary is of the kind `end`."""
    problem, generator = PROBLEMS[dataset], torch.Generator().manual_seed(seed)
    shape = SHAPES[problem.num_dimensions]
    fields, constants = {}, {}
    for name, spec in problem.fields.items():
        state = smooth_field(shape, size * spec.num_components, generator)
        state = state.reshape(size, spec.num_components, *shape).movedim(1, -1)
        if spec.is_constant:
            constants[name] = state
        else:
            fields[name] = torch.stack([0.9**t * state.roll(t, 1) for t in range(num_frames)], dim=1)
    viscosity = torch.tensor([VISCOSITIES[sample % 2] for sample in range(size)])
    extent = tuple((0.0, length) for length in LENGTHS[: len(shape)])
    geometry = GridGeometry(shape, extent, ((end, end),) * len(shape))
    return Batch(dataset, geometry, fields, constants, {"viscosity": viscosity}, torch.full((size,), 0.1))


def smooth_field(shape: tuple[int, ...], count: int, generator: torch.Generator) -> Tensor:
    """(count, *shape) of rms 1 about a mean of 0.2, wavenumbers below 4."""
    field = torch.randn(count, *shape, generator=generator)
    axes = tuple(range(1, field.ndim))
    waves = torch.meshgrid(*(torch.fft.fftfreq(cells, 1 / cells) for cells in shape), indexing="ij")
    is_kept = torch.stack([wave.abs() < 4 for wave in waves]).all(0)
    field = torch.fft.ifftn(torch.fft.fftn(field, dim=axes) * is_kept, dim=axes).real
    return field / field.square().mean(axes, keepdim=True).sqrt() + 0.2


def untrained(name: str, dataset: str, frame: str = "declared", prediction: str = "residual", **settings: Any
              ) -> tuple[AbstractEmulator, EmulatorDescription]:  # fmt: skip
    """An emulator that knows its dataset's statistics, and its description; `fit` has been called."""
    torch.manual_seed(0)
    problems = {dataset: settings.pop("problem", PROBLEMS[dataset])}
    settings = {**SMALL_SETTINGS.get((name, dataset), {}), **settings}
    description = EmulatorDescription.model_validate(
        {"emulator": name, "frame": frame, "prediction": prediction, "settings": settings, "problems": problems})
    emulator = build_emulator(description)
    pairs = small_batch(dataset, size=8, seed=5)
    fields = {**{key: field[:, 0] for key, field in pairs.fields.items()}, **pairs.constant_fields}
    means = {key: field.flatten(0, -2).mean(0) for key, field in fields.items()}
    stds = {key: field.flatten(0, -2).std(0) for key, field in fields.items()}
    emulator.normaliser.set_statistics(dataset, means, stds)
    emulator.fit(pairs, pairs)
    return emulator, description


def trained(name: str, dataset: str, frame: str = "declared", prediction: str = "residual", **settings: Any
            ) -> AbstractEmulator:  # fmt: skip
    """An emulator after three optimiser steps on noisy weights, so that no part of it is at its initial value."""
    emulator, _ = untrained(name, dataset, frame, prediction, **settings)
    if is_trainable(name):
        perturb(emulator)
        stage, batch = own_stage(name), small_batch(dataset, seed=6)
        optimiser = torch.optim.AdamW(emulator.parameters(), lr=1e-3)
        for _ in range(3):
            optimiser.zero_grad()
            total(stage.loss(emulator, batch, 0.0, torch.Generator())).backward()
            optimiser.step()
    return emulator.eval()


def own_stage(name: str) -> AbstractStage:
    """The first stage of an emulator's training."""
    return Operator(SupervisedConfig()) if name == "universal" else Supervised(SupervisedConfig())


def perturb(emulator: AbstractEmulator, size: float = 0.02) -> None:
    """Add noise to every parameter: a head that starts at zero hides all that stands before it."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in emulator.parameters():
            parameter.add_(size * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))


def total(terms: Mapping[str, Tensor]) -> Tensor:
    """The sum of a stage's terms."""
    return torch.stack(list(terms.values())).sum()


def is_trainable(name: str) -> bool:
    """Whether an emulator has parameters that a gradient moves."""
    problems = {"burgers1d": PROBLEMS["burgers1d"]}
    description = EmulatorDescription(emulator=name, frame="standard", prediction="residual", problems=problems)
    return any(True for _ in build_emulator(description).parameters())


def selected(batch: Batch, *samples: int) -> Batch:
    """Some samples of a batch."""
    return batch.map(lambda tensor: tensor[list(samples)])


def shifted(batch: Batch, cells: int) -> Batch:
    """The batch moved by `cells` along every axis."""
    axes = batch.geometry.num_dimensions
    fields = {name: field.roll((cells,) * axes, tuple(range(2, 2 + axes))) for name, field in batch.fields.items()}
    constants = {
        name: field.roll((cells,) * axes, tuple(range(1, 1 + axes))) for name, field in batch.constant_fields.items()}
    return replace(batch, fields=fields, constant_fields=constants)


def rescaled(batch: Batch, problem: Problem, length: float, time: float, linear: float = 1.0) -> Batch:
    """The same physics in a world `length` times as large and `time` times as slow, linear fields `linear` times."""
    def factor(name: str) -> float:
        powers = problem.fields[name].powers
        assert powers is not None and problem.frame is not None
        own = linear if name in problem.frame.linear else 1.0
        return own * length ** powers[0] * time ** powers[1]
    viscosity = batch.parameters["viscosity"] * length**2 / time
    return Batch(
        batch.dataset, batch.geometry.scaled(length),
        {name: field * factor(name) for name, field in batch.fields.items()},
        {name: field * factor(name) for name, field in batch.constant_fields.items()},
        {"viscosity": viscosity}, batch.time_step * time)  # fmt: skip

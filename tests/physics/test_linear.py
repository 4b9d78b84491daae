"""The linear emulator recovers linear operators exactly, and is a reference worth having on nonlinear data."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ups_models.baselines.linear import Linear, LinearConfig
from ups_models.batch import Batch
from ups_models.errors import ModelError
from ups_models.geometry import GridGeometry
from ups_models.normaliser import Normaliser
from ups_models.problem import FieldSpec, ParameterSpec, Problem
from upsctl.data.problems import problem_of
from upsctl.interfaces import TrajectoryPlan
from upsctl.profile_reader import load_profile
from upsctl.recipes.burgers import BurgersRecipe
from upsctl.sample import Sample

DIFFUSIVITIES = (0.001, 0.02)
VELOCITY = 0.7
TIME_STEP = 0.1


def advance_exactly(waves: list[Tensor], diffusivity: Tensor, state: Tensor, source: Tensor) -> Tensor:
    """u_t + VELOCITY u_x = nu lap u, the components also turn into one another; the source is added each step."""
    square = sum((wave.square() for wave in waves), torch.zeros(()))
    nyquist = waves[0].abs().max()
    phase = VELOCITY * waves[0] * TIME_STEP
    transport = torch.where(waves[0].abs() < nyquist, torch.exp(-1j * phase), torch.cos(phase).to(torch.complex128))
    factor = transport * torch.exp(-diffusivity * square * TIME_STEP)
    turned = torch.stack([0.8 * state[0] - 0.6 * state[1], 0.6 * state[0] + 0.8 * state[1]])
    return factor * turned + 0.1 * source


def linear_frames(shape: tuple[int, ...], size: int, num_frames: int, seed: int) -> Batch:
    """Trajectories of `advance_exactly` from white noise, every wavenumber of the grid included, in float32."""
    generator = torch.Generator().manual_seed(seed)
    space = tuple(range(1, len(shape) + 1))
    waves = list(torch.meshgrid(*(2 * math.pi * torch.fft.fftfreq(n, 1 / n).double() for n in shape), indexing="ij"))
    diffusivity = torch.tensor([DIFFUSIVITIES[sample % 2] for sample in range(size)])
    states, sources = [], []
    for sample in range(size):
        frames = [torch.randn(2, *shape, generator=generator, dtype=torch.float64)]
        source = torch.randn(2, *shape, generator=generator, dtype=torch.float64) + 0.5
        for _ in range(num_frames - 1):
            spectra = (torch.fft.fftn(field, dim=space) for field in (frames[-1], source))
            following = torch.fft.ifftn(advance_exactly(waves, diffusivity[sample].double(), *spectra), dim=space)
            assert following.imag.abs().max() < 1e-12
            frames.append(following.real)
        states.append(torch.stack(frames).movedim(1, -1).float())
        sources.append(source.movedim(0, -1).float())
    geometry = GridGeometry(shape, ((0.0, 1.0),) * len(shape), (("periodic", "periodic"),) * len(shape))
    return Batch("toy", geometry, {"u": torch.stack(states)}, {"source": torch.stack(sources)},
                 {"diffusivity": diffusivity}, torch.full((size,), TIME_STEP))  # fmt: skip


def toy_linear(num_dimensions: int, prediction: str = "residual") -> Linear:
    """Untrained, with statistics that are not those of the data: an affine map must not mind."""
    fields = {"u": FieldSpec(num_components=2), "source": FieldSpec(num_components=2, is_constant=True)}
    problem = Problem(num_dimensions=num_dimensions, time_step=TIME_STEP, fields=fields,
                      parameters={"diffusivity": ParameterSpec()})  # fmt: skip
    normaliser = Normaliser({"toy": problem}, "standard", prediction)  # type: ignore[arg-type]
    mean, std = torch.tensor([0.3, -0.2]), torch.tensor([2.0, 2.0])
    normaliser.set_statistics("toy", {"u": mean, "source": mean}, {"u": std, "source": std})
    return Linear({"toy": problem}, LinearConfig(), normaliser)


@pytest.mark.parametrize("prediction", ["residual", "direct"])
@pytest.mark.parametrize("shape", [(16,), (15,), (8, 6), (7, 9), (4, 4, 6)])
def test_recovers_advection_and_diffusion_of_every_wavenumber(shape: tuple[int, ...], prediction: str) -> None:
    emulator = toy_linear(len(shape), prediction)
    emulator.fit(linear_frames(shape, 60, 2, seed=0), linear_frames(shape, 10, 2, seed=1))
    truth = linear_frames(shape, 4, 6, seed=2)
    torch.testing.assert_close(emulator.predict(truth, 5)["u"], truth.fields["u"][:, 1:], rtol=0, atol=2e-5)


def test_takes_the_map_of_the_nearest_parameter_in_the_logarithm() -> None:
    emulator = toy_linear(1)
    emulator.fit(linear_frames((16,), 60, 2, seed=0), linear_frames((16,), 10, 2, seed=1))
    batch = linear_frames((16,), 2, 2, seed=2)
    between = batch.parameters["diffusivity"] * torch.tensor([4.0, 1 / 4])  # the middle is a factor of 4.5 away
    moved = replace(batch, parameters={"diffusivity": between})
    torch.testing.assert_close(emulator.step(moved), emulator.step(batch))


def test_increment_grows_with_the_time_step() -> None:
    emulator = toy_linear(1)
    emulator.fit(linear_frames((16,), 60, 2, seed=0), linear_frames((16,), 10, 2, seed=1))
    batch = linear_frames((16,), 2, 1, seed=2)
    half = emulator.step(replace(batch, time_step=batch.time_step / 2))["u"] - batch.fields["u"]
    torch.testing.assert_close(2 * half, emulator.step(batch)["u"] - batch.fields["u"], rtol=1e-5, atol=1e-6)


def test_ridge_is_the_one_that_helps_the_validation_pairs() -> None:
    """Few noisy pairs, so that hardly any ridge fits noise."""
    emulator = toy_linear(1)
    clean, valid = linear_frames((16,), 12, 2, seed=0), linear_frames((16,), 40, 2, seed=1)
    noise = torch.randn(clean.fields["u"].shape, generator=torch.Generator().manual_seed(3))
    noisy = clean.with_fields({"u": clean.fields["u"] + 0.3 * noise})
    emulator.fit(noisy, valid)
    chosen = one_step_error(emulator, valid)
    errors = []
    for ridge in LinearConfig().ridges:
        alone = Linear({"toy": emulator.problem}, LinearConfig(ridges=(ridge,)), toy_linear(1).normaliser)  # type: ignore[arg-type]
        alone.fit(noisy, valid)
        errors.append(one_step_error(alone, valid))
    assert chosen == pytest.approx(min(errors), rel=1e-3)
    assert chosen < 0.9 * errors[0]


def test_says_which_grid_it_knows() -> None:
    emulator, batch = toy_linear(1), linear_frames((16,), 12, 2, seed=0)
    with pytest.raises(ModelError, match=r"expected the grid of its fit, \(\)"):
        emulator.step(batch)
    emulator.fit(batch, batch)
    with pytest.raises(ModelError, match=r"\(16,\), got \(32,\)"):
        emulator.step(linear_frames((32,), 2, 1, seed=0))


def test_many_parameter_values_share_maps() -> None:
    """A continuous parameter: as many maps as the config allows, each from the samples nearest to its value."""
    emulator, batch = toy_linear(1), linear_frames((16,), 60, 2, seed=0)
    spread = torch.logspace(-3, -2, 60)
    emulator.fit(replace(batch, parameters={"diffusivity": spread}), batch)
    assert len(emulator.maps) == LinearConfig().max_maps


def one_step_error(emulator: Linear, pairs: Batch) -> float:
    """The mean over samples of the squared relative error of the next frame."""
    square = (emulator.step(pairs)["u"] - pairs.fields["u"][:, 1:2]).square().flatten(1).mean(1)
    return float((square / pairs.fields["u"][:, 1].square().flatten(1).mean(1)).mean())


def burgers_batch(samples: list[Sample], dataset: str) -> Batch:
    fields = torch.stack([torch.from_numpy(sample.domain.fields["u"]).float() for sample in samples])
    viscosity = torch.tensor([sample.parameters["viscosity"] for sample in samples])
    geometry = GridGeometry(fields.shape[2:3], ((0.0, 1.0),), (("periodic", "periodic"),))
    return Batch(dataset, geometry, {"u": fields}, {}, {"viscosity": viscosity}, torch.full((len(samples),), 0.2))


def pairs_of(batch: Batch) -> Batch:
    """All windows of two frames."""
    count = batch.num_frames - 1
    windows = torch.cat([batch.fields["u"][:, start : start + 2] for start in range(count)])
    return replace(batch.map(lambda tensor: torch.cat([tensor] * count)), fields={"u": windows})


def test_beats_persistence_and_stays_bounded_on_the_tiny_burgers_set() -> None:
    card = load_profile("datasets", "burgers1d_tiny_v1").profile
    recipe, plans = BurgersRecipe(), list(BurgersRecipe().plan(card))

    def solved(split: str) -> Batch:
        chosen: list[TrajectoryPlan] = [plan for plan in plans if plan.split == split]
        return burgers_batch([recipe.solve(card, plan) for plan in chosen], card.name)

    train, valid, test = solved("train"), solved("valid"), solved("test")
    normaliser = Normaliser({card.name: problem_of(card)}, "declared", "residual")
    state = train.fields["u"]
    normaliser.set_statistics(card.name, {"u": state.mean().reshape(1)}, {"u": state.std().reshape(1)})
    emulator = Linear({card.name: problem_of(card)}, LinearConfig(), normaliser)
    emulator.fit(pairs_of(train), pairs_of(valid))
    assert one_step_error(emulator, pairs_of(test)) < 0.7 * persistence_error(pairs_of(test))
    rollout = emulator.predict(test, 100)["u"]
    assert rollout.abs().max() < 2 * test.fields["u"].abs().max()


def persistence_error(pairs: Batch) -> float:
    square = (pairs.fields["u"][:, 0] - pairs.fields["u"][:, 1]).square().flatten(1).mean(1)
    return float((square / pairs.fields["u"][:, 1].square().flatten(1).mean(1)).mean())

"""The Navier-Stokes recipe against Taylor and Green's solution, its balances, its order and what its cards promise."""

from functools import cache

import numpy as np
import pytest

from upsctl.dataset_card import DatasetCard, RecipeSource
from upsctl.errors import ProfileError
from upsctl.profile_reader import load_profile
from upsctl.recipes.navier_stokes import (
    NavierStokesRecipe,
    NavierStokesSettings,
    Wavenumbers,
    advance,
    build_wavenumbers,
    draw_initial_state,
    mean_square,
    resample,
    solve_frames,
    to_coefficients,
    to_points,
    velocity_of,
)
from upsctl.sample import Sample

CARDS = ("navier_stokes2d_tiny_v1", "navier_stokes2d_subset_v1")


def read_card(name: str) -> DatasetCard:
    return load_profile("datasets", name).profile


def read_settings(card: DatasetCard) -> NavierStokesSettings:
    assert isinstance(card.source, RecipeSource)
    return NavierStokesSettings.model_validate(card.source.settings)


@cache
def solve_test_trajectory(name: str, viscosity: float, number: int) -> Sample:
    """A test trajectory, counted within its viscosity."""
    card, recipe = read_card(name), NavierStokesRecipe()
    plans = [plan for plan in recipe.plan(card) if plan.split == "test" and plan.parameters["viscosity"] == viscosity]
    return recipe.solve(card, plans[number])


def smallest_viscosity_samples(name: str) -> tuple[Sample, ...]:
    smallest = min(read_card(name).parameters["viscosity"].values)
    return tuple(solve_test_trajectory(name, smallest, number) for number in range(2))


def draw_case(num_points: int, seed: int) -> tuple[np.ndarray, np.ndarray, Wavenumbers]:
    """A state, the curl of a force and the wavenumbers, in double."""
    settings = read_settings(read_card("navier_stokes2d_subset_v1"))
    waves = build_wavenumbers(num_points, 1.0, "double")
    return *draw_initial_state((seed,), settings, waves), waves


def root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values.astype(np.float64) ** 2)))


def relative_error(prediction: np.ndarray, target: np.ndarray) -> float:
    return root_mean_square(prediction - target) / root_mean_square(target)


def measure_turnovers(name: str) -> float:
    """The fewest, over the first test trajectory of each viscosity: time x rms velocity over the domain's extent."""
    card = read_card(name)
    samples = [solve_test_trajectory(name, value, 0) for value in card.parameters["viscosity"].values]
    duration, length = card.time.dt * (card.time.num_frames - 1), card.axes[0].high - card.axes[0].low
    speeds = [np.sqrt(np.mean(np.sum(sample.domain.fields["velocity"] ** 2, axis=-1))) for sample in samples]
    return float(min(speeds)) * duration / length


def measure_persistence(name: str, field: str) -> float:
    """nRMSE of the first frame as a forecast of the last: the smaller of two test trajectories, smallest viscosity."""
    arrays = [sample.domain.fields[field] for sample in smallest_viscosity_samples(name)]
    return min(relative_error(values[0], values[-1]) for values in arrays)


def solve_coarsely(sample: Sample, card: DatasetCard, num_points: int) -> np.ndarray:
    """(num_points, num_points) vorticity at the last frame from the stored first frame and force, truncated."""
    waves = build_wavenumbers(num_points, 1.0, "double")

    def truncate(values: np.ndarray) -> np.ndarray:
        coefficients = resample(to_coefficients(values.astype(np.float64), num_points), num_points)
        return coefficients[..., : waves.i_ky.size] * waves.is_kept

    fields, force = sample.domain.fields, np.moveaxis(sample.domain.constant_fields["force"], -1, 0)
    state = truncate(np.stack([fields["vorticity"][0, ..., 0], fields["tracer"][0, ..., 0]]))
    curl = waves.i_kx * truncate(force[1]) - waves.i_ky * truncate(force[0])
    viscosity, settings = sample.parameters["viscosity"], read_settings(card)
    *_, last = solve_frames(state, curl, viscosity, 1.0, card.time.dt, card.time.num_frames, settings)
    return to_points(last[0])


def measure_coarse_solve(name: str) -> float:
    """Last-frame error of a solve on half the stored points, on these points: the smaller of two trajectories."""
    card = read_card(name)
    num_points = card.axes[0].num_cells // 2
    errors = []
    for sample in smallest_viscosity_samples(name):
        truth = sample.domain.fields["vorticity"][-1, ..., 0].astype(np.float64)
        kept = to_points(resample(to_coefficients(truth, num_points), num_points))
        errors.append(relative_error(solve_coarsely(sample, card, num_points), kept))
    return min(errors)


@cache
def measure_order() -> float:
    """Order in the time step of the state after 0.4 s at viscosity 1e-3, on 48 points."""
    state, curl, waves = draw_case(48, 3)
    exact = advance(state, curl, 1e-3, waves, 0.4, 64)
    errors = [mean_square(advance(state, curl, 1e-3, waves, 0.4, steps) - exact) for steps in (4, 8)]
    return float(np.log2(errors[0] / errors[1]) / 2)


@cache
def measure_taylor_green_error() -> float:
    """Relative error of the vortices 0.5 s later: their shape stays, their amplitude decays as exp(-2 k^2 nu t)."""
    waves = build_wavenumbers(32, 1.0, "double")
    x = np.arange(32) / 32
    vortices = np.sin(2 * np.pi * x)[:, None] * np.sin(2 * np.pi * x)[None]
    state = to_coefficients(np.stack([vortices, np.cos(2 * np.pi * x)[:, None] * np.ones(32)]), waves.i_ky.size)
    later = advance(state, np.zeros_like(state[0]), 0.01, waves, 0.5, 50)
    exact = vortices * np.exp(-2 * (2 * np.pi) ** 2 * 0.01 * 0.5)
    return relative_error(to_points(later[0]), exact)


def spectral_derivatives(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """d/dx and d/dy of (N, N) values on the unit square."""
    waves = 2j * np.pi * np.fft.fftfreq(values.shape[0], 1 / values.shape[0])
    transformed = np.fft.fft2(values.astype(np.float64))
    return np.fft.ifft2(waves[:, None] * transformed).real, np.fft.ifft2(waves[None] * transformed).real


def measure_divergence(name: str) -> float:
    """The largest |div u| of the stored last frames over the rms of their vorticity."""
    largest = 0.0
    for sample in smallest_viscosity_samples(name):
        velocity, vorticity = (sample.domain.fields[field][-1] for field in ("velocity", "vorticity"))
        divergence = spectral_derivatives(velocity[..., 0])[0] + spectral_derivatives(velocity[..., 1])[1]
        largest = max(largest, float(np.abs(divergence).max()) / root_mean_square(vorticity))
    return largest


@pytest.mark.parametrize("name", CARDS)
def test_flow_is_as_hard_as_the_card_says(name: str) -> None:
    checks = read_card(name).checks
    assert measure_turnovers(name) == pytest.approx(checks["turnovers"], rel=0.01)
    for field in ("velocity", "vorticity", "tracer"):
        promised = checks[f"persistence_last_frame_nrmse_{field}"]
        assert measure_persistence(name, field) == pytest.approx(promised, rel=0.01)
    assert measure_coarse_solve(name) == pytest.approx(checks["coarse_solve_vorticity_error"], rel=0.02)


def test_subset_cannot_be_forecast_by_persistence_or_by_a_coarse_solver() -> None:
    checks = read_card("navier_stokes2d_subset_v1").checks
    assert checks["turnovers"] > 2
    assert min(checks[f"persistence_last_frame_nrmse_{field}"] for field in ("velocity", "vorticity", "tracer")) > 0.8
    assert checks["coarse_solve_vorticity_error"] > 0.2


@pytest.mark.parametrize("name", CARDS)
def test_method_has_the_cards_order_and_decay(name: str) -> None:
    checks = read_card(name).checks
    assert measure_order() == pytest.approx(checks["order_of_convergence"], abs=0.05)
    assert measure_order() > 3.8
    assert measure_taylor_green_error() < 1e-12


@pytest.mark.parametrize("name", CARDS)
def test_stored_velocity_has_no_divergence_and_the_stored_vorticity(name: str) -> None:
    assert measure_divergence(name) < 2e-5  # round-off of single precision, times wavenumbers up to the Nyquist one
    for sample in smallest_viscosity_samples(name):
        velocity, vorticity = (sample.domain.fields[field][-1] for field in ("velocity", "vorticity"))
        curl = spectral_derivatives(velocity[..., 1])[0] - spectral_derivatives(velocity[..., 0])[1]
        assert relative_error(curl, vorticity[..., 0]) < 1e-5


@pytest.mark.parametrize("name", CARDS)
def test_force_is_constant_without_divergence_or_mean_and_differs_by_trajectory(name: str) -> None:
    low, high = read_settings(read_card(name)).force_rms
    forces = [sample.domain.constant_fields["force"] for sample in smallest_viscosity_samples(name)]
    for force in forces:
        divergence = spectral_derivatives(force[..., 0])[0] + spectral_derivatives(force[..., 1])[1]
        assert np.abs(divergence).max() < 1e-5
        assert np.abs(force.mean(axis=(0, 1))).max() < 1e-8
        assert low <= np.sqrt(2) * root_mean_square(force) <= high
    assert relative_error(forces[0], forces[1]) > 0.5


@pytest.mark.parametrize("name", CARDS)
def test_means_of_stored_fields_stay_zero(name: str) -> None:
    for sample in smallest_viscosity_samples(name):
        for values in sample.domain.fields.values():
            assert np.abs(values.astype(np.float64).mean(axis=(1, 2))).max() < 1e-6


def test_energy_budget_closes() -> None:
    """d/dt <u^2>/2 = <u f> - nu <w^2>, and d/dt <c^2>/2 = -nu <|grad c|^2>, in central differences of 4th order."""
    state, curl, waves = draw_case(64, 4)
    viscosity, gap = 2e-3, 0.01
    frames = [advance(state, curl, viscosity, waves, 0.2, 20)]
    for _ in range(4):
        frames.append(advance(frames[-1], curl, viscosity, waves, gap, 4))
    weights = np.array([1, -8, 0, 8, -1]) / (12 * gap)
    energy = weights @ [0.5 * mean_square(velocity_of(frame[0], waves)) for frame in frames]
    variance = weights @ [0.5 * mean_square(frame[1]) for frame in frames]
    middle, velocity, force = frames[2], velocity_of(frames[2][0], waves), velocity_of(curl, waves)
    supplied = 2 * np.mean(to_points(velocity) * to_points(force))
    dissipated = viscosity * mean_square(middle[0])
    gradient = viscosity * mean_square(np.stack([waves.i_kx * middle[1], waves.i_ky * middle[1]]))
    assert energy == pytest.approx(supplied - dissipated, rel=1e-6)
    assert variance == pytest.approx(-gradient, rel=1e-6)
    assert abs(supplied) > 0.1 * dissipated  # neither side of the budget is idle


def test_means_are_conserved_to_round_off() -> None:
    state, curl, waves = draw_case(32, 5)
    state[1, 0, 0] = 0.7
    later = advance(state, curl, 1e-3, waves, 0.5, 40)
    assert abs(later[1, 0, 0] - 0.7) < 1e-14
    assert abs(later[0, 0, 0]) < 1e-14


def test_tracer_is_passive_and_linear() -> None:
    state, curl, waves = draw_case(32, 6)
    scaled = state * np.array([1.0, 3.0])[:, None, None]
    later, scaled_later = (advance(one, curl, 1e-3, waves, 0.5, 40) for one in (state, scaled))
    np.testing.assert_allclose(scaled_later[0], later[0], atol=1e-14)
    np.testing.assert_allclose(scaled_later[1], 3 * later[1], atol=1e-12)


def test_shear_carries_the_tracer_downstream() -> None:
    """u = (sin 2 pi y, 0) without diffusion: c(x, y, t) = c(x - u t, y, 0)."""
    waves = build_wavenumbers(96, 1.0, "double")
    x, y = (np.arange(96) / 96)[:, None], (np.arange(96) / 96)[None]
    vorticity = -2 * np.pi * np.cos(2 * np.pi * y) + 0 * x
    state = to_coefficients(np.stack([vorticity, np.cos(2 * np.pi * x) + 0 * y]), waves.i_ky.size)
    later = to_points(advance(state, np.zeros_like(state[0]), 0.0, waves, 0.5, 100))
    np.testing.assert_allclose(later[1], np.cos(2 * np.pi * (x - 0.5 * np.sin(2 * np.pi * y))), atol=1e-6)
    np.testing.assert_allclose(later[0], vorticity, atol=1e-10)


def test_ideal_flow_keeps_energy_enstrophy_and_the_tracers_variance() -> None:
    """Without viscosity and force the modes that the 2/3 rule keeps conserve all three, whatever the cascade does."""
    state, curl, waves = draw_case(24, 9)
    later = advance(state, 0 * curl, 0.0, waves, 4.0, 1600)
    assert mean_square(later[0] - state[0]) > 0.1 * mean_square(state[0])
    for quantity in (lambda state: velocity_of(state[0], waves), lambda state: state[0], lambda state: state[1]):
        assert mean_square(quantity(later)) == pytest.approx(mean_square(quantity(state)), rel=1e-6)


def test_uniform_tracer_and_state_at_rest_stay_so() -> None:
    waves = build_wavenumbers(16, 1.0, "double")
    state = np.zeros((2, 16, waves.i_ky.size), complex)
    state[1, 0, 0] = 2.0
    np.testing.assert_array_equal(advance(state, state[0], 1e-3, waves, 1.0, 3), state)


def test_finer_points_change_nothing_once_the_flow_is_resolved() -> None:
    errors = []
    truth = None
    for num_points in (96, 48, 24):
        state, curl, waves = draw_case(num_points, 7)
        values = to_points(resample(advance(state, curl, 3e-3, waves, 1.5, 100), 16))
        truth = values if truth is None else truth
        errors.append(relative_error(values, truth))
    assert errors[1] < 1e-6
    assert errors[1] < 0.01 * errors[2]


def test_single_precision_follows_double_over_the_first_frames() -> None:
    state, curl, _ = draw_case(64, 8)
    settings = read_settings(read_card("navier_stokes2d_subset_v1"))
    double = settings.model_copy(update={"precision": "double"})
    frames = [list(solve_frames(state, curl, 1e-4, 1.0, 0.4, 3, one))[-1] for one in (settings, double)]
    assert relative_error(to_points(frames[0]), to_points(frames[1])) < 2e-6


def test_stored_points_keep_what_lies_below_their_nyquist_wavenumber() -> None:
    """A wave of 3 is kept; waves at and above the Nyquist wavenumber of 8 points are gone and alias nowhere."""
    num_columns = build_wavenumbers(48, 1.0, "double").i_ky.size
    x, coarse = np.arange(48) / 48, np.arange(8) / 8
    low, high = np.cos(2 * np.pi * 3 * x)[:, None], np.cos(2 * np.pi * 4 * x) + np.cos(2 * np.pi * 11 * x)
    expected = np.broadcast_to(np.cos(2 * np.pi * 3 * coarse)[:, None], (8, 8))
    for values, kept in ((low + high[None], expected), (low.T + high[:, None], expected.T)):
        stored = to_points(resample(to_coefficients(values, num_columns), 8))
        np.testing.assert_allclose(stored, kept, atol=1e-12)


@pytest.mark.parametrize(("key", "value"), [("num_points", 90), ("force_band", (1, 32))])
def test_card_that_stores_more_than_is_solved_is_refused(key: str, value: object) -> None:
    card = read_card("navier_stokes2d_subset_v1")
    assert isinstance(card.source, RecipeSource)
    source = card.source.model_copy(update={"settings": {**card.source.settings, key: value}})
    with pytest.raises(ProfileError, match="at least 3/2 of 64, and bands below 32"):
        NavierStokesRecipe().plan(card.model_copy(update={"source": source}))

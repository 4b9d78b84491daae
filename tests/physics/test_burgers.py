"""The Burgers recipe against Cole and Hopf's exact solution, its invariants and its initial states."""

from functools import cache

import numpy as np
import pytest

from upsctl.dataset_card import DatasetCard, RecipeSource
from upsctl.errors import ProfileError
from upsctl.profile_reader import load_profile
from upsctl.recipes.burgers import (
    BurgersRecipe,
    BurgersSettings,
    InitialState,
    average_over_cells,
    draw_initial_state,
    solve_frames,
)
from upsctl.sample import Sample

CARDS = ("burgers1d_tiny_v1", "burgers1d_subset_v1")
CHECKED_FRACTIONS = (0.1, 0.2, 0.5, 1.0)
"""Of the simulated time: where the solution is compared with the exact one."""


def read_card(name: str) -> DatasetCard:
    return load_profile("datasets", name).profile


def read_settings(card: DatasetCard) -> BurgersSettings:
    assert isinstance(card.source, RecipeSource)
    return BurgersSettings.model_validate(card.source.settings)


@cache
def first_test_samples(name: str) -> dict[float, Sample]:
    """The first test trajectory of each viscosity."""
    card, recipe = read_card(name), BurgersRecipe()
    plans = [plan for plan in recipe.plan(card) if plan.split == "test"]
    first = {plan.parameters["viscosity"]: plan for plan in reversed(plans)}
    return {viscosity: recipe.solve(card, plan) for viscosity, plan in first.items()}


def solve_cole_hopf(state: InitialState, num_cells: int, time: float, diffusivity: float) -> np.ndarray:
    """Exact cell averages (num_cells,) at `time` on the periodic unit interval.

    u = -2 D (ln phi)_x, so that a cell's average is a difference of ln phi between its faces; phi is the heat kernel
    applied to exp(-U / 2 D), U the antiderivative of the initial state, by the trapezoidal rule on the whole line.
    """
    num_points = 4096
    averages = average_over_cells(state, num_points)
    antiderivative = np.concatenate([[0.0], np.cumsum(averages)]) / num_points
    reach = np.abs(averages).max() * time + 10 * np.sqrt(2 * diffusivity * time)
    index = np.arange(np.floor(-reach * num_points), np.ceil((1 + reach) * num_points)).astype(int)
    periods, place = np.divmod(index, num_points)
    start = antiderivative[place] + antiderivative[-1] * periods
    log_phi = []
    for face in np.arange(num_cells + 1) / num_cells:
        exponent = -(start + (face - index / num_points) ** 2 / (2 * time)) / (2 * diffusivity)
        log_phi.append(exponent.max() + np.log(np.exp(exponent - exponent.max()).sum()))
    return -2 * diffusivity * num_cells * np.diff(log_phi)


def measure_cole_hopf_error(name: str, viscosity: float) -> float:
    """The largest error over the checked frames, over the rms of the first frame."""
    card, sample = read_card(name), first_test_samples(name)[viscosity]
    plan = next(plan for plan in BurgersRecipe().plan(card) if plan.trajectory_id == sample.trajectory_id)
    state, u = draw_initial_state(plan.seed, read_settings(card)), sample.domain.fields["u"][..., 0]
    errors = []
    for fraction in CHECKED_FRACTIONS:
        frame = round(fraction * (card.time.num_frames - 1))
        exact = solve_cole_hopf(state, u.shape[1], float(sample.times[frame]), viscosity / np.pi)
        errors.append(np.sqrt(np.mean((u[frame] - exact) ** 2)))
    return float(max(errors) / np.sqrt(np.mean(u[0] ** 2)))


def measure_order(settings: BurgersSettings) -> float:
    """Order in the cell size of the L2 error of a steepening wave of Nu = 0.1, a mean included, at time 0.1."""
    wave = InitialState(np.array([1, 0]), np.array([1.0, 0.3]), np.array([0.4, 1.0]), False, 1.0, None)
    exact = solve_cole_hopf(wave, 32, 0.1, 0.1 / np.pi)
    errors = []
    for num_cells in (settings.num_cells // 4, settings.num_cells):
        averages = average_over_cells(wave, num_cells)
        *_, last = solve_frames(averages, 1 / num_cells, 0.1 / np.pi, 0.1, 2, settings)
        errors.append(np.linalg.norm(last.reshape(32, -1).mean(axis=1) - exact))
    return float(np.log2(errors[0] / errors[1]) / 2)


@pytest.mark.parametrize("name", CARDS)
def test_error_against_cole_hopf_is_the_cards(name: str) -> None:
    card = read_card(name)
    for viscosity in card.parameters["viscosity"].values:
        error = measure_cole_hopf_error(name, viscosity)
        assert error == pytest.approx(card.checks[f"cole_hopf_error_{viscosity:g}"], rel=0.02)
        assert error < 0.01


@pytest.mark.parametrize("name", CARDS)
def test_order_of_convergence_is_the_cards(name: str) -> None:
    card = read_card(name)
    order = measure_order(read_settings(card))
    assert order == pytest.approx(card.checks["order_of_convergence"], abs=0.02)
    assert order > 1.9


@pytest.mark.parametrize("name", CARDS)
def test_mean_is_conserved_and_total_variation_does_not_grow(name: str) -> None:
    for sample in first_test_samples(name).values():
        u = sample.domain.fields["u"][..., 0].astype(np.float64)
        assert np.ptp(u.mean(axis=1)) < 1e-7 * np.abs(u[0]).max()
        variation = np.abs(u - np.roll(u, 1, axis=1)).sum(axis=1)
        assert np.diff(variation).max() < 1e-6 * variation[0]


def test_solver_conserves_the_mean_to_round_off_of_double() -> None:
    settings = read_settings(read_card("burgers1d_tiny_v1"))
    averages = average_over_cells(draw_initial_state((1, 2), settings), settings.num_cells)
    means = [frame.mean() for frame in solve_frames(averages, 1 / averages.size, 1e-3, 0.2, 6, settings)]
    assert np.ptp(means) < 1e-14


def test_boosted_state_gives_the_boosted_solution() -> None:
    """By a speed that moves the frame by whole cells, and by one that does not move the grid as a whole."""
    settings = read_settings(read_card("burgers1d_tiny_v1"))
    state = average_over_cells(draw_initial_state((1, 3), settings), 512)
    *_, rest = solve_frames(state, 1 / 512, 1e-3, 0.125, 3, settings)
    *_, boosted = solve_frames(state + 0.5, 1 / 512, 1e-3, 0.125, 3, settings)
    np.testing.assert_allclose(boosted, np.roll(rest, 64) + 0.5, atol=1e-10)


def test_shock_moves_at_the_mean_of_its_two_sides() -> None:
    """A nearly inviscid step from 1 down to 0 (Rankine and Hugoniot: speed 1/2)."""
    settings = read_settings(read_card("burgers1d_tiny_v1"))
    step = np.where(np.arange(512) < 256, 1.0, 0.0)
    *_, last = solve_frames(step, 1 / 512, 1e-6, 0.2, 2, settings)
    centres = (np.arange(512) + 0.5) / 512
    above = centres[(last > 0.5) & (centres > 0.3)]
    assert above.max() == pytest.approx(0.5 + 0.5 * 0.2, abs=2 / 512)


@cache
def many_initial_states() -> tuple[InitialState, ...]:
    settings = read_settings(read_card("burgers1d_subset_v1"))
    return tuple(draw_initial_state((7, number), settings) for number in range(4000))


def test_two_draws_among_four_modes_the_same_mode_twice_is_its_double() -> None:
    counts: dict[tuple[int, ...], int] = {}
    for state in many_initial_states():
        waves = tuple(int(number) for number in state.wavenumbers if number)
        counts[waves] = counts.get(waves, 0) + 1
    doubled = {waves: count for waves, count in counts.items() if len(waves) == 1}
    assert set(doubled) == {(2,), (4,), (6,), (8,)}
    assert set(counts) - set(doubled) == {(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)}
    assert all(count / 4000 == pytest.approx(1 / 16, abs=0.015) for count in doubled.values())
    assert sum(doubled.values()) / 4000 == pytest.approx(1 / 4, abs=0.03)


def test_shares_of_rectified_windowed_and_flipped_states() -> None:
    states = many_initial_states()
    assert np.mean([state.is_rectified for state in states]) == pytest.approx(0.1, abs=0.02)
    assert np.mean([state.window is not None for state in states]) == pytest.approx(0.1, abs=0.02)
    assert np.mean([state.sign for state in states]) == pytest.approx(0.0, abs=0.06)


def test_undrawn_modes_leave_a_mean() -> None:
    plain = [state for state in many_initial_states() if not state.is_rectified and state.window is None]
    for state in plain[:50]:
        constant = (state.amplitudes * np.sin(state.phases))[state.wavenumbers == 0].sum()
        assert average_over_cells(state, 64).mean() == pytest.approx(state.sign * constant, abs=1e-12)
    means = [average_over_cells(state, 64).mean() for state in plain[:500]]
    assert np.mean(np.abs(means) > 0.05) > 0.8
    # two or three terms of variance E[A^2] E[sin^2] = 1/6 each, three with probability 1/4
    assert np.var(means) == pytest.approx((2 + 1 / 4) / 6, rel=0.2)


def test_rectified_state_has_one_sign_and_a_windowed_one_vanishes_outside() -> None:
    x = np.linspace(0, 1, 101)
    rectified = [state(x) for state in many_initial_states() if state.is_rectified]
    assert all((values >= 0).all() or (values <= 0).all() for values in rectified)
    windowed = [state(np.array([0.0, 0.999])) for state in many_initial_states() if state.window is not None]
    assert np.abs(windowed).max() < 1e-6


def test_counts_that_the_viscosities_cannot_share_are_refused() -> None:
    card = read_card("burgers1d_tiny_v1")
    odd = card.model_copy(update={"splits": card.splits.model_copy(update={"valid": 3})})
    with pytest.raises(ProfileError, match=r"splits\.valid; expected a multiple of 2"):
        BurgersRecipe().plan(odd)

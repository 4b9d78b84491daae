"""Viscous Burgers on a periodic line, by finite volumes: transport and diffusion in Strang's alternation.

    u_t + (u^2 / 2)_x = (Nu / pi) u_xx

Transport: third-order reconstruction with a total-variation diminishing limiter (Koren 1993), Godunov's flux, two-stage
SSP Runge-Kutta (Shu and Osher 1988). Diffusion: the exact exponential of the three-point Laplacian, whose kernel is
positive. So neither half lets the total variation grow, and both keep the mean. The grid moves with the mean
velocity, rounded so that a stored frame sees it move by whole cells: Galilean invariance, used without interpolation.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from pydantic import Field
from scipy import fft

from upsctl.dataset_card import DatasetCard, Frozen
from upsctl.errors import ProfileError
from upsctl.interfaces import AbstractRecipe, TrajectoryPlan
from upsctl.recipe_card import build_grid, frame_times, plan_trajectories, read_settings
from upsctl.sample import Domain, Sample


class BurgersSettings(Frozen):
    """How the solver resolves, and what the initial states are.

    Attributes:
        num_cells: finite volumes of the solver, a multiple of the stored cells.
        courant_number: max |u| dt / dx, at most 1/2 for the total variation not to grow.
        min_steps_per_frame: bounds the splitting error where decayed states would allow any step.
        num_modes, num_draws: slots of sine waves, and how many of them are drawn (with replacement).
        rectified_probability, window_probability: shares of |u| and of windowed states.
        window_edge: width of the window's two tanh edges, in domain lengths.
        window_low, window_high: where the left and the right edge may lie, in domain lengths.
    """

    num_cells: int = Field(ge=8)
    courant_number: float = Field(gt=0, le=0.5)
    min_steps_per_frame: int = Field(ge=1)
    num_modes: int = Field(ge=1)
    num_draws: int = Field(ge=1)
    rectified_probability: float = Field(ge=0, le=1)
    window_probability: float = Field(ge=0, le=1)
    window_edge: float = Field(gt=0)
    window_low: tuple[float, float]
    window_high: tuple[float, float]


@dataclass(frozen=True, eq=False)
class InitialState:
    """One superposition of waves, PDEBench's (Takamoto et al. 2022, appendix D, and its files).

        u(x) = sign w(x) g(sum_k A_k sin(2 pi m_k x + phi_k)),    k = 1 .. num_modes, x in domain lengths

    m_k is k times the number of draws that fell on slot k: a slot drawn twice is one wave of twice its wavenumber, and
    one not drawn is the constant A_k sin(phi_k), so that most states have a mean. g is the identity or the absolute
    value, w is 1 or a smooth window.

    Attributes:
        wavenumbers, amplitudes, phases: (num_modes,).
        is_rectified: whether g is the absolute value.
        sign: 1 or -1.
        window: left edge, right edge and edge width in domain lengths, or None.
    """

    wavenumbers: np.ndarray
    amplitudes: np.ndarray
    phases: np.ndarray
    is_rectified: bool
    sign: float
    window: tuple[float, float, float] | None

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Values (...,) at points (...,) within [0, 1), in domain lengths."""
        angles = 2 * np.pi * self.wavenumbers * x[..., None] + self.phases
        waves = (self.amplitudes * np.sin(angles)).sum(axis=-1)
        values = self.sign * (np.abs(waves) if self.is_rectified else waves)
        if self.window is None:
            return values
        left, right, edge = self.window
        return values * 0.5 * (np.tanh((x - left) / edge) - np.tanh((x - right) / edge))


def draw_initial_state(seed: Sequence[int], settings: BurgersSettings) -> InitialState:
    """The initial state of one trajectory; draws that are not used are made all the same, so that seeds stay stable."""
    generator = np.random.default_rng(seed)
    drawn = generator.integers(settings.num_modes, size=settings.num_draws)
    slots = np.arange(1, settings.num_modes + 1)
    amplitudes, phases = generator.random(settings.num_modes), 2 * np.pi * generator.random(settings.num_modes)
    is_rectified, is_windowed, is_flipped = generator.random(3) < (
        settings.rectified_probability, settings.window_probability, 0.5
    )  # fmt: skip
    window = (generator.uniform(*settings.window_low), generator.uniform(*settings.window_high), settings.window_edge)
    wavenumbers = slots * np.bincount(drawn, minlength=settings.num_modes)
    sign = -1.0 if is_flipped else 1.0
    return InitialState(wavenumbers, amplitudes, phases, bool(is_rectified), sign, window if is_windowed else None)


def average_over_cells(state: InitialState, num_cells: int) -> np.ndarray:
    """(num_cells,) means over the equal cells of the domain, by four-point Gauss quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(4)
    points = (np.arange(num_cells)[:, None] + 0.5 * (nodes + 1)) / num_cells
    return state(points) @ (0.5 * weights)


@njit(cache=True)
def _limit(behind, ahead):
    """Koren's limiter: the third-order slope (behind + 2 ahead) / 3 towards `ahead`, bounded by twice either side."""
    sign = 1.0 if behind > 0 else -1.0
    slope = min(min(2 * sign * behind, 2 * sign * ahead), sign * (behind + 2 * ahead) / 3)
    return sign * max(slope, 0.0)


@njit(cache=True)
def _subtract_fluxes(u: np.ndarray, ratio: float, below: np.ndarray, above: np.ndarray, out: np.ndarray) -> None:
    """out = u - ratio (F[i+1/2] - F[i-1/2]), with Godunov's flux of u^2 / 2 between limited face values."""
    num_cells = u.size
    for i in range(num_cells):
        behind = u[i] - u[i - 1]
        ahead = u[i + 1 - num_cells] - u[i]  # a negative index wraps around
        below[i] = u[i] - 0.5 * _limit(ahead, behind)
        above[i] = u[i] + 0.5 * _limit(behind, ahead)
    left_speed, right_speed = max(above[num_cells - 1], 0.0), min(below[0], 0.0)
    inflow = 0.5 * max(left_speed * left_speed, right_speed * right_speed)
    for i in range(num_cells):
        left_speed, right_speed = max(above[i], 0.0), min(below[i + 1 - num_cells], 0.0)
        outflow = 0.5 * max(left_speed * left_speed, right_speed * right_speed)
        out[i] = u[i] - ratio * (outflow - inflow)
        inflow = outflow


@njit(cache=True)
def transport(u: np.ndarray, ratio: float) -> np.ndarray:
    """u_t + (u^2 / 2)_x = 0 over one step of `ratio` dt / dx: (N,) cell averages -> (N,)."""
    below, above, stage, out = np.empty_like(u), np.empty_like(u), np.empty_like(u), np.empty_like(u)
    _subtract_fluxes(u, ratio, below, above, stage)
    _subtract_fluxes(stage, ratio, below, above, out)
    return 0.5 * (u + out)


def diffuse(u: np.ndarray, number: float) -> np.ndarray:
    """u_t = D u_xx on the three-point stencil, exactly, over one step of `number` D dt / dx^2: (N,) -> (N,)."""
    half_angles = np.pi * np.arange(u.size // 2 + 1) / u.size
    decay = np.exp(-4 * number * np.sin(half_angles) ** 2)
    return np.asarray(fft.irfft(decay * fft.rfft(u), n=u.size))


def solve_frames(
    u: np.ndarray, cell_size: float, diffusivity: float, frame_step: float, num_frames: int, settings: BurgersSettings
) -> Iterator[np.ndarray]:
    """The stored frames of the solution from cell averages `u` (N,), the first included: (N,) each."""
    cells_per_frame = round(float(u.mean()) * frame_step / cell_size)
    grid_velocity = cells_per_frame * cell_size / frame_step
    moving = u - grid_velocity
    yield u
    for frame in range(1, num_frames):
        moving = _advance_frame(moving, cell_size, diffusivity, frame_step, settings)
        yield np.roll(moving + grid_velocity, frame * cells_per_frame)


def _advance_frame(
    u: np.ndarray, cell_size: float, diffusivity: float, duration: float, settings: BurgersSettings
) -> np.ndarray:
    """Equal steps of Strang's alternation; neighbouring half steps of diffusion are one."""
    fewest = math.ceil(duration * np.abs(u).max() / (settings.courant_number * cell_size))
    num_steps = max(fewest, settings.min_steps_per_frame)
    step = duration / num_steps
    number = diffusivity * step / cell_size**2
    u = diffuse(u, 0.5 * number)
    for remaining in reversed(range(num_steps)):
        u = diffuse(transport(u, step / cell_size), number if remaining else 0.5 * number)
    return u


class BurgersRecipe(AbstractRecipe):
    """Burgers trajectories from PDEBench's initial states, drawn anew for each viscosity."""

    Settings = BurgersSettings

    def plan(self, card: DatasetCard) -> Sequence[TrajectoryPlan]:
        """Equal shares of each split for each viscosity.

        Raises:
            ProfileError: when a split cannot be shared equally, or a setting is wrong.
        """
        _read_settings(card)
        return plan_trajectories(card)

    def solve(self, card: DatasetCard, plan: TrajectoryPlan) -> Sample:
        """One trajectory, averaged down from the solver's cells to the stored ones.

        Raises:
            ProfileError: when a setting is unknown, or the solver's cells do not divide into the stored ones.
        """
        settings, (axis,) = _read_settings(card), card.axes
        averages = average_over_cells(draw_initial_state(plan.seed, settings), settings.num_cells)
        cell_size = (axis.high - axis.low) / settings.num_cells
        diffusivity = plan.parameters["viscosity"] / np.pi
        frames = list(solve_frames(averages, cell_size, diffusivity, card.time.dt, card.time.num_frames, settings))
        stored = np.stack(frames).reshape(len(frames), axis.num_cells, -1).mean(axis=-1)
        domain = Domain(build_grid(card), {"u": stored.astype(np.float32)[..., None]})
        return Sample(plan.trajectory_id, plan.split, {"domain": domain}, frame_times(card), plan.parameters)


def _read_settings(card: DatasetCard) -> BurgersSettings:
    settings, num_stored = read_settings(card, BurgersSettings), card.axes[0].num_cells
    if settings.num_cells % num_stored:
        raise ProfileError(
            f"{card.name}: settings.num_cells", expected=f"a multiple of {num_stored}", got=str(settings.num_cells)
        )
    return settings

"""Incompressible flow on a periodic square with a constant force and a passive tracer, pseudo-spectral in vorticity.

    w_t + div(u w) = nu lap w + curl f,    c_t + div(u c) = nu lap c    (Schmidt number 1)
    u = (psi_y, -psi_x),    -lap psi = w

Products are formed at the solver's points and cut by the 2/3 rule (Orszag 1971), so that they carry no aliases;
diffusion is an exact integrating factor around the classical Runge-Kutta method of order 4 (Canuto et al., Spectral
Methods, 2006). The origin is the centre of the first stored cell: on a periodic square with random phases any serves.

Coefficients are (..., N, K): all N wavenumbers in x, in the order of the FFT, and the first K in y, from zero up.
Axis 0 of a state is (vorticity, tracer).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
from pydantic import Field
from scipy import fft

from upsctl.dataset_card import DatasetCard, Frozen
from upsctl.errors import ProfileError
from upsctl.interfaces import AbstractRecipe, TrajectoryPlan
from upsctl.recipe_card import build_grid, frame_times, plan_trajectories, read_settings
from upsctl.sample import Domain, Sample

Precision = Literal["single", "double"]
Band = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]
"""Lowest and highest |k| of a random field, in waves per domain; never the mean."""


class NavierStokesSettings(Frozen):
    """How the solver resolves, and what the states and forces are.

    Attributes:
        num_points: solver's points along each axis, at least 3/2 of the stored ones.
        precision: of the transforms and products; coefficients are summed up in double.
        courant_number: max (|u| + |v|) k_max dt at the start of a frame; the method is stable up to 2.8.
        velocity_band, force_band, tracer_band: where the random fields live.
        velocity_rms, force_rms: ranges of the rms of the initial velocity (m/s) and of the force (m/s2).
    """

    num_points: int = Field(ge=12)
    precision: Precision
    courant_number: float = Field(gt=0, le=2.8)
    velocity_band: Band
    force_band: Band
    tracer_band: Band
    velocity_rms: tuple[float, float]
    force_rms: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Wavenumbers:
    """The modes of a periodic square that the 2/3 rule keeps on N points along each axis.

    Attributes:
        num_points: N.
        i_kx, i_ky: (N, 1) and (1, K) imaginary wavenumbers i k, in rad/m.
        k_squared, inverse_k_squared: (N, K); the inverse of the mean's is zero.
        is_kept: (N, K) 1 for modes kept, 0 for others.

    All in the precision of the transforms.
    """

    num_points: int
    i_kx: np.ndarray
    i_ky: np.ndarray
    k_squared: np.ndarray
    inverse_k_squared: np.ndarray
    is_kept: np.ndarray

    @property
    def largest(self) -> float:
        """The largest kept wavenumber along one axis, in rad/m."""
        return float(np.abs(self.i_ky).max())


def build_wavenumbers(num_points: int, length: float, precision: Precision) -> Wavenumbers:
    """The modes on `num_points` along each axis of a square of edge `length` (m)."""
    complex_type, real_type = (np.complex64, np.float32) if precision == "single" else (np.complex128, np.float64)
    highest = (num_points - 1) // 3
    waves_x, waves_y = fft.fftfreq(num_points, 1 / num_points)[:, None], np.arange(highest + 1.0)[None]
    unit = 2 * np.pi / length
    k_squared = unit**2 * (waves_x**2 + waves_y**2)
    inverse = np.divide(1.0, k_squared, out=np.zeros_like(k_squared), where=k_squared > 0)
    is_kept = np.abs(waves_x) + 0 * waves_y <= highest
    complex_waves = [(1j * unit * waves).astype(complex_type) for waves in (waves_x, waves_y)]
    return Wavenumbers(num_points, *complex_waves, *(a.astype(real_type) for a in (k_squared, inverse, is_kept)))


def to_points(coefficients: np.ndarray) -> np.ndarray:
    """(..., N, K) coefficients -> (..., N, N) values."""
    columns = fft.ifft(coefficients, axis=-2, norm="forward")
    return np.asarray(fft.irfft(columns, n=coefficients.shape[-2], axis=-1, norm="forward"))


def to_coefficients(values: np.ndarray, num_columns: int) -> np.ndarray:
    """(..., N, N) values -> (..., N, num_columns) coefficients; the mean is coefficient [0, 0]."""
    rows = np.asarray(fft.rfft(values, axis=-1, norm="forward"))[..., :num_columns]
    return np.asarray(fft.fft(rows, axis=-2, norm="forward"))


def resample(coefficients: np.ndarray, num_points: int) -> np.ndarray:
    """(..., N, K) -> (..., num_points, K'): modes strictly below the Nyquist wavenumber of both, no others."""
    half = min(coefficients.shape[-2], num_points) // 2
    columns = min(coefficients.shape[-1], half)
    kept = np.zeros((*coefficients.shape[:-2], num_points, columns), coefficients.dtype)
    kept[..., :half, :] = coefficients[..., :half, :columns]
    kept[..., 1 - half :, :] = coefficients[..., 1 - half :, :columns]
    return kept


def velocity_of(vorticity: np.ndarray, waves: Wavenumbers) -> np.ndarray:
    """(N, K) vorticity -> (2, N, K) velocity of zero mean and divergence; of a force's curl, the force."""
    stream = vorticity * waves.inverse_k_squared
    return np.stack([waves.i_ky * stream, -waves.i_kx * stream])


def tendency(state: np.ndarray, curl_of_force: np.ndarray, waves: Wavenumbers) -> np.ndarray:
    """-div(u q) of both fields, plus the force's curl on the vorticity: (2, N, K) -> (2, N, K), in waves' precision."""
    state = state.astype(waves.i_kx.dtype, copy=False)
    points = to_points(np.concatenate([velocity_of(state[0], waves), state]))
    fluxes = to_coefficients(points[:2, None] * points[None, 2:], state.shape[-1])
    rate = -waves.is_kept * (waves.i_kx * fluxes[0] + waves.i_ky * fluxes[1])
    rate[0] += curl_of_force
    return rate


def advance(
    state: np.ndarray, curl_of_force: np.ndarray, viscosity: float, waves: Wavenumbers, duration: float, num_steps: int
) -> np.ndarray:
    """Equal steps of Runge-Kutta 4 in the variable exp(nu k^2 t) q: (2, N, K) -> (2, N, K), `duration` (s) later."""
    step = duration / num_steps
    half_decay = np.exp(-0.5 * viscosity * step * waves.k_squared.astype(np.float64))
    decay = half_decay * half_decay
    for _ in range(num_steps):
        first = tendency(state, curl_of_force, waves)
        second = tendency(half_decay * (state + 0.5 * step * first), curl_of_force, waves)
        third = tendency(half_decay * state + 0.5 * step * second, curl_of_force, waves)
        fourth = tendency(decay * state + step * half_decay * third, curl_of_force, waves)
        middle = 2 * half_decay * (second + third)
        state = decay * state + (step / 6) * (decay * first + middle + fourth)
    return state


def count_steps(state: np.ndarray, waves: Wavenumbers, duration: float, courant_number: float) -> int:
    """How many steps of `advance` the present velocity asks for."""
    speed = np.abs(to_points(velocity_of(state[0], waves))).sum(axis=0).max()
    return max(1, math.ceil(duration * float(speed) * waves.largest / courant_number))


def mean_square(coefficients: np.ndarray) -> float:
    """Mean over space of the squared values of (..., N, K) coefficients, summed over the leading axes (Parseval)."""
    squares = np.abs(coefficients) ** 2
    return float(2 * squares.sum() - squares[..., 0].sum())


def draw_band(generator: np.random.Generator, band: Band, waves: Wavenumbers) -> np.ndarray:
    """(N, K) coefficients of a real random field of unit rms and zero mean, the same field on any number of points.

    Normal and independent for low <= |k| <= high waves per domain.
    """
    low, high = band
    normal = generator.standard_normal((2, 2 * high + 1, high + 1))
    drawn = normal[0] + 1j * normal[1]
    waves_x, waves_y = np.arange(-high, high + 1)[:, None], np.arange(high + 1)[None]
    distance = np.hypot(waves_x, waves_y)
    drawn[(distance < low) | (distance > high)] = 0
    drawn[:high, 0] = drawn[:high:-1, 0].conj()
    field = np.zeros(waves.k_squared.shape, np.complex128)
    field[np.arange(-high, high + 1), : high + 1] = drawn
    return field / math.sqrt(mean_square(field))


def draw_rotation(
    generator: np.random.Generator, band: Band, rms: tuple[float, float], waves: Wavenumbers
) -> np.ndarray:
    """(N, K) curl of a random divergence-free vector field, whose rms is uniform in `rms`."""
    curl = draw_band(generator, band, waves) * np.sqrt(waves.k_squared)
    return curl * (generator.uniform(*rms) / math.sqrt(mean_square(velocity_of(curl, waves))))


def draw_initial_state(
    seed: Sequence[int], settings: NavierStokesSettings, waves: Wavenumbers
) -> tuple[np.ndarray, np.ndarray]:
    """The state (2, N, K) at the start and the curl (N, K) of the force, in double."""
    generator = np.random.default_rng(seed)
    vorticity = draw_rotation(generator, settings.velocity_band, settings.velocity_rms, waves)
    curl_of_force = draw_rotation(generator, settings.force_band, settings.force_rms, waves)
    return np.stack([vorticity, draw_band(generator, settings.tracer_band, waves)]), curl_of_force


def solve_frames(
    state: np.ndarray, curl_of_force: np.ndarray, viscosity: float, length: float, frame_step: float, num_frames: int,
    settings: NavierStokesSettings,
) -> Iterator[np.ndarray]:  # fmt: skip
    """The state (2, N, K) at each stored time, the first included, on as many points as it comes on, in double."""
    waves = build_wavenumbers(state.shape[-2], length, settings.precision)
    yield state
    for _ in range(num_frames - 1):
        num_steps = count_steps(state, waves, frame_step, settings.courant_number)
        state = advance(state, curl_of_force, viscosity, waves, frame_step, num_steps)
        yield state


class NavierStokesRecipe(AbstractRecipe):
    """Forced flows with a tracer, state and force drawn anew for each trajectory."""

    Settings = NavierStokesSettings

    def plan(self, card: DatasetCard) -> Sequence[TrajectoryPlan]:
        """Equal shares of each split for each viscosity.

        Raises:
            ProfileError: when a split cannot be shared equally, or a setting is wrong.
        """
        _read_settings(card)
        return plan_trajectories(card)

    def solve(self, card: DatasetCard, plan: TrajectoryPlan) -> Sample:
        """One trajectory at the stored points, free of modes at and above their Nyquist wavenumber.

        Raises:
            ProfileError: when a setting is unknown, or the solver resolves less than is stored.
        """
        settings, length = _read_settings(card), card.axes[0].high - card.axes[0].low
        waves = build_wavenumbers(settings.num_points, length, "double")
        state, curl_of_force = draw_initial_state(plan.seed, settings, waves)
        frames = np.stack(list(solve_frames(
            state, curl_of_force, plan.parameters["viscosity"], length, card.time.dt, card.time.num_frames, settings
        )))  # fmt: skip
        velocity = np.stack([velocity_of(vorticity, waves) for vorticity in frames[:, 0]])
        coefficients = {"velocity": velocity, "vorticity": frames[:, :1], "tracer": frames[:, 1:]}
        num_stored = card.axes[0].num_cells
        fields = {name: _store(field, num_stored) for name, field in coefficients.items()}
        force = {"force": _store(velocity_of(curl_of_force, waves), num_stored)}
        domain = Domain(build_grid(card), fields, force)
        return Sample(plan.trajectory_id, plan.split, {"domain": domain}, frame_times(card), plan.parameters)


def _store(coefficients: np.ndarray, num_stored: int) -> np.ndarray:
    """(..., C, N, K) coefficients -> (..., num_stored, num_stored, C) values in single precision."""
    return np.moveaxis(to_points(resample(coefficients, num_stored)), -3, -1).astype(np.float32)


def _read_settings(card: DatasetCard) -> NavierStokesSettings:
    settings, cells = read_settings(card, NavierStokesSettings), [axis.num_cells for axis in card.axes]
    edges = [axis.high - axis.low for axis in card.axes]
    if len(cells) != 2 or cells[0] != cells[1] or edges[0] != edges[1]:
        raise ProfileError(f"{card.name}: axes", expected="a square of equal cells", got=f"{cells} over {edges}")
    highest = max(settings.velocity_band[1], settings.force_band[1], settings.tracer_band[1])
    if 2 * settings.num_points < 3 * cells[0] or 2 * highest >= cells[0]:
        raise ProfileError(
            f"{card.name}: settings.num_points",
            expected=f"at least 3/2 of {cells[0]}, and bands below {cells[0] // 2}",
            got=f"{settings.num_points}, and a band up to {highest}",
        )
    return settings

"""Analytic predictions: waves that decay, and an emulator whose waves lag and decay too slowly."""

import numpy as np

from upsctl.dataset_card import AxisCard, DatasetCard, FieldCard, ParameterCard, RecipeSource, SplitsCard, TimeCard
from upsctl.interfaces import Predictions
from upsctl.sample import Axis

VISCOSITIES = (0.001, 0.1)


def toy_card(num_dimensions: int, num_cells: int = 32, num_frames: int = 11) -> DatasetCard:
    fields = {"u": FieldCard(units="m/s", description="velocity")}
    if num_dimensions == 2:
        fields = {
            "velocity": FieldCard(units="m/s", tensor_order=1, description="velocity"),
            "vorticity": FieldCard(units="1/s", description="curl of the velocity"),
        }
    axes = tuple(
        AxisCard(name=name, low=0.0, high=1.0, num_cells=num_cells, boundary=("periodic", "periodic"))
        for name in ("x", "y")[:num_dimensions]
    )
    viscosity = ParameterCard(units="m2/s", description="diffusion coefficient", values=VISCOSITIES)
    return DatasetCard(
        name=f"toy{num_dimensions}d_v1", title="Toy", description="Analytic waves.", equation="none", modality="grid",
        axes=axes, time=TimeCard(dt=0.1, num_frames=num_frames), fields=fields, parameters={"viscosity": viscosity},
        source=RecipeSource(recipe="toy", seed=0, settings={}), splits=SplitsCard(train=0, valid=0, test=8),
        licence="none", citation="none",
    )


def toy_predictions(num_dimensions: int = 1, lag: float = 0.05, label: str = "lagging", num_trajectories: int = 8):
    """Predictions whose waves lag by `lag` domain lengths per unit of time behind the truth's."""
    card = toy_card(num_dimensions)
    cells = (np.arange(card.axes[0].num_cells) + 0.5) / card.axes[0].num_cells
    axes = tuple(Axis(axis.name, cells, (0.0, 1.0), axis.boundary) for axis in card.axes)
    times = card.time.dt * np.arange(card.time.num_frames)
    viscosity = np.resize(VISCOSITIES, num_trajectories)
    arrays = [_waves(card, cells, times, viscosity, speed) for speed in (0.5, 0.5 - lag)]
    return Predictions(
        emulator=label, card=card, split="test", times=times, axes=axes, parameters={"viscosity": viscosity},
        trajectory_ids=tuple(f"test_{number:04d}" for number in range(num_trajectories)),
        truth=arrays[0], prediction=arrays[1],
    )


def _waves(card: DatasetCard, cells: np.ndarray, times: np.ndarray, viscosity: np.ndarray, speed: float):
    random = np.random.default_rng(0)
    phase = random.uniform(size=(len(viscosity), 1, 1))
    travelled = cells - speed * times[:, None] - phase
    decay = np.exp(-viscosity[:, None] * 4 * np.pi**2 * times)[..., None]
    u = decay * (np.sin(2 * np.pi * travelled) + 0.4 * np.sin(6 * np.pi * travelled)) + 0.2
    if len(card.axes) == 1:
        return {"u": u[..., None].astype(np.float32)}
    v = np.cos(2 * np.pi * cells)
    plane = (u[..., :, None] * v).astype(np.float32)
    velocity = np.stack([plane, np.swapaxes(plane, -1, -2)], axis=-1)
    return {"velocity": velocity, "vorticity": (6 * plane)[..., None]}

"""How wrong a trained model is at cell corners, where it was never asked, against its nodes: one step, validation.

    python benchmarks/corners.py CHECKPOINT...

The truth at corners: on Navier-Stokes, whose stored frames are band-limited, their Fourier interpolation; on Burgers,
whose shocks are not, the solver's own averages over cells that lie half a cell further on, from the same initial state.
Prints for each parameter value the mean and the median error over windows at both, each divided by the field's rms, and
the ratios, of which the issue allows 1.5.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor

from ups_models.batch import Batch
from ups_models.universal import Universal
from upsctl.data.artifact import Artifact
from upsctl.data.fetch import open_dataset
from upsctl.data.loader import SplitTensors
from upsctl.evaluation.opened_checkpoint import open_checkpoint
from upsctl.recipe_card import read_settings
from upsctl.recipes import burgers

STARTS_PER_TRAJECTORY, BATCH_SIZE = 4, 32


@dataclass(frozen=True)
class Shifted:
    """An initial state seen from a point that lies `by` further on."""

    state: burgers.InitialState
    by: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Values (...,) at points (...,) within [0, 1), in domain lengths."""
        return self.state((x + self.by) % 1.0)


def solved_at_corners(artifact: Artifact) -> Tensor:
    """(N, T, X, 1) of the validation split, averages over cells centred on the corners."""
    card = artifact.card
    settings, (axis,) = read_settings(card, burgers.BurgersSettings), card.axes
    plans = {plan.trajectory_id: plan for plan in burgers.BurgersRecipe().plan(card)}
    found = []
    for name in artifact.trajectory_ids("valid"):
        shifted = Shifted(burgers.draw_initial_state(plans[name].seed, settings), 0.5 / axis.num_cells)
        state = cast(burgers.InitialState, shifted)  # an average asks only for values at points
        frames = burgers.solve_frames(
            burgers.average_over_cells(state, settings.num_cells), (axis.high - axis.low) / settings.num_cells,
            plans[name].parameters["viscosity"] / np.pi, card.time.dt, card.time.num_frames, settings)
        found.append(np.stack(list(frames)).reshape(card.time.num_frames, axis.num_cells, -1).mean(axis=-1))
    return torch.from_numpy(np.stack(found))[..., None].float()


def interpolated_at_corners(field: Tensor) -> Tensor:
    """(B, X, Y, C) -> the same half a cell further on along both axes; exact for band-limited fields."""
    spectrum = torch.fft.fftn(field.double(), dim=(1, 2))
    for axis, size in enumerate(field.shape[1:3]):
        phase = torch.exp(1j * np.pi * torch.fft.fftfreq(size, dtype=torch.float64))
        spectrum = spectrum * phase.view([-1 if position == axis + 1 else 1 for position in range(4)])
    return torch.fft.ifftn(spectrum, dim=(1, 2)).real.float()


def nodes(batch: Batch) -> Tensor:
    """(B, N, D) all nodes."""
    geometry = batch.geometry
    axes = [geometry.coordinates(axis).float() for axis in range(geometry.num_dimensions)]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, -2).expand(batch.size, -1, -1)


def relative(found: Tensor, truth: Tensor) -> Tensor:
    """(B,) error over rms; (B, N, C) both."""
    return (found - truth).square().mean(dim=(1, 2)).sqrt() / truth.square().mean(dim=(1, 2)).sqrt()


def window_errors(model: Universal, artifact: Artifact) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    """Field -> parameter value, error at nodes and at corners of each window."""
    tensors = SplitTensors(artifact, "valid")
    solved = solved_at_corners(artifact) if artifact.card.num_dimensions == 1 else None
    starts = np.linspace(0, tensors.num_frames - 2, STARTS_PER_TRAJECTORY).astype(int).tolist()
    pairs = [(trajectory, start) for trajectory in range(tensors.num_trajectories) for start in starts]
    found: dict[str, list[tuple[Tensor, Tensor, Tensor]]] = {}
    for first in range(0, len(pairs), BATCH_SIZE):
        trajectories, begins = zip(*pairs[first : first + BATCH_SIZE], strict=True)
        batch = tensors.batch(trajectories, begins, 2)
        half = 0.5 * torch.tensor(batch.geometry.cell_size)
        at_nodes, at_corners = model.step_at(batch, nodes(batch)), model.step_at(batch, nodes(batch) + half)
        for name, frames in batch.fields.items():
            truth = frames[:, 1]
            corners = interpolated_at_corners(truth) if solved is None else solved[
                list(trajectories), [begin + 1 for begin in begins]]
            found.setdefault(name, []).append((
                batch.parameters["viscosity"],
                relative(at_nodes[name][:, 0], truth.flatten(1, -2)),
                relative(at_corners[name][:, 0], corners.flatten(1, -2))))
    return {name: tuple(map(torch.cat, zip(*parts, strict=True))) for name, parts in found.items()}  # type: ignore[misc]


def main(paths: list[str]) -> None:
    """Print one line for each checkpoint, dataset, field and parameter value."""
    if not paths:
        sys.exit("no checkpoint; expected folders of checkpoints; next: make bench-grids trains those of the grids")
    for path in paths:
        checkpoint = open_checkpoint(Path(path))
        assert isinstance(checkpoint.emulator, Universal)
        for dataset in checkpoint.description.problems:
            artifact = open_dataset(dataset, ("valid",))
            with torch.no_grad():
                errors = window_errors(checkpoint.emulator, artifact)
            for field, (values, node, corner) in errors.items():
                for value in values.unique():
                    chosen = values == value
                    line = describe(node[chosen], corner[chosen])
                    sys.stdout.write(f"{checkpoint.lineage.label}: {dataset} {field}, viscosity {value:g}: {line}\n")


def describe(node: Tensor, corner: Tensor) -> str:
    """The errors at nodes, and those at corners over them."""
    by_means, by_medians = corner.mean() / node.mean(), corner.median() / node.median()
    return (f"nodes {node.mean():.3g} (median {node.median():.3g}), "
            f"corners / nodes {by_means:.2f} by means, {by_medians:.2f} by medians")


if __name__ == "__main__":
    main(sys.argv[1:])

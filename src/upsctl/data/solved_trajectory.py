"""One solved trajectory on disk between its solver and its artifact: whole or not there."""

import json
from pathlib import Path

import numpy as np

from upsctl.interfaces import TrajectoryPlan
from upsctl.sample import Axis, Domain, Grid, Sample
from upsctl.whole_file import whole_file


def trajectory_path(folder: Path, plan: TrajectoryPlan) -> Path:
    """Where the trajectory of `plan` is kept."""
    return folder / (plan.trajectory_id.replace("/", "__") + ".npz")


def write_trajectory(sample: Sample, path: Path) -> None:
    """Write the arrays of a single-domain sample to `path`, at once or not at all."""
    domain = sample.domain
    arrays = {f"field/{name}": values for name, values in domain.fields.items()}
    arrays |= {f"constant/{name}": values for name, values in domain.constant_fields.items()}
    arrays |= {f"axis/{axis.name}": axis.coordinates for axis in domain.geometry.axes}
    axes = [[axis.name, axis.extent, axis.boundary] for axis in domain.geometry.axes]
    values = {"id": sample.trajectory_id, "split": sample.split, "parameters": dict(sample.parameters), "axes": axes}
    with whole_file(path) as partial:
        np.savez(partial, allow_pickle=False, times=sample.times, about=np.asarray(json.dumps(values)), **arrays)


def remove_half_written(folder: Path) -> None:
    """Remove what killed solvers left in `folder`; none may be running."""
    for path in folder.glob(".*.npz"):
        path.unlink()


def read_trajectory(path: Path) -> Sample:
    """Read what `write_trajectory` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        about = json.loads(str(stored["about"]))
        axes = tuple(
            Axis(name, stored[f"axis/{name}"], tuple(extent), tuple(boundary))
            for name, extent, boundary in about["axes"]
        )
        fields, constants = (
            {key.removeprefix(kind): stored[key] for key in stored.files if key.startswith(kind)}
            for kind in ("field/", "constant/")
        )
        domain = Domain(Grid(axes), fields, constants)
        return Sample(about["id"], about["split"], {"domain": domain}, stored["times"], about["parameters"])

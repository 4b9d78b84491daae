"""PDEBench's metrics against numbers that PDEBench's own metric function gave, and against closed forms.

The golden numbers were made on small files in PDEBench's layouts, which are not in this repository: the first test runs
where they lie beside it. The closed forms need no file.
"""

import math
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric
from ups_models.registry import load_part

SAMPLES = Path(__file__).parents[3] / "shared" / "pdebench_samples"

# Persistence of frame 9 over all later frames (Darcy: 0.9 times the target) on the samples named.
GOLDEN = {
    "1D_Advection_Sols_beta1.0.hdf5": {
        "pdebench_rmse": 0.6950738430023193, "pdebench_nrmse": 0.9400601983070374,
        "pdebench_crmse": 5.725784291144009e-08, "pdebench_max_error": 1.592852234840393,
        "pdebench_brmse": 0.7024201154708862,
        "pdebench_frmse": (0.09570841491222382, 0.04962422326207161, 0.00032828899566084146),
    },
    "1D_Burgers_Sols_Nu0.1.hdf5": {
        "pdebench_rmse": 0.28654536604881287, "pdebench_nrmse": 0.6303958296775818,
        "pdebench_crmse": 1.3451302947942168e-05, "pdebench_max_error": 0.5752188563346863,
        "pdebench_brmse": 0.33708295226097107,
        "pdebench_frmse": (0.06789296120405197, 0.007319326046854258, 6.429958148146397e-07),
    },
    "1D_CFD_Rand_Eta0.01_Zeta0.01_periodic_Train.hdf5": {
        "pdebench_rmse": 4.9842729568481445, "pdebench_nrmse": 0.6983225345611572,
        "pdebench_crmse": 0.1704358607530594, "pdebench_max_error": 17.733198165893555,
        "pdebench_brmse": 3.198780059814453,
        "pdebench_frmse": (1.5022579431533813, 0.3449482321739197, 0.01092629972845316),
    },
    "1D_diff-sorp_NA_NA.h5": {
        "pdebench_rmse": 0.1657508909702301, "pdebench_nrmse": 0.4280951917171478,
        "pdebench_crmse": 0.10423899441957474, "pdebench_max_error": 0.34976693987846375,
        "pdebench_brmse": 0.009026742540299892,
        "pdebench_frmse": (0.05892832204699516, 0.0023337763268500566, 8.064044959610328e-05),
    },
    "2D_DarcyFlow_beta1.0_Train.hdf5": {
        "pdebench_rmse": 0.022519880905747414, "pdebench_nrmse": 0.10000003129243851,
        "pdebench_crmse": 0.02019503340125084, "pdebench_max_error": 0.05687820911407471,
        "pdebench_brmse": 0.0015903908060863614,
        "pdebench_frmse": (0.00810388382524252, 0.0003130047407466918, 1.8606890080263838e-05),
    },
}
METRICS = list(next(iter(GOLDEN.values())))


def value(name: str, prediction: dict, target: dict, geometry: GridGeometry) -> dict[str, float]:
    metric = load_part("ups_models.metrics", name, AbstractMetric)()
    statistics = metric.statistics(prediction, target, geometry)
    return {key: float(number) for key, number in metric.aggregate(statistics).items()}


def unit_grid(*shape: int) -> GridGeometry:
    return GridGeometry(shape, ((0.0, 1.0),) * len(shape), (("periodic", "periodic"),) * len(shape))


def read_trajectories(path: Path) -> np.ndarray:
    """(B, T, *space, C) in float32: the first tenth of a flat file, the last of a grouped one."""
    with h5py.File(path) as file:
        if "0000" in file:
            return np.stack([file[name]["data"][:] for name in sorted(file)[int(0.9 * len(file)) :]])
        fields = [file[name] for name in ("tensor", "density", "pressure", "Vx") if name in file]
        return np.stack([field[: int(0.1 * len(field))] for field in fields], axis=-1)


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample files in PDEBench's layouts are not beside the repository")
@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("filename", GOLDEN)
def test_equals_pdebench(filename: str, name: str) -> None:
    trajectories = torch.from_numpy(read_trajectories(SAMPLES / filename)).double()
    is_steady = filename.startswith("2D_Darcy")
    target = trajectories if is_steady else trajectories[:, 10:]
    prediction = 0.9 * target if is_steady else trajectories[:, 9:10].expand_as(target)
    values = value(name, {"u": prediction}, {"u": target}, unit_grid(*target.shape[2:-1]))
    expected = np.atleast_1d(GOLDEN[filename][name])
    np.testing.assert_allclose(list(values.values()), expected, rtol=1e-5, atol=1e-7)


def wave(num_cells: int, mode: int, amplitude: float, offset: float = 0.0) -> torch.Tensor:
    """(1, 2, num_cells, 1): two frames of a sine."""
    x = (torch.arange(num_cells, dtype=torch.float64) + 0.5) / num_cells
    return (offset + amplitude * torch.sin(2 * math.pi * mode * x))[None, None, :, None].expand(1, 2, -1, 1)


def test_closed_forms_in_one_dimension() -> None:
    target, error = wave(64, 5, 3.0), wave(64, 2, 0.4, 0.1)
    grid, fields = unit_grid(64), ({"u": target + error}, {"u": target})
    rms = math.sqrt(0.4**2 / 2 + 0.1**2)
    edge = 0.4 * math.sin(2 * math.pi * 2 / 128)
    assert value("pdebench_rmse", *fields, grid)[""] == pytest.approx(rms)
    assert value("pdebench_nrmse", *fields, grid)[""] == pytest.approx(rms / (3 / math.sqrt(2)))
    assert value("pdebench_crmse", *fields, grid)[""] == pytest.approx(0.1)
    assert value("pdebench_max_error", *fields, grid)[""] == pytest.approx(0.1 + float(wave(64, 2, 0.4).max()))
    boundary = math.sqrt(((0.1 + edge) ** 2 + (0.1 - edge) ** 2) / 2)
    assert value("pdebench_brmse", *fields, grid)[""] == pytest.approx(boundary)
    bands = value("pdebench_frmse", *fields, grid)
    assert bands["low"] == pytest.approx((0.1 + 0.2) / 4)
    assert bands["mid"] == pytest.approx(0.0, abs=1e-12) == bands["high"]


def test_pooling_over_samples_comes_before_the_root() -> None:
    target = torch.zeros(2, 1, 16, 1, dtype=torch.float64) + 1
    prediction = target + torch.tensor([3.0, 4.0], dtype=torch.float64).view(2, 1, 1, 1)
    fields = ({"u": prediction}, {"u": target})
    assert value("pdebench_rmse", *fields, unit_grid(16))[""] == pytest.approx(3.5)
    assert value("pdebench_crmse", *fields, unit_grid(16))[""] == pytest.approx(math.sqrt(12.5))
    assert value("pdebench_max_error", *fields, unit_grid(16))[""] == pytest.approx(4.0)


def test_a_corner_counts_for_each_of_its_edges() -> None:
    target = torch.ones(1, 1, 4, 6, 1, dtype=torch.float64)
    prediction = target.clone()
    prediction[0, 0, 0, 0, 0] += 2.0
    corner = value("pdebench_brmse", {"u": prediction}, {"u": target}, unit_grid(4, 6))[""]
    assert corner == pytest.approx(math.sqrt(2 * 2.0**2 / (2 * 4 + 2 * 6)))


def test_shells_of_a_plane_wave_in_two_dimensions() -> None:
    x = (torch.arange(32, dtype=torch.float64) / 32)[:, None]
    y = (torch.arange(32, dtype=torch.float64) / 32)[None, :]
    error = torch.cos(2 * math.pi * (3 * x + 4 * y))[None, None, ..., None]  # |n| = 5, one mode in the quadrant
    bands = value("pdebench_frmse", {"u": error}, {"u": torch.zeros_like(error)}, unit_grid(32, 32))
    assert bands["mid"] == pytest.approx(0.5 / 8)
    assert bands["low"] == pytest.approx(0.0, abs=1e-12)


def test_faces_of_a_cube_sum_over_channels_under_the_root() -> None:
    target = torch.zeros(1, 1, 4, 4, 4, 2, dtype=torch.float64)
    error = torch.tensor([3.0, 4.0], dtype=torch.float64).expand_as(target)
    assert value("pdebench_brmse", {"u": error}, {"u": target}, unit_grid(4, 4, 4))[""] == pytest.approx(5.0)

"""Every metric in the folder: zero on identical fields, its law of scale, no dependence on order or batch size."""

import math

import pytest
import torch

from ups_models.geometry import GridGeometry
from ups_models.interfaces import AbstractMetric
from ups_models.registry import list_parts, load_part
from upsctl.evaluation.rows import metric_file

METRICS = list_parts("ups_models.metrics")
SHAPES = [(24,), (16, 12), (8, 6, 10)]
# An error in the field's own units grows with the field; a relative one does not. VRMSE's constant breaks it by 1e-7.
IN_UNITS_OF_THE_FIELD = {"pdebench_rmse", "pdebench_crmse", "pdebench_max_error", "pdebench_brmse", "pdebench_frmse"}


def load(name: str) -> AbstractMetric:
    return load_part("ups_models.metrics", name, AbstractMetric)()


def grid(shape: tuple[int, ...]) -> GridGeometry:
    return GridGeometry(shape, ((0.0, 1.0),) * len(shape), (("periodic", "periodic"),) * len(shape))


def random_fields(shape: tuple[int, ...], seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    components = {"velocity": len(shape), "tracer": 1}
    sizes = {name: (3, 4, *shape, count) for name, count in components.items()}
    return {name: torch.randn(size, generator=generator, dtype=torch.float64) + 0.3 for name, size in sizes.items()}


def numbers(name: str, prediction: dict, target: dict, shape: tuple[int, ...]) -> torch.Tensor:
    metric = load(name)
    values = metric.aggregate(metric.statistics(prediction, target, grid(shape)))
    return torch.stack(list(values.values())).nan_to_num(nan=0.0)  # PDEBench's high band on 8 cells is empty


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", METRICS)
def test_is_zero_on_identical_fields_and_positive_otherwise(name: str, shape: tuple[int, ...]) -> None:
    target = random_fields(shape, 0)
    assert numbers(name, target, target, shape).abs().max() == 0
    assert numbers(name, random_fields(shape, 1), target, shape).max() > 0


@pytest.mark.parametrize("name", METRICS)
def test_a_row_of_each_of_its_values_leads_back_to_its_file(name: str) -> None:
    metric, fields = load(name), random_fields((24,), 0)
    parts = metric.aggregate(metric.statistics(fields, fields, grid((24,))))
    assert {metric_file("_".join(filter(None, (name, part)))) for part in parts} == {name}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", METRICS)
def test_law_of_scale(name: str, shape: tuple[int, ...]) -> None:
    prediction, target = random_fields(shape, 1), random_fields(shape, 0)
    scaled = [{key: 7.0 * field for key, field in fields.items()} for fields in (prediction, target)]
    factor = 7.0 if name in IN_UNITS_OF_THE_FIELD else 1.0
    torch.testing.assert_close(
        numbers(name, *scaled, shape), factor * numbers(name, prediction, target, shape), rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", METRICS)
def test_order_of_samples_fields_and_a_split_into_batches_change_nothing(name: str) -> None:
    metric, geometry = load(name), grid((28, 26))
    prediction, target = random_fields((28, 26), 1), random_fields((28, 26), 0)
    whole = metric.statistics(prediction, target, geometry)
    backwards = [{key: field.flip(0) for key, field in reversed(fields.items())} for fields in (prediction, target)]
    halves = [
        metric.statistics(*({k: f[part] for k, f in fields.items()} for fields in (prediction, target)), geometry)
        for part in (slice(0, 2), slice(2, 3))
    ]
    for other in (metric.statistics(*backwards, geometry), torch.cat(halves)):
        for key, expected in metric.aggregate(whole).items():
            torch.testing.assert_close(metric.aggregate(other)[key], expected)


@pytest.mark.parametrize("name", METRICS)
def test_per_sample_is_the_aggregate_of_each_alone(name: str) -> None:
    metric = load(name)
    prediction, target = random_fields((24,), 1), random_fields((24,), 0)
    statistics = metric.statistics(prediction, target, grid((24,)))
    assert statistics.shape[0] == 3
    for key, values in metric.per_sample(statistics).items():
        torch.testing.assert_close(values[1], metric.aggregate(statistics[1:2])[key])


def constant(*frames: float) -> torch.Tensor:
    """(1, T, 8, 1): uniform frames."""
    return torch.tensor(frames, dtype=torch.float64)[None, :, None, None].expand(1, -1, 8, 1)


def test_nrmse_floor_is_one_percent_of_the_trajectory() -> None:
    target = constant(1.0, 0.0)
    value = float(load("nrmse").statistics({"u": target + 0.1}, {"u": target}, grid((8,))))
    assert value == pytest.approx((0.1 + 0.1 / (0.01 * math.sqrt(0.5))) / 2)


def test_nrmse_pools_components_and_averages_fields() -> None:
    velocity = torch.tensor([3.0, 4.0], dtype=torch.float64).expand(1, 1, 8, 2)
    fields = {"velocity": velocity, "tracer": constant(2.0)}
    prediction = {"velocity": velocity + torch.tensor([1.0, 0.0]), "tracer": constant(3.0)}
    assert float(load("nrmse").statistics(prediction, fields, grid((8,)))) == pytest.approx((1 / 5 + 1 / 2) / 2)


def test_vrmse_of_the_spatial_mean_is_one() -> None:
    target = random_fields((16, 12), 0)
    mean = {name: field.mean(dim=(2, 3), keepdim=True).expand_as(field) for name, field in target.items()}
    assert load("vrmse").statistics(mean, target, grid((16, 12))).mean() == pytest.approx(1.0, abs=1e-5)


def test_spectral_bands_see_the_scale_of_the_error() -> None:
    x = torch.arange(64, dtype=torch.float64) / 64
    modes = {"low": 2, "mid": 7, "high": 20}
    waves = {name: torch.sin(2 * math.pi * mode * x)[None, None, :, None] for name, mode in modes.items()}
    target = sum(waves.values(), torch.zeros(1, 1, 64, 1, dtype=torch.float64))
    metric = load("spectral_bands")
    for name, error in waves.items():
        values = metric.aggregate(metric.statistics({"u": target + 0.3 * error}, {"u": target}, grid((64,))))
        expected = {band: 0.3 if band == name else 0.0 for band in modes}
        assert {band: float(number) for band, number in values.items()} == pytest.approx(expected, abs=1e-9)


def test_conservation_gap_sees_the_mean_alone() -> None:
    target = random_fields((24,), 0)["tracer"]
    wiggle = torch.sin(2 * math.pi * torch.arange(24, dtype=torch.float64) / 24)[None, None, :, None]
    rms = target.square().mean(dim=(1, 2, 3)).sqrt()
    metric = load("conservation_gap")
    kept = metric.statistics({"u": target + wiggle}, {"u": target}, grid((24,)))
    moved = metric.statistics({"u": target + wiggle + 0.2}, {"u": target}, grid((24,)))
    torch.testing.assert_close(kept, torch.zeros(3, 1, dtype=torch.float64), atol=1e-12, rtol=0)
    torch.testing.assert_close(moved[:, 0], 0.2 / rms)

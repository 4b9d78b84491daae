"""Every emulator by its name, the universal model and all baselines: the same contract in 1D, 2D and 3D."""

from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
import torch

from contracts.small_problems import (
    PROBLEMS,
    is_trainable,
    own_stage,
    perturb,
    selected,
    shifted,
    small_batch,
    total,
    trained,
    untrained,
)
from contracts.toy_lineage import LINEAGE
from ups_models.batch import Batch, Fields
from ups_models.blocks.spectral_mixing import _transform
from ups_models.checkpoint import list_emulators, load_checkpoint, save_checkpoint
from ups_models.errors import ModelError
from ups_models.interfaces import AbstractEmulator
from ups_models.problem import Problem
from ups_models.universal import Universal

EMULATORS = list_emulators()
TRAINABLE = tuple(name for name in EMULATORS if is_trainable(name))
FRAMES = ("declared", "standard")
PREDICTIONS = ("residual", "direct")
IGNORE_THE_STATE = ("mean",)
BFLOAT16_ROUNDING = 0.05
"""Of a change, after all layers; one rounding is up to 0.004."""


def predicted(emulator: AbstractEmulator, batch: Batch, num_steps: int = 2) -> Fields:
    with torch.no_grad():
        return emulator.predict(batch.window(0, 1), num_steps)


def assert_equal(first: Fields, second: Fields, tolerance: float = 1e-5) -> None:
    assert first.keys() == second.keys()
    for name, field in first.items():
        torch.testing.assert_close(field, second[name], rtol=0, atol=tolerance * float(second[name].abs().max()))


@pytest.mark.parametrize(("frame", "prediction"), list(product(FRAMES, PREDICTIONS)))
@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", EMULATORS)
def test_shapes_and_finite_numbers(name: str, dataset: str, frame: str, prediction: str) -> None:
    batch = small_batch(dataset, num_frames=3)
    result = predicted(trained(name, dataset, frame, prediction), batch)
    assert list(result) == list(PROBLEMS[dataset].variable_fields)
    for field_name, field in result.items():
        assert field.shape == batch.fields[field_name][:, 1:].shape
        assert field.dtype == torch.float32
        assert field.isfinite().all()


@pytest.mark.parametrize("end", ["open", "wall", "dirichlet", "neumann"])
@pytest.mark.parametrize("name", EMULATORS)
def test_other_boundaries_have_finite_numbers(name: str, end: str) -> None:
    result = predicted(trained(name, "navier_stokes2d"), small_batch("navier_stokes2d", end=end))
    assert all(field.isfinite().all() for field in result.values())


@pytest.mark.parametrize("name", EMULATORS)
def test_values_are_physical_in_and_out(name: str) -> None:
    """A dataset in units a thousand times smaller has, after its own statistics, the same answer in those units."""
    batch, emulator = small_batch("burgers1d"), trained(name, "burgers1d", "standard")
    normaliser = emulator.normaliser
    expected = predicted(emulator, batch)
    thousand = batch.with_fields({"u": 1000 * batch.fields["u"]})
    mean, std = (normaliser.statistic("burgers1d", "u", kind).clone() for kind in ("mean", "std"))
    normaliser.set_statistics("burgers1d", {"u": 1000 * mean}, {"u": (1000 * std).reshape(1)})
    assert_equal(predicted(emulator, thousand), {"u": 1000 * expected["u"]})


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", EMULATORS)
def test_other_samples_of_the_batch_change_nothing(name: str, dataset: str, frame: str) -> None:
    batch, emulator = small_batch(dataset), trained(name, dataset, frame)
    together = predicted(emulator, batch)
    for sample in range(batch.size):
        alone = predicted(emulator, selected(batch, sample))
        assert_equal(alone, {key: field[sample : sample + 1] for key, field in together.items()})


def without_conservation(problem: Problem) -> Problem:
    """A conserved mean takes the gradient of a last bias away, by design."""
    assert problem.frame is not None
    return problem.model_copy(update={"frame": problem.frame.model_copy(update={"conserved_means": ()})})


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", TRAINABLE)
def test_every_parameter_gets_a_finite_gradient(name: str, dataset: str, frame: str) -> None:
    """With noise on the weights, since a head that starts at zero hides all that stands before it."""
    emulator, _ = untrained(name, dataset, frame, problem=without_conservation(PROBLEMS[dataset]))
    perturb(emulator)
    total(own_stage(name).loss(emulator, small_batch(dataset), 0.0, torch.Generator())).backward()
    gradients = {key: parameter.grad for key, parameter in emulator.named_parameters()}
    assert not [key for key, gradient in gradients.items() if gradient is None or not gradient.isfinite().all()]
    sizes = {key: float(gradient.abs().max()) for key, gradient in gradients.items() if gradient is not None}
    assert not {key: size for key, size in sizes.items() if size <= 1e-7 * max(sizes.values())}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("dataset", PROBLEMS)
def test_untrained_universal_without_transport_and_diffusion_is_persistence(dataset: str, frame: str) -> None:
    """The head starts at zero; the mean velocity of 0.2 moves less than half a cell in one step."""
    still = PROBLEMS[dataset].frame.model_copy(update={"transported": (), "forcing": None})
    emulator, _ = untrained("universal", dataset, frame, problem=PROBLEMS[dataset].model_copy(update={"frame": still}))
    batch = small_batch(dataset)
    batch = replace(batch, time_step=batch.time_step / 10, parameters={"viscosity": torch.zeros(batch.size)})
    assert_equal(predicted(emulator, batch, 1), batch.window(0, 1).fields)


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", EMULATORS)
def test_saved_and_loaded_is_the_same(name: str, dataset: str, frame: str, tmp_path: Path) -> None:
    emulator, description = untrained(name, dataset, frame)
    perturb(emulator)
    save_checkpoint(tmp_path, description, emulator.state_dict(), {}, LINEAGE)
    checkpoint = load_checkpoint(tmp_path)
    assert checkpoint.description == description
    batch = small_batch(dataset)
    again, first = predicted(checkpoint.emulator, batch), predicted(emulator.eval(), batch)
    assert all(torch.equal(again[key], field) for key, field in first.items())


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize(
    ("name", "dataset"),
    # A U-Net of three coarsenings knows its place within 8 cells, all of the small 3D grid.
    [pair for pair in product(EMULATORS, PROBLEMS) if pair != ("unet", "burgers3d")],
)
def test_shifted_periodic_fields_have_the_shifted_answer(name: str, dataset: str, frame: str) -> None:
    """By half the grid: a multiple of the patch and of the U-Net's strides."""
    emulator, batch = trained(name, dataset, frame), small_batch(dataset)
    half = batch.geometry.shape[0] // 2
    answer = batch.with_fields(predicted(emulator, batch, 3))
    assert_equal(predicted(emulator, shifted(batch, half), 3), shifted(answer, half).fields)


def test_with_coordinates_fno_knows_where_it_is() -> None:
    emulator = trained("fno", "burgers1d", prediction="direct", with_coordinates=True)
    batch = small_batch("burgers1d")
    answer = shifted(batch.with_fields(predicted(emulator, batch)), 16).fields["u"]
    assert (predicted(emulator, shifted(batch, 16))["u"] - answer).abs().max() > 1e-3


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", [name for name in EMULATORS if name not in IGNORE_THE_STATE])
def test_a_step_of_zero_length_changes_nothing(name: str, dataset: str, frame: str) -> None:
    emulator, batch = trained(name, dataset, frame), small_batch(dataset)
    still = replace(batch, time_step=torch.zeros_like(batch.time_step))
    assert_equal(predicted(emulator, still, 1), batch.window(0, 1).fields)


@pytest.mark.parametrize("name", TRAINABLE)
def test_parameters_and_constant_fields_matter(name: str) -> None:
    batch, emulator = small_batch("navier_stokes2d"), trained(name, "navier_stokes2d")
    answer = predicted(emulator, batch, 1)
    others = (
        replace(batch, parameters={"viscosity": 10 * batch.parameters["viscosity"]}),
        replace(batch, constant_fields={"force": batch.constant_fields["force"].flip(1)}),
    )
    for other in others:
        changed = predicted(emulator, other, 1)
        assert all((changed[key] - field).abs().max() > 1e-5 for key, field in answer.items())


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", TRAINABLE)
def test_bfloat16_only_rounds(name: str, dataset: str, frame: str) -> None:
    """What a training computes where bfloat16 is fast is what an evaluation computes.

    With so much noise on the weights that most of the change comes through the layers that are rounded.
    """
    batch, emulator = small_batch(dataset), trained(name, dataset, frame)
    perturb(emulator, 0.1)
    exact = predicted(emulator, batch, 1)
    with torch.autocast("cpu", torch.bfloat16):
        rounded = predicted(emulator, batch, 1)
    for key, field in exact.items():
        change = field - batch.fields[key][:, :1]
        assert (rounded[key] - field).norm() < BFLOAT16_ROUNDING * change.norm()


@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", EMULATORS)
def test_a_problem_without_parameters_and_frame(name: str, dataset: str) -> None:
    problem = PROBLEMS[dataset].model_copy(update={"parameters": {}, "frame": None})
    emulator, _ = untrained(name, dataset, problem=problem)
    result = predicted(emulator, replace(small_batch(dataset), parameters={}))
    assert all(field.isfinite().all() for field in result.values())


@pytest.mark.parametrize("dataset", PROBLEMS)
def test_in_the_standard_frame_ours_knows_the_step_and_the_domain(dataset: str) -> None:
    batch, emulator = small_batch(dataset), trained("universal", dataset, "standard")
    assert isinstance(emulator, Universal)
    larger = replace(batch, geometry=batch.geometry.scaled(3.0))
    longer = replace(batch, time_step=3.0 * batch.time_step)
    vectors = [emulator.conditioning(emulator.see(one)) for one in (batch, larger, longer)]
    assert all((vector - vectors[0]).abs().max() > 1e-4 for vector in vectors[1:])


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_training_goes_on_after_an_evaluation(name: str) -> None:
    emulator, _ = untrained(name, "navier_stokes2d")
    batch = small_batch("navier_stokes2d")
    _transform.cache_clear()  # its tables are then made by the evaluation
    with torch.inference_mode():
        emulator.predict(batch.window(0, 1), 1)
    total(own_stage(name).loss(emulator, batch, 0.0, torch.Generator())).backward()
    assert any(parameter.grad is not None for parameter in emulator.parameters())


@pytest.mark.parametrize("name", EMULATORS)
def test_an_unknown_setting_is_named(name: str) -> None:
    with pytest.raises(ModelError, match=rf"settings of {name}: `no_such_setting`"):
        untrained(name, "burgers1d", no_such_setting=1)


"""Every stage in the folder, on the universal model: what it declares moves, the rest does not, numbers stay finite."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from contracts.small_problems import PROBLEMS, perturb, small_batch, total, untrained
from ups_models.batch import Batch
from ups_models.interfaces import AbstractEmulator, AbstractStage
from ups_models.registry import list_parts, load_part

STAGES = list_parts("ups_models.stages")


def load(name: str) -> AbstractStage:
    kind = load_part("ups_models.stages", name, AbstractStage)
    return kind(kind.Config())  # type: ignore[call-arg]


def model_for(stage: AbstractStage, dataset: str, with_noise: bool = True) -> tuple[AbstractEmulator, nn.Module]:
    """A universal model and its part that the stage moves; the rest is frozen, as the loop does."""
    model, _ = untrained("universal", dataset)
    if with_noise:
        perturb(model)
    part = stage.trainable(model)
    model.requires_grad_(False)
    part.requires_grad_(True)
    return model, part


def window(stage: AbstractStage, dataset: str, progress: float = 1.0) -> Batch:
    return small_batch(dataset, num_frames=stage.num_frames(progress))


def names_in(part: nn.Module, model: nn.Module) -> set[str]:
    own = {id(parameter) for parameter in part.parameters()}
    return {name for name, parameter in model.named_parameters() if id(parameter) in own}


@pytest.mark.parametrize("name", STAGES)
def test_needs_are_other_stages(name: str) -> None:
    needs = load_part("ups_models.stages", name, AbstractStage).needs
    assert set(needs) <= set(STAGES) - {name}


@pytest.mark.parametrize("name", STAGES)
def test_windows_have_an_input_and_a_target_and_grow(name: str) -> None:
    stage = load(name)
    frames = [stage.num_frames(step / 10) for step in range(11)]
    assert frames == sorted(frames)
    assert frames[0] >= 2


@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", STAGES)
def test_only_declared_parameters_move(name: str, dataset: str) -> None:
    stage = load(name)
    model, part = model_for(stage, dataset)
    declared = names_in(part, model)
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    optimiser = torch.optim.SGD([parameter for parameter in model.parameters() if parameter.requires_grad], lr=0.1)
    total(stage.loss(model, window(stage, dataset), 1.0, torch.Generator())).backward()
    optimiser.step()
    moved = {key for key, tensor in model.state_dict().items() if not torch.equal(tensor, before[key])}
    assert moved
    assert moved <= declared


@pytest.mark.parametrize("dataset", PROBLEMS)
@pytest.mark.parametrize("name", STAGES)
def test_each_term_reaches_its_parameters_and_no_other(name: str, dataset: str) -> None:
    """`between_nodes` moves the part of that name alone; every other term moves all the rest, each parameter of it."""
    stage = load(name)
    model, _ = model_for(stage, dataset)
    terms = stage.loss(model, window(stage, dataset), 1.0, torch.Generator())
    assert terms
    declared = {key: parameter for key, parameter in model.named_parameters() if parameter.requires_grad}
    between = {key for key in declared if ".between_nodes." in key}
    for key, term in terms.items():
        assert term.shape == (), key
        gradients = torch.autograd.grad(term, list(declared.values()), retain_graph=True, allow_unused=True)
        reached = {one for one, gradient in zip(declared, gradients, strict=True)
                   if gradient is not None and gradient.abs().max() > 0}
        assert reached == (between if key == "between_nodes" else set(declared) - between), key


def special_state(batch: Batch, state: str) -> Batch:
    """Decayed to round-off, nothing at all, moving from rest, uniform, or the same for ever."""
    fields = batch.fields
    if state == "from_rest":
        rest = {name: torch.zeros_like(field[:, :1]) for name, field in fields.items()}
        return batch.with_fields({name: torch.cat([rest[name], field[:, 1:]], dim=1) for name, field in fields.items()})
    if state in ("decayed", "zero"):
        size = 0.0 if state == "zero" else 1e-12
        constants = {name: size * field for name, field in batch.constant_fields.items()}
        return replace(batch, fields={name: size * field for name, field in fields.items()}, constant_fields=constants)
    if state == "uniform":
        return batch.with_fields({name: torch.full_like(field, 0.7) for name, field in fields.items()})
    return batch.with_fields({name: field[:, :1].expand_as(field) for name, field in fields.items()})


@pytest.mark.parametrize("state", ["decayed", "zero", "from_rest", "uniform", "steady"])
@pytest.mark.parametrize("with_noise", [False, True])
@pytest.mark.parametrize("num_steps", [1, 2, 3])
@pytest.mark.parametrize("dataset", ["burgers1d", "navier_stokes2d"])
@pytest.mark.parametrize("name", STAGES)
def test_gradients_are_finite_on_special_states(
    name: str, dataset: str, num_steps: int, with_noise: bool, state: str
) -> None:
    """An untrained head on a steady state has zero error: the trap of the infinite slope, also when unrolled."""
    stage = load(name)
    model, part = model_for(stage, dataset, with_noise)
    batch = special_state(small_batch(dataset, num_frames=max(num_steps + 1, stage.num_frames(0.0))), state)
    loss = total(stage.loss(model, batch, 0.0, torch.Generator()))
    assert loss.isfinite()
    loss.backward()
    assert not [key for key, parameter in part.named_parameters()
                if parameter.grad is not None and not parameter.grad.isfinite().all()]  # fmt: skip


@pytest.mark.parametrize("name", STAGES)
def test_a_step_of_zero_length_has_finite_gradients(name: str) -> None:
    stage = load(name)
    model, part = model_for(stage, "burgers1d")
    batch = window(stage, "burgers1d")
    still = replace(batch, time_step=torch.zeros_like(batch.time_step))
    total(stage.loss(model, still, 1.0, torch.Generator())).backward()
    assert all(parameter.grad.isfinite().all() for parameter in part.parameters() if parameter.grad is not None)


@pytest.mark.parametrize("name", STAGES)
def test_the_loss_falls_in_a_few_steps(name: str) -> None:
    stage = load(name)
    model, part = model_for(stage, "burgers1d", with_noise=False)
    optimiser = torch.optim.AdamW(part.parameters(), lr=2e-3)
    losses = []
    for _ in range(15):
        optimiser.zero_grad()
        loss = total(stage.loss(model, window(stage, "burgers1d"), 1.0, torch.Generator()))
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]

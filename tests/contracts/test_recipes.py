"""What every recipe owes: found by listing the folder and the cards, so a new recipe is covered by its tiny card."""

import dataclasses

import numpy as np
import pytest

from ups_models.registry import list_parts, load_part
from upsctl.dataset_card import DatasetCard, Probe, RecipeSource
from upsctl.errors import ProfileError
from upsctl.interfaces import AbstractRecipe, TrajectoryPlan
from upsctl.profile_reader import list_profiles, load_profile
from upsctl.sample import Sample


def read_card(name: str) -> DatasetCard:
    return load_profile("datasets", name).profile


def build_recipe(card: DatasetCard) -> AbstractRecipe:
    assert isinstance(card.source, RecipeSource)
    return load_part("upsctl.recipes", card.source.recipe, AbstractRecipe)()


RECIPE_CARDS = tuple(name for name in list_profiles("datasets") if isinstance(read_card(name).source, RecipeSource))
TINY_CARDS = tuple(name for name in RECIPE_CARDS if "_tiny_" in name)


def solve_first(name: str) -> Sample:
    card = read_card(name)
    recipe = build_recipe(card)
    return recipe.solve(card, recipe.plan(card)[0])


def arrays_of(sample: Sample) -> dict[str, np.ndarray]:
    return {**sample.domain.fields, **sample.domain.constant_fields, "times": sample.times}


def test_every_recipe_has_a_tiny_card() -> None:
    assert {read_card(name).source.recipe for name in TINY_CARDS} == set(list_parts("upsctl.recipes"))  # type: ignore


@pytest.mark.parametrize("name", RECIPE_CARDS)
def test_plan_is_deterministic(name: str) -> None:
    card = read_card(name)
    assert list(build_recipe(card).plan(card)) == list(build_recipe(card).plan(card))


@pytest.mark.parametrize("name", RECIPE_CARDS)
def test_plan_shares_nothing_between_trajectories(name: str) -> None:
    """Neither a name, nor a seed, nor the part of the name that stands for a shared initial condition."""
    card = read_card(name)
    plans = build_recipe(card).plan(card)
    for values in (
        [plan.trajectory_id for plan in plans],
        [plan.seed for plan in plans],
        [plan.trajectory_id.rpartition("/")[0] for plan in plans],
    ):
        assert len(set(values)) == len(plans)


@pytest.mark.parametrize("name", RECIPE_CARDS)
def test_plan_has_the_cards_splits_and_parameters(name: str) -> None:
    card = read_card(name)
    plans = build_recipe(card).plan(card)
    counts = {split: sum(plan.split == split for plan in plans) for split in ("train", "valid", "test")}
    assert counts == card.splits.model_dump()
    for parameter, described in card.parameters.items():
        for split, count in counts.items():
            values = [plan.parameters[parameter] for plan in plans if plan.split == split]
            assert {value: values.count(value) for value in values} == dict.fromkeys(
                described.values, count // len(described.values)
            )


@pytest.mark.parametrize("name", RECIPE_CARDS)
def test_card_carries_checks_and_probes(name: str) -> None:
    card = read_card(name)
    assert card.checks
    assert len(card.probes) >= 4
    assert {probe.field for probe in card.probes} == set(card.fields)


@pytest.mark.parametrize("name", RECIPE_CARDS)
def test_setting_that_the_recipe_does_not_know_is_refused(name: str) -> None:
    card = read_card(name)
    assert isinstance(card.source, RecipeSource)
    source = card.source.model_copy(update={"settings": {**card.source.settings, "num_cell": 1}})
    with pytest.raises(ProfileError, match="unknown key `num_cell`"):
        build_recipe(card).plan(card.model_copy(update={"source": source}))


@pytest.mark.parametrize("name", TINY_CARDS)
def test_sample_is_what_the_card_says(name: str) -> None:
    card, sample = read_card(name), solve_first(name)
    space = tuple(axis.num_cells for axis in card.axes)
    assert sample.domain.geometry.shape == space
    assert set(sample.domain.fields) == set(card.variable_fields)
    assert set(sample.domain.constant_fields) == set(card.constant_fields)
    for field, values in sample.domain.fields.items():
        assert values.shape == (card.time.num_frames, *space, card.num_components(field))
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    for field, values in sample.domain.constant_fields.items():
        assert values.shape == (*space, card.num_components(field))
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    np.testing.assert_allclose(sample.times, card.time.start + card.time.dt * np.arange(card.time.num_frames))
    assert set(sample.parameters) == set(card.parameters)


@pytest.mark.parametrize("name", TINY_CARDS)
def test_axes_have_cell_centres_and_the_cards_boundary(name: str) -> None:
    card, sample = read_card(name), solve_first(name)
    for axis, described in zip(sample.domain.geometry.axes, card.axes, strict=True):
        assert (axis.name, axis.extent, axis.boundary) == (
            described.name, (described.low, described.high), described.boundary
        )  # fmt: skip
        size = (described.high - described.low) / described.num_cells
        np.testing.assert_allclose(axis.coordinates, described.low + size * (np.arange(described.num_cells) + 0.5))


@pytest.mark.parametrize("name", TINY_CARDS)
def test_same_plan_gives_the_same_bytes_in_any_order(name: str) -> None:
    card = read_card(name)
    first_recipe, second_recipe = build_recipe(card), build_recipe(card)
    first, last = first_recipe.plan(card)[0], first_recipe.plan(card)[-1]
    once = [arrays_of(first_recipe.solve(card, plan)) for plan in (first, last)]
    again = [arrays_of(second_recipe.solve(card, plan)) for plan in (last, first)]
    for one, other in zip(once, reversed(again), strict=True):
        assert {name: array.tobytes() for name, array in one.items()} == {
            name: array.tobytes() for name, array in other.items()
        }


@pytest.mark.parametrize("name", TINY_CARDS)
def test_other_seed_gives_another_trajectory(name: str) -> None:
    card = read_card(name)
    recipe = build_recipe(card)
    plan = recipe.plan(card)[0]
    one = arrays_of(recipe.solve(card, plan))
    other = arrays_of(recipe.solve(card, dataclasses.replace(plan, seed=(*plan.seed, 1))))
    assert all(np.abs(one[field] - other[field]).max() > 1e-3 * np.abs(one[field]).max() for field in card.fields)


def probed_plans(card: DatasetCard, recipe: AbstractRecipe) -> dict[str, TrajectoryPlan]:
    wanted = {probe.trajectory_id for probe in card.probes}
    return {plan.trajectory_id: plan for plan in recipe.plan(card) if plan.trajectory_id in wanted}


def assert_probe_agrees(probe: Probe, sample: Sample) -> None:
    values = arrays_of(sample)[probe.field]
    rms = float(np.sqrt(np.mean(values.astype(np.float64) ** 2)))
    assert abs(float(values[probe.index]) - probe.value) <= 1e-5 * rms, probe


@pytest.mark.parametrize("name", RECIPE_CARDS)
def test_probed_trajectories_have_the_cards_values(name: str) -> None:
    card = read_card(name)
    recipe = build_recipe(card)
    samples = {known: recipe.solve(card, plan) for known, plan in probed_plans(card, recipe).items()}
    for probe in card.probes:
        assert_probe_agrees(probe, samples[probe.trajectory_id])

"""What every recipe takes from its card: its settings, its trajectories, its grid and its times."""

from itertools import product
from typing import TypeVar

import numpy as np

from upsctl.dataset_card import DatasetCard, Frozen, RecipeSource
from upsctl.errors import ProfileError
from upsctl.interfaces import TrajectoryPlan
from upsctl.profile_reader import validate
from upsctl.sample import Axis, Grid, SplitName

SettingsT = TypeVar("SettingsT", bound=Frozen)
SPLITS: tuple[SplitName, ...] = ("train", "valid", "test")


def read_settings(card: DatasetCard, model: type[SettingsT]) -> SettingsT:
    """The recipe's own settings from the card's `source.settings`.

    Raises:
        ProfileError: naming the nearest known setting, or when the card is a vendor's.
    """
    return validate(model, _source(card).settings)


def plan_trajectories(card: DatasetCard) -> list[TrajectoryPlan]:
    """Independent trajectories: every combination of the parameters' values has an equal share of each split.

    The part of an id before its `/` numbers the initial state in its split; no two trajectories share one.

    Raises:
        ProfileError: when a split cannot be shared equally.
    """
    names = tuple(card.parameters)
    combinations = list(product(*(card.parameters[name].values for name in names)))
    plans = []
    for split_index, split in enumerate(SPLITS):
        share = _share(card, split, len(combinations))
        for number, (values, _) in enumerate(product(combinations, range(share))):
            described = "_".join(f"{name}_{value:g}" for name, value in zip(names, values, strict=True))
            parameters = dict(zip(names, values, strict=True))
            seed = (_source(card).seed, split_index, number)
            plans.append(TrajectoryPlan(f"{split}_{number:04d}/{described}", split, parameters, seed))
    return plans


def build_grid(card: DatasetCard) -> Grid:
    """The stored grid, values at cell centres."""
    axes = []
    for axis in card.axes:
        size = (axis.high - axis.low) / axis.num_cells
        centres = axis.low + size * (np.arange(axis.num_cells) + 0.5)
        axes.append(Axis(axis.name, centres, (axis.low, axis.high), axis.boundary))
    return Grid(tuple(axes))


def frame_times(card: DatasetCard) -> np.ndarray:
    """(T,) times of the stored frames."""
    return card.time.start + card.time.dt * np.arange(card.time.num_frames)


def _share(card: DatasetCard, split: SplitName, num_combinations: int) -> int:
    count = getattr(card.splits, split)
    if count % num_combinations:
        raise ProfileError(
            f"{card.name}: splits.{split}", expected=f"a multiple of {num_combinations}", got=str(count)
        )  # fmt: skip
    return count // num_combinations


def _source(card: DatasetCard) -> RecipeSource:
    if not isinstance(card.source, RecipeSource):
        raise ProfileError(f"{card.name}: source", expected="a recipe", got=f"converter {card.source.converter}")
    return card.source

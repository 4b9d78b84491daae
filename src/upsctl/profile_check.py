"""Whether a profile would work: it resolves, every name in it has a file, and each part takes the settings given."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from ups_models.registry import list_parts, load_part
from upsctl.dataset_card import DatasetCard, RecipeSource, VendorSource
from upsctl.errors import ProfileError
from upsctl.interfaces import AbstractConverter, AbstractRecipe
from upsctl.nearest_name import nearest
from upsctl.profile_kinds import PROFILE_KINDS
from upsctl.profile_problem import explain
from upsctl.profile_reader import Resolved, list_profiles, load_profile, parse_reference
from upsctl.profiles import ModelProfile, RunProfile, StoreProfile
from upsctl.suite_profile import SuiteProfile

Use = tuple[str, str, list[str]]


def all_references() -> list[str]:
    """KIND/NAME of every profile that is found."""
    return [f"{kind}/{name}" for kind in PROFILE_KINDS for name in list_profiles(kind)]


def problems_of(reference: str) -> list[str]:
    """What is wrong with one profile, each in one line; empty when nothing is."""
    try:
        return problems_in(load_profile(*parse_reference(reference)))
    except ProfileError as error:
        return [error.line]


def refuse_problems(resolved: Resolved[Any]) -> None:
    """Before anything is written, downloaded or trained.

    Raises:
        ProfileError: the first thing that is wrong.
    """
    for problem in problems_in(resolved):
        raise ProfileError(f"{resolved.name}: {problem}", next_step="change the profile or the --set")


def problems_in(resolved: Resolved[Any]) -> list[str]:
    """What is wrong with a resolved profile."""
    unknown = [
        f"`{key}` names `{name}`, which does not exist; expected {nearest(name, known)}"
        for key, name, known in _uses(resolved.profile)
        if name not in known
    ]
    return [*_misnamed(resolved), *unknown] or list(_settings_problems(resolved))


def _misnamed(resolved: Resolved[Any]) -> list[str]:
    """A dataset is found by its file's name and kept by its card's."""
    if not isinstance(resolved.profile, DatasetCard) or resolved.profile.name == resolved.name:
        return []
    return [f"`name` is `{resolved.profile.name}`; expected the file's name, `{resolved.name}`"]


def _settings_problems(resolved: Resolved[Any]) -> Iterator[str]:
    """What the parts that a profile names say to the settings that it gives them."""
    for key, config, settings in _settings(resolved.profile):
        try:
            config.model_validate(settings)
        except ValidationError as error:
            yield explain(config, error, _origins_below(f"{key}.", resolved.origins) or resolved.origins).line


def _origins_below(prefix: str, origins: Mapping[str, str]) -> dict[str, str]:
    return {key.removeprefix(prefix): origin for key, origin in origins.items() if key.startswith(prefix)}


def _settings(profile: Any) -> Iterator[tuple[str, type[BaseModel], dict[str, Any]]]:
    """Key, config class and settings of every part; loads the parts."""
    match profile:
        case DatasetCard(source=RecipeSource(recipe=name, settings=settings)):
            yield "source.settings", load_part("upsctl.recipes", name, AbstractRecipe).Settings, settings
        case DatasetCard(source=VendorSource(converter=name, settings=settings)):
            yield "source.settings", load_part("upsctl.converters", name, AbstractConverter).Settings, settings
        case ModelProfile():
            yield "settings", _emulator_config(profile.emulator), profile.settings
        case RunProfile():
            yield "model.settings", _emulator_config(profile.model.emulator), profile.model.settings
            for name, stage in profile.stages.items():
                yield f"stages.{name}.settings", _stage_config(name), stage.settings
        case SuiteProfile():
            for one in profile.contestants:
                yield f"contestants ({one.label}).settings", _emulator_config(one.model.emulator), one.model.settings


def _emulator_config(name: str) -> type[BaseModel]:
    from ups_models.checkpoint import emulator_class

    return emulator_class(name).Config


def _stage_config(name: str) -> type[BaseModel]:
    from ups_models.interfaces import AbstractStage

    return load_part("ups_models.stages", name, AbstractStage).Config


def _uses(profile: Any) -> Iterator[Use]:
    """Every name that a profile takes from elsewhere: its key, the name and the names there are."""
    match profile:
        case DatasetCard():
            yield _source_use(profile)
        case ModelProfile():
            yield "emulator", profile.emulator, _emulators()
        case StoreProfile():
            yield "backend", profile.backend, _parts("upsctl.stores")
        case RunProfile():
            yield from _run_uses(profile)
        case SuiteProfile():
            yield from _suite_uses(profile)


def _source_use(card: DatasetCard) -> Use:
    if isinstance(card.source, RecipeSource):
        return "source.recipe", card.source.recipe, _parts("upsctl.recipes")
    return "source.converter", card.source.converter, _parts("upsctl.converters")


def _run_uses(run: RunProfile) -> Iterator[Use]:
    yield from (("datasets", name, list(list_profiles("datasets"))) for name in run.datasets)
    yield from (("stages", name, _parts("ups_models.stages")) for name in run.stages)
    yield "model.emulator", run.model.emulator, _emulators()


def _suite_uses(suite: SuiteProfile) -> Iterator[Use]:
    yield from (("datasets", name, list(list_profiles("datasets"))) for name in suite.datasets)
    yield from (("metrics", name, _parts("ups_models.metrics")) for name in suite.metrics)
    yield from (("figures", name, _parts("upsctl.figures")) for name in suite.figures)
    if suite.tuned_by is not None:
        yield "tuned_by", suite.tuned_by, list(list_profiles("sweeps"))
    for contestant in suite.contestants:
        yield f"contestants ({contestant.label}): emulator", contestant.model.emulator, _emulators()
        yield f"contestants ({contestant.label}): stage", contestant.stage, _parts("ups_models.stages")


def _emulators() -> list[str]:
    return ["universal", *_parts("ups_models.baselines")]


def _parts(folder: str) -> list[str]:
    return list(list_parts(folder))

"""The settings that a profile hands on: the config class of each emulator, stage, recipe and converter that has any."""

from collections.abc import Iterator

from pydantic import BaseModel

from ups_models.checkpoint import emulator_class, list_emulators
from ups_models.interfaces import AbstractStage
from ups_models.registry import list_parts, load_part
from upsctl.interfaces import AbstractConverter, AbstractRecipe


def settings_of_parts() -> Iterator[tuple[str, type[BaseModel]]]:
    """Where in a profile the settings stand and for which part, and their model."""
    return ((heading, model) for heading, model in _all_settings() if model.model_fields)


def _all_settings() -> Iterator[tuple[str, type[BaseModel]]]:
    for name in list_emulators():
        yield f"`model.settings` of the emulator `{name}`", emulator_class(name).Config
    for name in list_parts("ups_models.stages"):
        yield f"`stages.{name}.settings`", load_part("ups_models.stages", name, AbstractStage).Config
    for name in list_parts("upsctl.recipes"):
        recipe = load_part("upsctl.recipes", name, AbstractRecipe)
        yield f"`source.settings` of the recipe `{name}`", recipe.Settings
    for name in list_parts("upsctl.converters"):
        converter = load_part("upsctl.converters", name, AbstractConverter)
        yield f"`source.settings` of the converter `{name}`", converter.Settings

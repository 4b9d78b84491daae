"""The page of profiles: every key with its type, default and meaning, from the typed models."""

import inspect
import re
from collections.abc import Iterator
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from upsctl.profile_kinds import PROFILE_KINDS
from upsctl.profiles import RunProfile
from upsctl.reference.part_settings import settings_of_parts

HEAD = """# Profiles

Made by `make docs` from the models that `upsctl/profile_kinds.py` names. Profiles are looked for in
`./profiles`, in the user's configuration folder and in the package, in this order; a path ending in `.yaml` always
works. `upsctl profile show KIND/NAME` prints every value with its origin. The settings that a profile hands on to a
part (an emulator, a stage, a recipe, a converter) are that part's own: they stand at the end of this page.

## Overrides

The first of these that gives a value wins:

1. the command line, `--set optimiser.learning_rate=1e-3`, which may be given again;
2. the environment, `UPSCTL_SET__RUNS__OPTIMISER__LEARNING_RATE=1e-3`: the kind, then the keys, in capitals;
3. the file;
4. the one profile that the file `extends:`;
5. the default below.

A run says `model: nano` for the profile models/nano, or `model: {extends: nano, prediction: direct}` to change it in
one place; `--set model=nano` replaces the whole model.

"""
CHEAT_SHEET = """What is often changed in a run, and the default where there is one:

```text
"""
BAR = "\\|"  # ends no cell
# The keys that have no default, because a name is part of them.
NAMED = (
    "model=nano",
    "model.settings.sizes.token_width=64",
    "model.prediction=direct",
    "stages.operator.num_steps=2000",
    "datasets.burgers1d_subset_v1.weight=2.0",
    "datasets.burgers1d_subset_v1.batch_size=8",
)


def profile_page() -> str:
    """The overrides, one section for each kind and one for each part's settings; a model that recurs is told once."""
    sheet = "".join(f"--set {override}\n" for override in cheat_sheet())
    told: set[type[BaseModel]] = set()
    kinds = (_section(f"{kind}/NAME.yaml", model, told) for kind, model in PROFILE_KINDS.items())
    parts = (_section(heading, model, told) for heading, model in settings_of_parts())
    return "".join([HEAD, CHEAT_SHEET, sheet, "```\n", *kinds, *parts])


def cheat_sheet() -> list[str]:
    """`key=value` for every value of a run that a person may change alone."""
    return [*NAMED, *_defaults(RunProfile, "")]


def _defaults(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = _models_in(field.annotation)
        if inner and not field.is_required():
            yield from _defaults(inner[0], f"{prefix}{name}.")
        elif not field.is_required():
            default = field.get_default(call_default_factory=True)
            value = list(default) if isinstance(default, tuple) else "null" if default is None else default
            yield f"{prefix}{name}={value}".replace(" ", "")


def _section(heading: str, model: type[BaseModel], told: set[type[BaseModel]]) -> str:
    models = list(dict.fromkeys(_models(model)))
    texts = [f"\n### {one.__name__}\n\nAs above.\n" if one in told else _model(one) for one in models]
    told.update(models)
    return f"\n## {heading}\n" + "".join(texts)


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and those inside it, outermost first."""
    yield model
    for field in model.model_fields.values():
        for inner in _models_in(field.annotation):
            yield from _models(inner)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for argument in get_args(annotation) for found in _models_in(argument)]


def _model(model: type[BaseModel]) -> str:
    summary, meanings = _read_docstring(inspect.getdoc(model) or "")
    rows = [
        f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {meanings.get(name, '').replace('|', BAR)} |\n"
        for name, field in model.model_fields.items()
    ]
    head = f"\n### {model.__name__}\n\n{summary}\n\n| key | type | default | meaning |\n|---|---|---|---|\n"
    return head + "".join(rows)


def _read_docstring(text: str) -> tuple[str, dict[str, str]]:
    """The text before `Attributes:`, and name -> meaning from the lines after it."""
    summary, _, attributes = text.partition("Attributes:")
    meanings: dict[str, str] = {}
    for entry in re.split(r"\n    (?=\S)", attributes):
        names, _, meaning = entry.strip().partition(": ")
        meanings.update({name.strip(): " ".join(meaning.split()) for name in names.split(",")})
    return summary.strip(), meanings


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    return "its own" if isinstance(value, BaseModel) else f"`{value!r}`"


def _type(annotation: Any) -> str:
    """A type in words: `int`, `list of float`, `"a" or "b"`, a model's name."""
    arguments = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    name = getattr(annotation, "__name__", "") or str(annotation)
    if annotation is NoneType:
        return "nothing"
    if get_origin(annotation) is Annotated:
        return _type(arguments[0])
    if not arguments:
        return name if isinstance(annotation, type) else str(annotation)
    if name == "dict":
        return f"{'name' if arguments[0] is str else _type(arguments[0])}: {_type(arguments[1])}"
    if name == "tuple":
        inner = ", ".join(_type(argument) for argument in arguments)
        return f"[{inner}, ...]" if Ellipsis in get_args(annotation) else f"[{inner}]"
    if name == "Literal":
        return " or ".join(f"`{argument}`" for argument in arguments)
    return " or ".join(_type(argument) for argument in arguments)

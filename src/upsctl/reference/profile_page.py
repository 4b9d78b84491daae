"""The page of profiles: every key with its type, default and meaning, from the typed models."""

import inspect
import re
from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from upsctl.profile_reader import load_profile, shipped_profiles
from upsctl.profiles import PROFILE_KINDS

HEAD = """# Profiles

Made by `make docs` from the models in `upsctl/profiles.py` and `upsctl/dataset_card.py`. Profiles are looked for in
`./profiles`, in the user's configuration folder and in the package, in this order; a path ending in `.yaml` always
works. `upsctl profile show KIND/NAME` prints every value with its origin.

## Overrides

The first of these that gives a value wins:

1. the command line, `--set optimiser.learning_rate=1e-3`, which may be given again;
2. the environment, `UPSCTL_SET__RUNS__OPTIMISER__LEARNING_RATE=1e-3`: the kind, then the keys, in capitals;
3. the file;
4. the one profile that the file `extends:`;
5. the default below.

A run says `model: nano` for the profile models/nano, or `model: {extends: nano, prediction: direct}` to change it in
one place; `--set model=small` replaces the whole model.

"""
EXAMPLES = "| to change | on the command line |\n|---|---|\n"


def profile_page() -> str:
    """The overrides, then one section for each kind and each model inside it."""
    kinds = (_kind(name, model) for name, model in PROFILE_KINDS.items())
    return HEAD + EXAMPLES + "".join(_example_rows()) + "".join(kinds)


def _example_rows() -> Iterator[str]:
    """One line for every value of the quickstart run."""
    path = shipped_profiles() / "runs" / "quickstart.yaml"
    for key, value, _ in load_profile("runs", str(path)).values():
        text = str(value).replace(" ", "").replace("'", "")
        yield f"| `{key}` | `--set {key}={text}` |\n"


def _kind(kind: str, model: type[BaseModel]) -> str:
    parts = [f"\n## {kind}/NAME.yaml\n"]
    parts += [_model(one) for one in dict.fromkeys(_models(model))]
    return "".join(parts)


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
        f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {meanings.get(name, '')} |\n"
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
    if not arguments:
        return name if isinstance(annotation, type) else str(annotation)
    if name == "dict":
        return f"name: {_type(arguments[1])}"
    if name == "tuple":
        inner = ", ".join(_type(argument) for argument in arguments)
        return f"[{inner}, ...]" if Ellipsis in get_args(annotation) else f"[{inner}]"
    if name == "Literal":
        return " or ".join(f"`{argument}`" for argument in arguments)
    return " or ".join(_type(argument) for argument in arguments)

"""The one reader of YAML: find a profile, lay the layers over each other, validate, and say where each value is from.

Layers, the first wins: command line (`--set key=value`), environment (`UPSCTL_SET__KEY__SUBKEY=value`), the file,
the one profile that it `extends:`, the default in the model.
"""

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import platformdirs
from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError

from upsctl.dataset_card import Frozen
from upsctl.errors import ProfileError
from upsctl.profiles import PROFILE_KINDS

ProfileT = TypeVar("ProfileT", bound=Frozen)
ENVIRONMENT_PREFIX = "UPSCTL_SET__"


@dataclass(frozen=True)
class Resolved(Generic[ProfileT]):
    """A validated profile with the origin of each value.

    Attributes:
        name: the profile's name (its file's stem).
        profile: the typed, frozen values.
        origins: dotted key -> `file:line`, `--set`, the environment variable's name, or `default`.
        path: the file it came from.
    """

    name: str
    profile: ProfileT
    origins: dict[str, str]
    path: Path


@dataclass
class _Layer:
    values: dict[str, Any]
    origins: dict[str, str] = field(default_factory=dict)


def profile_folders() -> list[Path]:
    """Where profiles are looked for, in order: ./profiles, the user's config folder, the package."""
    return [Path("profiles"), Path(platformdirs.user_config_dir("upsctl")) / "profiles", shipped_profiles()]


def shipped_profiles() -> Path:
    """The profiles inside the installed package; in a checkout, the repository's own folder."""
    inside = Path(__file__).parent / "shipped_profiles"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "profiles"


def list_profiles(kind: str) -> dict[str, Path]:
    """All profiles of one kind by name; the first folder of the search order wins."""
    found: dict[str, Path] = {}
    for folder in reversed(profile_folders()):
        found.update({path.stem: path for path in sorted((folder / kind).glob("*.yaml"))})
    return dict(sorted(found.items()))


def find_profile(kind: str, name: str) -> Path:
    """The file of a profile given by name or by path.

    Raises:
        ProfileError: naming the nearest known name.
    """
    if name.endswith((".yaml", ".yml")) or os.sep in name:
        if Path(name).is_file():
            return Path(name)
        raise ProfileError(f"{name}: no such file", next_step=f"`upsctl profile list` shows the {kind} there are")
    known = list_profiles(kind)
    if name in known:
        return known[name]
    raise ProfileError(
        f"no profile `{name}` in {kind}/",
        expected=f"{nearest(name, known)} or a path ending in .yaml",
        next_step="`upsctl profile list` shows all",
    )


def nearest(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    """The known name most like `name`, or all of them where none is alike."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"`{close[0]}`" if close else "one of " + ", ".join(sorted(known))


def load_profile(kind: str, name: str, overrides: Sequence[str] = ()) -> Resolved[Any]:
    """Resolve one profile: find it, lay the layers over each other and validate.

    Args:
        kind: a key of `PROFILE_KINDS`.
        name: its name, or a path.
        overrides: `key.subkey=value` each, the value in YAML.

    Raises:
        ProfileError: with file and line, what was expected and what came.
    """
    path = find_profile(kind, name)
    layers = [*_file_layers(kind, path), *_nested_models(kind, path)]
    layers += [_environment_layer(kind), _override_layer(overrides)]
    values, origins = _lay(layers)
    return Resolved(path.stem, validate(PROFILE_KINDS[kind], values, origins), origins, path)


def load_yaml(path: Path) -> dict[str, Any]:
    """The plain values of one YAML file, for files that are not profiles of a search path (an artifact's card)."""
    return _plain(_read_mapping(path))


def write_yaml(values: Mapping[str, Any], path: Path) -> None:
    """Write plain values, keys in their given order."""
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 4096
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(dict(values), stream)


def validate(model: type[ProfileT], values: Mapping[str, Any], origins: Mapping[str, str] | None = None) -> ProfileT:
    """Build the typed profile, adding the defaults' origins.

    Raises:
        ProfileError: one line for the first value that is wrong.
    """
    known = origins if origins is not None else {}
    try:
        profile = model.model_validate(values)
    except ValidationError as error:
        raise _explain(model, error, known) from None
    if isinstance(known, dict):
        for key in _leaves(profile.model_dump(mode="json")):
            known.setdefault(key, "default")
    return profile


def _file_layers(kind: str, path: Path) -> list[_Layer]:
    mapping = _read_mapping(path)
    parent = mapping.pop("extends", None)
    own = _Layer(_plain(mapping), dict(_marks(mapping, path)))
    if parent is None:
        return [own]
    grandparent = _read_mapping(find_profile(kind, parent))
    if "extends" in grandparent:
        raise ProfileError(f"{path}: extends `{parent}`, which extends another", expected="at most one `extends:`")
    return [*_file_layers(kind, find_profile(kind, parent)), own]


def _nested_models(kind: str, path: Path) -> list[_Layer]:
    """A run may name its model by a profile of models/: the name is replaced by that file's values."""
    layers = _file_layers(kind, path) if kind == "runs" else []
    named = [layer.values["model"] for layer in layers if isinstance(layer.values.get("model"), str)]
    if not named:
        return []
    model = _lay(_file_layers("models", find_profile("models", named[-1])))
    return [_Layer({"model": model[0]}, {f"model.{key}": origin for key, origin in model[1].items()})]


def _environment_layer(kind: str) -> _Layer:
    layer = _Layer({})
    for variable, text in sorted(os.environ.items()):
        if variable.startswith(ENVIRONMENT_PREFIX + kind.upper() + "__"):
            key = variable.removeprefix(ENVIRONMENT_PREFIX + kind.upper() + "__").lower().replace("__", ".")
            _set(layer, key, _parse(text), variable)
    return layer


def _override_layer(overrides: Sequence[str]) -> _Layer:
    layer = _Layer({})
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[\w.]+", key):
            raise ProfileError(f"--set {text}", expected="key.subkey=value", next_step="see `upsctl profile show`")
        _set(layer, key, _parse(value), "--set")
    return layer


def _set(layer: _Layer, key: str, value: Any, origin: str) -> None:
    *parents, last = key.split(".")
    target = layer.values
    for parent in parents:
        target = target.setdefault(parent, {})
    target[last] = value
    layer.origins[key] = origin


def _lay(layers: Sequence[_Layer]) -> tuple[dict[str, Any], dict[str, str]]:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        values = _merge(values, layer.values)
        origins.update(layer.origins)
    return values, origins


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _merge(cast(Mapping[str, Any], old), value) if both else value
    return merged


def _read_mapping(path: Path) -> CommentedMap:
    try:
        loaded = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProfileError(f"{path}:{line}: not YAML ({error.problem})") from None
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read ({error.strerror})") from None
    if not isinstance(loaded, CommentedMap):
        raise ProfileError(f"{path}: not a mapping", expected="`key: value` lines")
    return loaded


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, float) else value


def _parse(text: str) -> Any:
    try:
        return _plain(YAML(typ="safe", pure=True).load(text)) if not _looks_like_float(text) else float(text)
    except MarkedYAMLError:
        return text


def _looks_like_float(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+", text) is not None


def _marks(mapping: CommentedMap, path: Path, prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in mapping.items():
        yield f"{prefix}{key}", f"{path}:{mapping.lc.key(key)[0] + 1}"
        if isinstance(value, CommentedMap):
            yield from _marks(value, path, f"{prefix}{key}.")


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _explain(model: type[BaseModel], error: ValidationError, origins: Mapping[str, str]) -> ProfileError:
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    where = _origin_of(path, origins)
    if first["type"] == "extra_forbidden":
        fields = _fields_at(model, path[:-1])
        return ProfileError(f"{where}: unknown key `{'.'.join(path)}`", expected=nearest(path[-1], fields))
    came = repr(first["input"]) if not isinstance(first["input"], Mapping) else "a mapping"
    return ProfileError(f"{where}: `{'.'.join(path)}`", expected=first["msg"], got=came)


def _origin_of(path: Sequence[str], origins: Mapping[str, str]) -> str:
    for length in range(len(path), 0, -1):
        if (key := ".".join(path[:length])) in origins:
            return origins[key]
    return next(iter(origins.values()), "profile").rpartition(":")[0] or "profile"


def _fields_at(model: Any, path: Sequence[str]) -> list[str]:
    for part in path:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            break
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        model = _model_in(annotation)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in getattr(annotation, "__args__", ()) if (found := _model_in(arg))), None)

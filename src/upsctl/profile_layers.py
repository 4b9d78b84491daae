"""Layers of a profile's values: each from one place, with the origin of every value; the last one laid wins."""

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from upsctl.errors import ProfileError
from upsctl.nearest_name import nearest

ENVIRONMENT_PREFIX = "UPSCTL_SET__"


@dataclass
class Layer:
    """Nested plain values, and dotted key -> where it was said."""

    values: dict[str, Any]
    origins: dict[str, str] = field(default_factory=dict)


def file_layer(path: Path) -> Layer:
    """The values of one YAML file; origins are `file:line`, also inside lists (`axes.0.low`).

    Raises:
        ProfileError: naming file and line, where it is no YAML or no mapping.
    """
    try:
        loaded = YAML(typ="rt").load(path.read_text(encoding="utf-8"))
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ProfileError(f"{path}:{line}: not YAML ({error.problem})") from None
    except ReaderError as error:
        raise ProfileError(f"{path}: not YAML (a control character at position {error.position})") from None
    except UnicodeDecodeError:
        raise ProfileError(f"{path}: not a text file", expected="YAML in UTF-8") from None
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read ({error.strerror})") from None
    if not isinstance(loaded, CommentedMap):
        raise ProfileError(f"{path}: not a mapping", expected="`key: value` lines")
    return Layer(_plain(loaded), dict(_marks(loaded, path)))


def environment_layers(kind: str, kinds: Collection[str]) -> list[Layer]:
    """One layer for each `UPSCTL_SET__RUNS__KEY__SUBKEY=value` of this kind, sorted by name.

    Raises:
        ProfileError: naming a variable of no kind.
    """
    for name in sorted(os.environ):
        own = name.removeprefix(ENVIRONMENT_PREFIX).partition("__")[0].lower()
        if name.startswith(ENVIRONMENT_PREFIX) and own not in kinds:
            raise ProfileError(f"{name}: no kind of profile `{own}`", expected=nearest(own, kinds))
    prefix = f"{ENVIRONMENT_PREFIX}{kind.upper()}__"
    found = [(name, text) for name, text in sorted(os.environ.items()) if name.startswith(prefix)]
    return [_single(name.removeprefix(prefix).lower().replace("__", "."), text, name) for name, text in found]


def override_layers(overrides: Sequence[str]) -> list[Layer]:
    """One layer for each `key.subkey=value`, in the order of the command line; values are YAML.

    Raises:
        ProfileError: where one is not of that form.
    """
    layers = []
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", key):
            next_step = "`upsctl profile show` lists the keys"
            raise ProfileError(f"--set {text}", expected="key.subkey=value", next_step=next_step)
        layers.append(_single(key, value, "--set"))
    return layers


def lay(layers: Sequence[Layer]) -> Layer:
    """All layers over each other. Mappings are merged, anything else is replaced; `list.0.key` reaches into a list."""
    result = Layer({})
    for layer in layers:
        for key, value in _leaves(layer.values):
            if not isinstance(value, Mapping):
                _drop_origins(result.origins, key)
        result = Layer(_merge(result.values, layer.values), {**result.origins, **layer.origins})
    return result


def without(layer: Layer, key: str) -> Layer:
    """The layer without one top key and all that stands below it."""
    kept = Layer({name: value for name, value in layer.values.items() if name != key}, dict(layer.origins))
    _drop_origins(kept.origins, key)
    return kept


def _single(key: str, text: str, origin: str) -> Layer:
    values: Any = parse_value(text)
    for part in reversed(key.split(".")):
        values = {part: values}
    return Layer(values, dict.fromkeys(_keys(values), origin))


def _keys(values: Any, prefix: str = "") -> Iterator[str]:
    """Dotted keys of everything below, mappings and lists themselves included."""
    items = enumerate(values) if isinstance(values, list) else values.items() if isinstance(values, dict) else ()
    for key, value in items:
        yield f"{prefix}{key}"
        yield from _keys(value, f"{prefix}{key}.")


def parse_value(text: str) -> Any:
    """A value as YAML means it; text that is no YAML, or has no end, is text."""
    try:
        return _plain(YAML(typ="safe", pure=True).load(text))
    except (YAMLError, RecursionError):
        return text


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        merged[key] = _merge_value(merged.get(key), value)
    return merged


def _merge_value(old: Any, new: Any) -> Any:
    if not isinstance(new, Mapping):
        return new
    mapping = cast(Mapping[str, Any], new)
    if isinstance(old, list) and mapping and all(key.isdigit() and int(key) < len(old) for key in mapping):
        return [_merge_value(item, mapping[str(i)]) if str(i) in mapping else item for i, item in enumerate(old)]
    return _merge(cast(Mapping[str, Any], old) if isinstance(old, Mapping) else {}, mapping)


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(cast(Mapping[str, Any], value), f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _drop_origins(origins: dict[str, str], key: str) -> None:
    for name in [name for name in origins if name == key or name.startswith(f"{key}.")]:
        del origins[name]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, float) else value


def _marks(node: Any, path: Path, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Dotted key -> `file:line` for every key of a mapping and every item of a list."""
    if isinstance(node, CommentedMap):
        places = [(key, value, node.lc.key(key)) for key, value in node.items()]
    elif isinstance(node, CommentedSeq):
        places = [(index, value, node.lc.item(index)) for index, value in enumerate(node)]
    else:
        return
    for key, value, (line, _) in places:
        yield f"{prefix}{key}", f"{path}:{line + 1}"
        yield from _marks(value, path, f"{prefix}{key}.")

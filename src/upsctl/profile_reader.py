"""The one reader of YAML: find a profile, lay the layers over each other, validate, and say where each value is from.

Layers, the first wins: command line (`--set key=value`), environment (`UPSCTL_SET__RUNS__KEY__SUBKEY=value`), the
file, the one profile that it `extends:`, the default in the model. Where a layer says `model: nano`, or
`model: {extends: nano, ...}`, the profile models/nano stands in that layer instead, below the layer's own `model` keys.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import platformdirs
from pydantic import ValidationError
from ruamel.yaml import YAML

from upsctl.dataset_card import Frozen
from upsctl.errors import ProfileError
from upsctl.nearest_name import nearest
from upsctl.profile_kinds import PROFILE_KINDS
from upsctl.profile_layers import Layer, environment_layers, file_layer, lay, override_layers, without
from upsctl.profile_problem import explain, origin_of
from upsctl.whole_file import whole_file

ProfileT = TypeVar("ProfileT", bound=Frozen)


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

    def values(self) -> Iterator[tuple[str, Any, str]]:
        """Dotted key, value and origin of every single value, in the profile's order."""
        for key, value in leaves(self.profile.model_dump(mode="json")):
            yield key, value, origin_of(key.split("."), self.origins)


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
    """The file of a profile given by name, by KIND/NAME or by path.

    Raises:
        ProfileError: naming the nearest known name.
    """
    prefix, _, own = name.partition("/")
    if prefix in PROFILE_KINDS and not own.endswith((".yaml", ".yml")):
        if prefix != kind:
            raise ProfileError(f"`{name}` is of {prefix}/", expected=f"a profile of {kind}/")
        name = own
    if name.endswith((".yaml", ".yml")) or os.sep in name:
        if Path(name).is_file():
            return Path(name)
        raise ProfileError(f"{name}: no such file", next_step=f"`upsctl profile list` shows the {kind} there are")
    known = list_profiles(kind)
    if name in known:
        return known[name]
    raise ProfileError(
        f"no profile `{name}` in {kind}/",
        expected=f"{nearest(name, known)}, or a path ending in .yaml",
        next_step="`upsctl profile list` shows all",
    )


def parse_reference(text: str) -> tuple[str, str]:
    """Kind and name of `runs/quickstart`, or kind and path of a file that lies in a folder named as its kind.

    Raises:
        ProfileError: naming the nearest kind, or the kinds that have a profile of that name.
    """
    path = Path(text)
    kind, name = path.parent.name, path.name
    if not kind:
        having = [f"{kind}/{name}" for kind in PROFILE_KINDS if name in list_profiles(kind)]
        named = f"KIND/NAME, or a file in a folder named as its kind, as profiles/runs/{path.stem}.yaml"
        raise ProfileError(f"`{text}` has no kind", expected=" or ".join(having) or named)
    if kind not in PROFILE_KINDS:
        raise ProfileError(f"no kind of profile `{kind}`", expected=nearest(kind, PROFILE_KINDS))
    return kind, text if path.suffix in (".yaml", ".yml") else name


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
    layers = [*_file_layers(kind, path), *environment_layers(kind, PROFILE_KINDS), *override_layers(overrides)]
    laid = _lay_with_models(layers) if kind == "runs" else lay(layers)
    return Resolved(path.stem, validate(PROFILE_KINDS[kind], laid.values, laid.origins), laid.origins, path)


def load_yaml(path: Path) -> dict[str, Any]:
    """The plain values of one YAML file, for files that are not profiles of a search path (an artifact's card)."""
    return file_layer(path).values


def read_typed(model: type[ProfileT], path: Path) -> ProfileT:
    """The typed content of one file alone, such as a run's resolved profile.

    Raises:
        ProfileError: one line, naming file and line.
    """
    layer = file_layer(path)
    return validate(model, layer.values, layer.origins)


def write_yaml(values: Mapping[str, Any], path: Path) -> None:
    """Write plain values, keys in their given order, at once or not at all."""
    yaml = YAML()
    yaml.default_flow_style = None
    yaml.width = 4096
    with whole_file(path) as partial, partial.open("w", encoding="utf-8") as stream:
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
        raise explain(model, error, known) from None
    if isinstance(known, dict):
        for key, _ in leaves(profile.model_dump(mode="json")):
            known.setdefault(key, "default")
    return profile


def _file_layers(kind: str, path: Path) -> list[Layer]:
    """The file's own layer above that of the profile it extends."""
    own = file_layer(path)
    parent = own.values.get("extends")
    if parent is None:
        return [own]
    extended = file_layer(find_profile(kind, str(parent)))
    if "extends" in extended.values:
        problem = f"{own.origins['extends']}: extends `{parent}`, which extends another"
        raise ProfileError(problem, expected="at most one `extends:`")
    return [extended, without(own, "extends")]


def _lay_with_models(layers: Sequence[Layer]) -> Layer:
    """Lay the layers of a run. One that names a model takes the place of all that was said of the model below it."""
    result = Layer({})
    for layer in layers:
        said = layer.values.get("model")
        mapping = cast(dict[str, Any], said) if isinstance(said, dict) else {"extends": said}
        named = mapping.get("extends")
        if named is None:
            result = lay([result, layer])
            continue
        own = Layer({**layer.values, "model": {key: value for key, value in mapping.items() if key != "extends"}})
        own.origins.update({key: origin for key, origin in layer.origins.items() if key != "model.extends"})
        result = lay([without(result, "model"), _model_layer(str(named)), own])
    return result


def _model_layer(name: str) -> Layer:
    model = lay(_file_layers("models", find_profile("models", name)))
    return Layer({"model": model.values}, {f"model.{key}": origin for key, origin in model.origins.items()})


def leaves(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of every leaf; lists of mappings are entered, plain lists are leaves."""
    is_list_of_mappings = isinstance(values, list) and values and all(isinstance(item, dict) for item in values)
    if is_list_of_mappings or (isinstance(values, dict) and values):
        items = enumerate(values) if isinstance(values, list) else cast(dict[str, Any], values).items()
        for key, value in items:
            yield from leaves(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, values

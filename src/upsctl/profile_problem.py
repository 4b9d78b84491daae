"""What is wrong with a profile, said in one line: the file and line, the key, the nearest known key."""

from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from upsctl.errors import ProfileError
from upsctl.nearest_name import nearest


def explain(model: type[BaseModel], error: ValidationError, origins: Mapping[str, str]) -> ProfileError:
    """The first thing that is wrong: an unknown key before anything that it may have caused.

    Args:
        model: the profile's model.
        error: what pydantic found.
        origins: dotted key -> `file:line` or another place.
    """
    details, path, known = min(_located(model, error), key=_rank)
    where, key = origin_of(path, origins), ".".join(path)
    if details["type"] == "extra_forbidden":
        return ProfileError(f"{where}: unknown key `{key}`", expected=nearest(path[-1], known))
    if details["type"] == "missing":
        return ProfileError(f"{where}: no `{key}`", expected=f"a value for `{path[-1]}`")
    if details["type"] == "value_error":
        return ProfileError(f"{where}: {details['msg'].removeprefix('Value error, ')}")
    came = repr(details["input"]) if not isinstance(details["input"], Mapping) else "a mapping"
    expected = details["msg"].removeprefix("Input should be ")
    return ProfileError(f"{where}: `{key}`" if key else where, expected=expected, got=came)


def origin_of(path: Sequence[str], origins: Mapping[str, str]) -> str:
    """Where a value was said: its own origin, or that of the nearest key above it, or the file."""
    for length in range(len(path), 0, -1):
        if (key := ".".join(path[:length])) in origins:
            return origins[key]
    files = (origin.rpartition(":")[0] for origin in origins.values() if origin.rpartition(":")[2].isdigit())
    return next(files, "profile")


def _located(
    model: type[BaseModel], error: ValidationError
) -> Iterator[tuple[ErrorDetails, list[str], list[str]]]:
    for details in error.errors():
        yield details, *_follow(model, [str(part) for part in details["loc"]])


def _rank(located: tuple[ErrorDetails, list[str], list[str]]) -> tuple[bool, bool]:
    """Unknown keys first, and of these the ones with a known neighbour: the right member of a union has them."""
    details, path, known = located
    is_unknown = details["type"] == "extra_forbidden"
    return (not is_unknown, is_unknown and nearest(path[-1], known).startswith("one of"))


def _follow(model: type[BaseModel], location: Sequence[str]) -> tuple[list[str], list[str]]:
    """The path as a person writes it, without the names of a union's members, and the keys known at its end."""
    annotation: Any = model
    path: list[str] = []
    known: list[str] = []
    for part in location:
        members = [member for member in get_args(annotation) if member is not NoneType]
        if _is_union(annotation) and len(members) > 1:
            annotation = next((member for member in members if getattr(member, "__name__", "") == part), Any)
            continue
        path.append(part)
        annotation, known = _step(members[0] if _is_union(annotation) else annotation, part)
    return path, known


def _step(annotation: Any, part: str) -> tuple[Any, list[str]]:
    """The type found under `part`, and the keys beside it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        return (fields[part].annotation if part in fields else Any), list(fields)
    items = [argument for argument in get_args(annotation) if argument is not Ellipsis]
    return (items[-1] if items else Any), []


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, UnionType)

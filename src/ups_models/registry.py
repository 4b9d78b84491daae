"""The folder is the registry: a part's name is the name of its file. Loads nothing until it is asked to."""

import difflib
import importlib
import importlib.util
import pkgutil
from functools import cache
from typing import TypeVar

from ups_models.errors import UnknownPartError

PartT = TypeVar("PartT")


@cache
def list_parts(folder: str) -> tuple[str, ...]:
    """The names in one plural folder, sorted.

    Args:
        folder: the package, such as `ups_models.metrics` or `upsctl.recipes`.
    """
    spec = importlib.util.find_spec(folder)
    locations = spec.submodule_search_locations if spec else None
    return tuple(sorted(module.name for module in pkgutil.iter_modules(locations or [])))


def load_part(folder: str, name: str, interface: type[PartT]) -> type[PartT]:
    """The one final class of `interface` that the file `<folder>/<name>.py` defines.

    Raises:
        UnknownPartError: naming the nearest known name, or the file that breaks the rule of one class.
    """
    if name not in list_parts(folder):
        close = difflib.get_close_matches(name, list_parts(folder), n=1, cutoff=0.5) or list_parts(folder)
        raise UnknownPartError(f"no `{name}` in {folder}; expected {' or '.join(close)}")
    module = importlib.import_module(f"{folder}.{name}")
    own = [part for part in vars(module).values() if isinstance(part, type) and part.__module__ == module.__name__]
    parts = [part for part in own if issubclass(part, interface)]
    if len(parts) != 1:
        raise UnknownPartError(f"{module.__name__} must define one {interface.__name__}, it defines {len(parts)}")
    return parts[0]

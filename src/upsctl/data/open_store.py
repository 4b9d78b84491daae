"""A store by the name of its profile."""

from ups_models.registry import load_part
from upsctl.errors import StoreError
from upsctl.interfaces import AbstractStore
from upsctl.profile_reader import load_profile


def open_store(name: str) -> AbstractStore:
    """The store that a profile of stores/ (a name or a path) describes.

    Raises:
        ProfileError: when there is no such profile.
        StoreError, ResourcesError: when its address cannot be opened.
    """
    profile = load_profile("stores", name).profile
    return _store_class(profile.backend)(profile.address)


def open_writable_store(name: str) -> AbstractStore:
    """The same, for one that is written to.

    Raises:
        StoreError: also when it is read-only.
    """
    store = open_store(name)
    if not store.is_writable:
        raise StoreError(f"store {name}: read-only", expected="a store to write to")
    return store


def _store_class(backend: str) -> type[AbstractStore]:
    return load_part("upsctl.stores", backend, AbstractStore)

"""All datasets that there are cards of, and what of them is on this machine: `upsctl data list`."""

import time
from dataclasses import dataclass

from upsctl.console import Result
from upsctl.data.byte_text import byte_text
from upsctl.data.cache import Cache, CacheRecord
from upsctl.data.card_size import artifact_bytes, maker
from upsctl.data.digests import source_digest
from upsctl.errors import ProfileError
from upsctl.profile_reader import list_profiles, load_profile

_COLUMNS = ("dataset", "size", "from", "last used")


@dataclass(frozen=True)
class ListedDataset:
    """One line of the list.

    Attributes:
        made_by: the card's recipe or converter.
        num_bytes: of the cache's entry; else what the card says that the fields take.
        state: `yes`, `no`, or `outdated` for an entry that an earlier card, recipe or converter made.
        origin: which source answered when it was fetched; None when it is not there.
        last_used: seconds since 1970.
        path: of the entry.
    """

    name: str
    made_by: str
    num_bytes: int
    state: str
    origin: str | None = None
    last_used: float | None = None
    path: str | None = None


def list_datasets() -> Result:
    """The datasets as a table: every card, then the cache's entries that no card means."""
    cache = Cache.default()
    listed, unreadable = _listed(cache)
    values = {"root": str(cache.root), "datasets": [dict(vars(one)) for one in listed], "unreadable": unreadable}
    taken = byte_text(sum(one.num_bytes for one in listed if one.path is not None))
    lines = [f"cache: {cache.root}, {taken}", *(f"cannot be read: {line}" for line in unreadable)]
    next_step = f"upsctl data show {listed[0].name}" if listed else ""
    return Result(values, lines, _COLUMNS, [_row(one) for one in listed], next_step)


def _listed(cache: Cache) -> tuple[list[ListedDataset], list[str]]:
    """Every dataset, and a line for each card that is none."""
    records = {(record.name, record.source_digest): record for record in cache.records()}
    listed, unreadable = [], []
    for name in list_profiles("datasets"):
        try:
            card = load_profile("datasets", name).profile
        except ProfileError as error:
            unreadable.append(error.line)
            continue
        record = records.pop((card.name, source_digest(card)), None)
        missing = ListedDataset(card.name, maker(card), artifact_bytes(card), "no")
        listed.append(_cached(cache, record, maker(card), "yes") if record is not None else missing)
    outdated = [_cached(cache, record, record.origin, "outdated") for record in records.values()]
    return [*listed, *sorted(outdated, key=lambda one: one.name)], unreadable


def _cached(cache: Cache, record: CacheRecord, made_by: str, state: str) -> ListedDataset:
    path = str(cache.path(record))
    return ListedDataset(record.name, made_by, record.num_bytes, state, record.origin, record.last_used, path)


def _row(one: ListedDataset) -> tuple[str, ...]:
    """Narrow enough for a terminal of 80 characters; a dataset that is not here says how it would be made."""
    if one.last_used is None:
        return one.name, byte_text(one.num_bytes), one.made_by, "not here"
    origin = f"outdated {one.origin}" if one.state == "outdated" else str(one.origin)
    return one.name, byte_text(one.num_bytes), origin, time.strftime("%Y-%m-%d", time.localtime(one.last_used))

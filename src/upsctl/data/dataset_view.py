"""One dataset as its card says it: `upsctl data show`."""

from pathlib import Path

from upsctl.console import Result
from upsctl.data.byte_text import byte_text
from upsctl.data.cache import Cache, CacheRecord
from upsctl.data.card_size import artifact_bytes, download_bytes, maker
from upsctl.data.digests import source_digest
from upsctl.data.manifest import CARD_NAME, MANIFEST_NAME
from upsctl.dataset_card import AxisCard, DatasetCard
from upsctl.profile_reader import load_profile, load_yaml, validate

_COLUMNS = ("field or parameter", "role", "units", "meaning")


def view_dataset(reference: str) -> Result:
    """The card of a dataset (its name or path), or of an unpacked artifact's folder, as text for people.

    Raises:
        ProfileError: when there is no such card.
    """
    if (Path(reference) / MANIFEST_NAME).is_file():
        card, path = validate(DatasetCard, load_yaml(Path(reference) / CARD_NAME)), Path(reference)
        return _view(card, f"here: {path}", {"path": str(path)}, f"upsctl data verify {reference}")
    card, cache = load_profile("datasets", reference).profile, Cache.default()
    record = next((one for one in cache.records() if _is_of(one, card)), None)
    if record is None:
        cost = byte_text(artifact_bytes(card))
        cost += f"; {byte_text(download_bytes(card))} to download" if download_bytes(card) else ""
        return _view(card, f"not in the cache; {cost}", {"path": None}, f"upsctl data fetch {reference}")
    path = cache.path(record)
    here = f"in the cache: {path}, {byte_text(record.num_bytes)}, from {record.origin}"
    return _view(card, here, {"path": str(path), **record.model_dump()}, f"upsctl data verify {reference}")


def _is_of(record: CacheRecord, card: DatasetCard) -> bool:
    return record.name == card.name and record.source_digest == source_digest(card)


def _view(card: DatasetCard, here: str, cached: dict[str, object], next_step: str) -> Result:
    rows = [(name, field.role, field.units, field.description) for name, field in card.fields.items()]
    rows += [
        (name, "parameter", item.units, f"{item.description}: {item.values_text}")
        for name, item in card.parameters.items()
    ]
    values = {"card": card.model_dump(mode="json"), "cached": cached}
    return Result(values, [*_sentences(card), here], _COLUMNS, rows, next_step)


def _sentences(card: DatasetCard) -> list[str]:
    cells = " x ".join(str(axis.num_cells) for axis in card.axes)
    axes = ", ".join(f"{axis.name} in ({axis.low:g}, {axis.high:g}) {axis.units}, {_ends(axis)}" for axis in card.axes)
    splits = ", ".join(f"{count} {split}" for split, count in card.splits.model_dump().items())
    frames = f"{card.time.num_frames} frames, {card.time.dt:g} {card.time.units} apart"
    stored = [f"stored: {record.store} ({len(record.parts)} parts)" for record in card.artifacts]
    return [
        f"{card.name}: {card.title}", card.description, f"equation: {card.equation}",
        f"grid: {cells} cells, {frames}; {axes}", f"trajectories: {splits}", f"made by: {maker(card)}", *stored,
        f"licence: {card.licence}", f"citation: {card.citation}",
    ]  # fmt: skip


def _ends(axis: AxisCard) -> str:
    low, high = axis.boundary
    return low if low == high else f"{low} to {high}"

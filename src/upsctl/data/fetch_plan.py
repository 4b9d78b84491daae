"""What a fetch would do and cost, without doing it: `upsctl data fetch --dry-run`."""

from dataclasses import dataclass

from upsctl.data.byte_text import byte_text
from upsctl.data.cache import Cache
from upsctl.data.card_size import artifact_bytes, download_bytes, maker, num_trajectories
from upsctl.data.digests import source_digest
from upsctl.dataset_card import DatasetCard, RecipeSource
from upsctl.profile_reader import load_profile


@dataclass(frozen=True)
class FetchPlan:
    """The source that would be asked first, what it costs, and those that would be asked after it."""

    name: str
    first_source: str
    cost: str
    num_bytes: int
    further_sources: tuple[str, ...] = ()


def plan_fetch(name: str) -> FetchPlan:
    """Look at the card and the cache alone; no store and no vendor is asked.

    Raises:
        ProfileError: when there is no such card.
    """
    card, cache = load_profile("datasets", name).profile, Cache.default()
    record = cache.find(card.name, source_digest(card))
    if record is not None:
        return FetchPlan(card.name, "cache", f"nothing; it is in {cache.path(record)}", record.num_bytes)
    known = [one for one in card.artifacts if one.source_digest == source_digest(card)]
    sources = [*(f"store {one.store}" for one in known), maker(card)]
    if not known:
        return FetchPlan(card.name, sources[0], _cost_to_make(card), artifact_bytes(card))
    size = sum(part.num_bytes for part in known[0].parts)
    return FetchPlan(card.name, sources[0], f"{byte_text(size)} to download", size, tuple(sources[1:]))


def _cost_to_make(card: DatasetCard) -> str:
    size = byte_text(artifact_bytes(card))
    if isinstance(card.source, RecipeSource):
        return f"{num_trajectories(card)} trajectories to solve, {size} on the disk"
    return f"{byte_text(download_bytes(card))} to download in {len(card.source.files)} files, {size} on the disk"

"""Raw files -> one artifact, a trajectory at a time, with the card resolved to what the files hold."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ups_models.registry import load_part
from upsctl.console import progress_bar
from upsctl.data.artifact_writer import ArtifactWriter
from upsctl.data.digests import file_digest, source_digest
from upsctl.data.manifest import Manifest
from upsctl.data.provenance import build_provenance
from upsctl.dataset_card import DatasetCard, SplitsCard, VendorSource
from upsctl.errors import DataError, ProfileError
from upsctl.interfaces import AbstractConverter
from upsctl.recipe_card import SPLITS
from upsctl.sample import Sample


def build_converter(name: str) -> AbstractConverter:
    """The converter of a format."""
    return _converter_class(name)()


def refuse_no_file(source: Path) -> None:
    """A raw file must be one.

    Raises:
        DataError: when it is a folder, or is not there.
    """
    if not source.is_file():
        raise DataError(f"{source}: {'a folder' if source.is_dir() else 'no such file'}", expected="a raw file")


def convert_files(sources: Iterable[Path], card: DatasetCard, target: Path, digest: str | None = None) -> Manifest:
    """Convert the raw files into the folder `target`.

    The artifact's card is `card` resolved: cells, frames, time step and trajectories per split are those found, so a
    part of the vendor's files, or a coarser one in the vendor's layout, is an artifact too.

    Args:
        sources: raw files; each is read once, in order, and may be gone afterwards.
        card: with this format's converter as its source.
        target: an empty folder.
        digest: the source digest, where the card alone decides it; of card and files when None.

    Raises:
        ProfileError: when the card is made by a recipe.
        DataError: when a file breaks a rule of its format, or two files differ in grid or times.
    """
    if not isinstance(card.source, VendorSource):
        raise ProfileError(f"{card.name}: source", expected="a converter", got=f"recipe {card.source.recipe}")
    hashes: dict[str, str] = {}
    samples = _iter_samples(build_converter(card.source.converter), sources, card, hashes)
    first = next(samples, None)
    if first is None:
        raise DataError(f"{card.name}: no trajectories in the files")
    resolved = _resolve(card, first)
    with (
        ArtifactWriter(target, resolved) as writer,
        progress_bar(f"converting {card.name}", _expected(card, sources)) as bar,
    ):
        writer.write(first)
        for sample in samples:
            writer.write(sample)
            bar.advance(1, sample.trajectory_id)
        splits = SplitsCard(**{split: writer.num_trajectories.get(split, 0) for split in SPLITS})
        resolved = resolved.model_copy(update={"splits": splits})
        provenance = build_provenance(card, digest or source_digest(resolved, hashes), hashes)
        return writer.finish(resolved, provenance)


def differences(card: DatasetCard, resolved: DatasetCard) -> list[str]:
    """In what the converted files differ from the card, a sentence each."""
    pairs = [
        (f"cells along {axis.name}", axis.num_cells, found.num_cells)
        for axis, found in zip(card.axes, resolved.axes, strict=True)
    ]
    pairs += [("frames", card.time.num_frames, resolved.time.num_frames), ("time step", card.time.dt, resolved.time.dt)]
    pairs += [
        (f"{split} trajectories", getattr(card.splits, split), getattr(resolved.splits, split)) for split in SPLITS
    ]
    return [f"{what}: {found:g}, the card says {published:g}" for what, published, found in pairs if found != published]


def _iter_samples(
    converter: AbstractConverter, sources: Iterable[Path], card: DatasetCard, hashes: dict[str, str]
) -> Iterator[Sample]:
    for source in sources:
        refuse_no_file(source)
        if source.name in hashes:
            raise DataError(f"{source}: given twice", expected="each raw file once")
        hashes[source.name] = file_digest(source)
        yield from converter.convert(source, card)


def _expected(card: DatasetCard, sources: Iterable[Path]) -> int:
    """How many trajectories the files hold if they are as the vendor published them."""
    total = sum(card.splits.model_dump().values())
    known = card.source.files if isinstance(card.source, VendorSource) else ()
    return round(total * len(sources) / len(known)) if isinstance(sources, Sequence) and known else total


def _resolve(card: DatasetCard, first: Sample) -> DatasetCard:
    shape, times = first.domain.geometry.shape, first.times
    axes = tuple(axis.model_copy(update={"num_cells": size}) for axis, size in zip(card.axes, shape, strict=True))
    step = float(f"{(times[-1] - times[0]) / (len(times) - 1):.6g}") if len(times) > 1 else card.time.dt
    time = card.time.model_copy(update={"num_frames": len(times), "dt": step, "start": float(f"{times[0]:.6g}")})
    return card.model_copy(update={"axes": axes, "time": time})


def _converter_class(name: str) -> type[AbstractConverter]:
    return load_part("upsctl.converters", name, AbstractConverter)

"""A person's own raw files -> an artifact in a folder: `upsctl data convert`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ups_models.registry import list_parts
from upsctl.data.card_size import maker
from upsctl.data.convert import build_converter, convert_files, differences, refuse_no_file
from upsctl.data.disk import reported_disk_errors
from upsctl.data.manifest import CARD_NAME, Manifest
from upsctl.data.working_folder import working_folder
from upsctl.dataset_card import DatasetCard, VendorSource
from upsctl.errors import DataError, ProfileError, UsageError
from upsctl.nearest_name import nearest
from upsctl.profile_reader import load_profile, load_yaml, validate
from upsctl.recipe_card import SPLITS


@dataclass(frozen=True)
class Conversion:
    """What would be converted, by which card, and to where."""

    card: DatasetCard
    sources: tuple[Path, ...]
    output: Path

    @property
    def num_bytes(self) -> int:
        """Bytes of the raw files."""
        return sum(source.stat().st_size for source in self.sources)


@dataclass(frozen=True)
class Converted:
    """What came out: the manifest, and in what the files differ from the card, a sentence each."""

    manifest: Manifest
    differences: tuple[str, ...]

    @property
    def num_trajectories(self) -> dict[str, int]:
        """Of each split that has any."""
        found = self.manifest.trajectories
        return {split: len(found[split]) for split in SPLITS if split in found}


def plan_conversion(format_name: str, sources: Sequence[Path], card_name: str | None, output: Path) -> Conversion:
    """Everything that can be refused before a byte is read.

    Args:
        format_name: a file of `upsctl/converters/`.
        sources: raw files.
        card_name: name or path of the card that they follow; None where their names decide it.
        output: a folder that is not there or empty.

    Raises:
        UsageError: when the format is unknown, the folder is in use, or no name decides the card.
        DataError: when a file is missing, or two files' names mean different cards.
        ProfileError: when the card is not of that format.
    """
    known = list_parts("upsctl.converters")
    if format_name not in known:
        raise UsageError(f"no format `{format_name}`", expected=nearest(format_name, known))
    for source in sources:
        refuse_no_file(source)
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise UsageError(f"{output}: exists", expected="a new or empty folder", next_step="choose another --output")
    name = card_name if card_name is not None else _decided_card(format_name, sources)
    card = load_profile("datasets", name).profile
    if not isinstance(card.source, VendorSource) or card.source.converter != format_name:
        raise ProfileError(f"{card.name}: source", expected=f"converter {format_name}", got=maker(card))
    return Conversion(card, tuple(sources), output)


def run_conversion(conversion: Conversion) -> Converted:
    """Convert beside the output folder, then rename: the folder is whole or not there.

    Raises:
        DataError: when a file breaks a rule of its format or of the card.
        DiskError: when there is no space.
    """
    output = conversion.output.absolute()
    with (
        reported_disk_errors(f"converting to {conversion.output}"),
        working_folder(output.parent, f".converting-{output.name}-") as folder,
    ):
        manifest = convert_files(conversion.sources, conversion.card, folder)
        resolved = validate(DatasetCard, load_yaml(folder / CARD_NAME))
        folder.rename(output)
    return Converted(manifest, tuple(differences(conversion.card, resolved)))


def _decided_card(format_name: str, sources: Sequence[Path]) -> str:
    converter = build_converter(format_name)
    decided = {source: converter.card_name(source) for source in sources}
    for source, name in decided.items():
        if name is None:
            raise UsageError(f"{source.name}: no card has files of that name", next_step="name one with --card")
    names = sorted({name for name in decided.values() if name is not None})
    if len(names) > 1:
        raise DataError("files of different datasets", expected="one dataset", got=" and ".join(names))
    return names[0]

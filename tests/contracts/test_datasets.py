"""What every dataset card keeps, found by listing `profiles/datasets/`."""

import csv
import re
from pathlib import Path

import pytest

from ups_models.registry import list_parts
from upsctl.data.artifact_writer import version_in_name
from upsctl.data.problems import problem_of
from upsctl.dataset_card import DatasetCard, RecipeSource, VendorSource
from upsctl.profile_check import problems_of
from upsctl.profile_reader import load_profile, shipped_profiles

CARDS = sorted(path.stem for path in (shipped_profiles() / "datasets").glob("*.yaml"))
VENDOR_CARDS = [name for name in CARDS if "_pdebench_" in name]
CATALOG = Path(__file__).parents[3] / "shared" / "pdebench_catalog.csv"
BASE_UNITS = {"m", "s", "kg", "K"}


def read_card(name: str) -> DatasetCard:
    return load_profile("datasets", str(shipped_profiles() / "datasets" / f"{name}.yaml")).profile


def unknown_units(units: str) -> set[str]:
    """Symbols of `kg/m/s2` that are no base unit."""
    return {re.sub(r"\d+$", "", symbol) for symbol in units.split("/") if symbol != "1"} - BASE_UNITS


@pytest.mark.parametrize("name", CARDS)
def test_a_card_parses_and_every_name_in_it_is_known(name: str) -> None:
    assert problems_of(f"datasets/{name}") == []
    assert read_card(name).name == name
    assert version_in_name(name) >= 1


@pytest.mark.parametrize("name", CARDS)
def test_units_are_known(name: str) -> None:
    card = read_card(name)
    units = [axis.units for axis in card.axes] + [card.time.units]
    units += [field.units for field in card.fields.values()] + [item.units for item in card.parameters.values()]
    assert set().union(*map(unknown_units, units)) == set()


def test_an_unknown_unit_would_be_noticed() -> None:
    assert unknown_units("furlong/s2") == {"furlong"}


@pytest.mark.parametrize("name", CARDS)
def test_the_mathematics_understands_the_card(name: str) -> None:
    problem = problem_of(read_card(name))
    assert set(problem.fields) == set(read_card(name).fields)


@pytest.mark.parametrize("name", CARDS)
def test_the_data_are_cited_licensed_and_described(name: str) -> None:
    card = read_card(name)
    assert re.search(r"arXiv:\d{4}\.\d{5}|doi:10\.", card.citation)
    assert card.licence
    assert len(card.description) > 60
    assert all(field.description for field in card.fields.values())
    assert all(item.description for item in card.parameters.values())


@pytest.mark.parametrize("name", CARDS)
def test_splits_and_parameters_are_there(name: str) -> None:
    card = read_card(name)
    assert min(card.splits.train, card.splits.valid, card.splits.test) > 0
    for item in card.parameters.values():
        assert len(set(item.values)) == len(item.values)
        assert item.range is None or item.range[0] < item.range[1]


def test_a_name_says_how_the_content_is_made() -> None:
    for name in CARDS:
        is_vendors = isinstance(read_card(name).source, VendorSource)
        assert is_vendors == (name in VENDOR_CARDS)
    made = {read_card(name).source.recipe for name in set(CARDS) - set(VENDOR_CARDS)}  # type: ignore
    assert made == set(list_parts("upsctl.recipes"))


@pytest.mark.parametrize("name", VENDOR_CARDS)
def test_the_vendors_files_are_each_there_once_and_fit_the_cards_pattern(name: str) -> None:
    source = read_card(name).source
    assert not isinstance(source, RecipeSource)
    names, addresses, hashes = zip(*((one.filename, one.address, one.md5) for one in source.files), strict=True)
    assert len(set(names)) == len(set(addresses)) == len(set(hashes)) == len(names)
    for file in source.files:
        match = re.fullmatch(source.settings["filename"], file.filename)
        assert match is not None
        named = {key: float(value) for key, value in match.groupdict().items() if key != "file"}
        assert named == pytest.approx(file.parameters)
        assert re.fullmatch(r"[0-9a-f]{32}", file.md5)


@pytest.mark.parametrize("name", VENDOR_CARDS)
def test_a_parameters_values_are_those_of_the_files(name: str) -> None:
    card = read_card(name)
    assert isinstance(card.source, VendorSource)
    for parameter, item in card.parameters.items():
        found = {file.parameters[parameter] for file in card.source.files if parameter in file.parameters}
        assert not found or found == set(item.values)


@pytest.mark.skipif(not CATALOG.is_file(), reason="PDEBench's catalogue is not beside the repository")
@pytest.mark.parametrize("name", VENDOR_CARDS)
def test_the_vendors_files_are_those_of_its_catalogue(name: str) -> None:
    with CATALOG.open(encoding="utf-8") as stream:
        catalogue = {row["filename"]: row for row in csv.DictReader(stream)}
    source = read_card(name).source
    assert isinstance(source, VendorSource) and source.files
    for file in source.files:
        row = catalogue[file.filename]
        assert file.address.rpartition("/")[2] == row["darus_file_id"]
        assert (file.md5, file.num_bytes) == (row["md5"], int(row["size_bytes"]))

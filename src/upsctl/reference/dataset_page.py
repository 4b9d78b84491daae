"""The page of datasets and the registry: from the cards that ship with the program."""

import io
from typing import Any

from ruamel.yaml import YAML

from upsctl.data.card_size import maker
from upsctl.dataset_card import DatasetCard
from upsctl.profile_reader import load_profile, shipped_profiles

HEAD = """# Datasets

Made by `make docs` from the cards in `profiles/datasets/`. `upsctl data fetch NAME` makes or finds any of them;
`upsctl data show NAME` prints its card.

| name | size of one trajectory | trajectories (train, valid, test) | made by |
|---|---|---|---|
"""
REGISTRY_HEAD = "# Made by `make docs` from the cards in profiles/datasets/.\n"


def shipped_cards() -> list[DatasetCard]:
    """Every card that ships with the program, by name."""
    paths = sorted((shipped_profiles() / "datasets").glob("*.yaml"))
    return [load_profile("datasets", str(path)).profile for path in paths]


def dataset_page() -> str:
    """A table of all datasets and a section for each."""
    cards = shipped_cards()
    return HEAD + "".join(map(_row, cards)) + "".join(map(_section, cards))


def dataset_registry() -> str:
    """Name -> what a program needs to choose a dataset."""
    yaml, stream = YAML(), io.StringIO()
    yaml.width = 110
    yaml.default_flow_style = None
    yaml.dump({card.name: _entry(card) for card in shipped_cards()}, stream)
    return REGISTRY_HEAD + stream.getvalue()


def _entry(card: DatasetCard) -> dict[str, Any]:
    return {
        "title": card.title,
        "made_by": maker(card),
        "modality": card.modality,
        "num_cells": [axis.num_cells for axis in card.axes],
        "num_frames": card.time.num_frames,
        "fields": {name: field.units for name, field in card.fields.items()},
        "parameters": {name: parameter.units for name, parameter in card.parameters.items()},
        "splits": card.splits.model_dump(),
        "licence": card.licence,
        "artifacts": [{"store": record.store, "content_digest": record.content_digest} for record in card.artifacts],
    }


def _row(card: DatasetCard) -> str:
    cells = " x ".join(str(axis.num_cells) for axis in card.axes)
    splits = f"{card.splits.train}, {card.splits.valid}, {card.splits.test}"
    name = f"[{card.name}](#{card.name})"
    return f"| {name} | {cells} cells, {card.time.num_frames} frames | {splits} | {maker(card)} |\n"


def _section(card: DatasetCard) -> str:
    return "".join(
        [
            f"\n## {card.name}\n\n{card.title}. {card.description.strip()}\n\n    {card.equation.strip()}\n\n",
            "| axis | from | to | cells | boundary |\n|---|---|---|---|---|\n",
            *(
                f"| {axis.name} ({axis.units}) | {axis.low:g} | {axis.high:g} | {axis.num_cells} |"
                f" {', '.join(axis.boundary)} |\n"
                for axis in card.axes
            ),
            f"\n{card.time.num_frames} frames, {card.time.dt:g} {card.time.units} apart.\n\n",
            "| name | role | units | meaning |\n|---|---|---|---|\n",
            *(
                f"| {name} | {one.role} field | {one.units} | {one.description} |\n"
                for name, one in card.fields.items()
            ),
            *(
                f"| {name} | parameter: {one.values_text} | {one.units} | {one.description} |\n"
                for name, one in card.parameters.items()
            ),
            *_checks(card),
            f"\nLicence: {card.licence}. Cite: {' '.join(card.citation.split())}.\n",
        ]
    )


def _checks(card: DatasetCard) -> list[str]:
    rows = [f"| {name} | {value:g} |\n" for name, value in card.checks.items()]
    return ["\n| measured | value |\n|---|---|\n", *rows] if rows else []

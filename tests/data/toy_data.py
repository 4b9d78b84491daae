"""A small artifact with everything the format has: two dimensions, vectors, constants, parameters, three boundaries."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from upsctl.data.artifact_writer import ArtifactWriter, file_records
from upsctl.data.content_digest import content_digest
from upsctl.data.hdf5_layout import split_file
from upsctl.data.manifest import Manifest, read_manifest, write_manifest
from upsctl.data.provenance import build_provenance
from upsctl.dataset_card import DatasetCard
from upsctl.recipe_card import build_grid, frame_times
from upsctl.sample import Domain, Sample

NUM = {"train": 3, "valid": 2, "test": 2}
CARD = DatasetCard.model_validate({
    "name": "toy2d_v3",
    "title": "a toy", "description": "random numbers", "equation": "none", "modality": "grid",
    "axes": [
        {"name": "x", "low": 0.0, "high": 1.0, "num_cells": 4, "boundary": ["periodic", "periodic"]},
        {"name": "y", "low": -1.0, "high": 2.0, "num_cells": 6, "boundary": ["wall", "open"]},
    ],
    "time": {"dt": 0.5, "num_frames": 3, "start": 1.0},
    "fields": {
        "velocity": {"tensor_order": 1, "units": "m/s", "description": "velocity"},
        "density": {"tensor_order": 0, "units": "kg/m3", "description": "density"},
        "force": {"role": "constant", "tensor_order": 1, "units": "m/s2", "description": "force"},
    },
    "parameters": {
        "viscosity": {"units": "m2/s", "description": "viscosity", "values": [0.1, 0.2]},
        "reynolds": {"units": "1", "description": "Reynolds number", "range": [10.0, 100.0]},
        "gamma": {"units": "1", "description": "the same for all", "values": [1.4]},
    },
    "source": {"recipe": "burgers", "seed": 0, "settings": {}},
    "splits": NUM, "licence": "CC0", "citation": "nobody",
})  # fmt: skip


def toy_samples(card: DatasetCard = CARD) -> Iterator[Sample]:
    random, grid = np.random.default_rng(7), build_grid(card)
    frames, shape, number = card.time.num_frames, grid.shape, 0
    for split, count in card.splits.model_dump().items():
        for _ in range(count):
            fields = {
                "velocity": random.normal(size=(frames, *shape, 2)).astype(np.float32),
                "density": random.random((frames, *shape, 1)).astype(np.float32),
            }
            constants = {"force": random.normal(size=(*shape, 2)).astype(np.float32)}
            parameters = {"viscosity": 0.1 + 0.1 * (number % 2), "reynolds": 10.0 + number, "gamma": 1.4}
            name = f"{split}_{number:04d}/viscosity_{parameters['viscosity']:g}"
            domain = Domain(grid, fields, constants)
            yield Sample(name, split, {"domain": domain}, frame_times(card), parameters)  # type: ignore
            number += 1


def write_toy(folder: Path, card: DatasetCard = CARD) -> Manifest:
    with ArtifactWriter(folder, card) as writer:
        for sample in toy_samples(card):
            writer.write(sample)
        return writer.finish(card, build_provenance(card, "d" * 64))


def reseal(folder: Path, **changes: object) -> None:
    """Make hashes and content digest right again after a change of the files, so that only one rule is broken."""
    manifest = read_manifest(folder)
    digest = content_digest({split: split_file(folder, manifest.name, split) for split in manifest.trajectories})
    update = {"files": file_records(folder), "content_digest": digest, **changes}
    write_manifest(manifest.model_copy(update=update), folder)

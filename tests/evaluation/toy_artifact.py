"""A packed artifact of the analytic waves, and checkpoints of emulators that need no training."""

from pathlib import Path
from typing import Any

from torch import nn

from contracts.toy_lineage import LINEAGE
from evaluation.toy_predictions import toy_predictions
from ups_models.batch import Batch, Fields
from ups_models.checkpoint import Checkpoint, EmulatorDescription, build_emulator, load_checkpoint, save_checkpoint
from ups_models.interfaces import AbstractEmulator, PartConfig
from upsctl.data.artifact import Artifact
from upsctl.data.artifact_writer import ArtifactWriter
from upsctl.data.problems import problem_of
from upsctl.data.provenance import build_provenance
from upsctl.dataset_card import DatasetCard, SplitsCard
from upsctl.profile_reader import write_yaml
from upsctl.sample import Domain, Grid, Sample
from upsctl.source_digest import training_digest

NUM_TRAJECTORIES = 6


class Counting(AbstractEmulator):
    """Adds one to every field at each step; as `Counting(nan)` it diverges at once."""

    Config = PartConfig

    def __init__(self, increment: float = 1.0) -> None:
        nn.Module.__init__(self)
        self.increment = increment

    def step(self, batch: Batch) -> Fields:
        return {name: field[:, :1] + self.increment for name, field in batch.fields.items()}


def write_toy_artifact(folder: Path, num_dimensions: int = 1) -> Artifact:
    waves = toy_predictions(num_dimensions, num_trajectories=NUM_TRAJECTORIES)
    count = SplitsCard(train=NUM_TRAJECTORIES, valid=NUM_TRAJECTORIES, test=NUM_TRAJECTORIES)
    card = waves.card.model_copy(update={"splits": count, "name": f"toy{num_dimensions}d_v1"})
    with ArtifactWriter(folder, card) as writer:
        for split in ("train", "valid", "test"):
            for index in range(NUM_TRAJECTORIES):
                domain = Domain(Grid(waves.axes), {name: field[index] for name, field in waves.truth.items()})
                parameters = {name: float(values[index]) for name, values in waves.parameters.items()}
                writer.write(Sample(f"{split}_{index:04d}", split, {"domain": domain}, waves.times, parameters))
        writer.finish(card, build_provenance(card, "d" * 64))
    return Artifact.open(folder, ("valid", "test"))


def write_toy_card(profiles: Path, card: DatasetCard) -> None:
    """Make the card known as a profile."""
    (profiles / "datasets").mkdir(parents=True)
    write_yaml(card.model_dump(mode="json"), profiles / "datasets" / f"{card.name}.yaml")


def toy_checkpoint(folder: Path, card: DatasetCard, emulator: str = "persistence", **settings: Any) -> Checkpoint:
    description = EmulatorDescription(
        emulator=emulator, frame="standard", prediction="residual", settings=settings,
        problems={card.name: problem_of(card)})
    lineage = {**LINEAGE, "label": emulator, "source_digest": training_digest(emulator)}
    folder.mkdir(parents=True)
    save_checkpoint(folder, description, build_emulator(description).state_dict(), {}, lineage)
    return load_checkpoint(folder)

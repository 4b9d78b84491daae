"""One training of a campaign: in a folder of its own, begun, gone on with, or found finished."""

import shutil
from pathlib import Path

from ups_models.checkpoint import read_lineage
from ups_models.errors import CheckpointError
from upsctl.console import say
from upsctl.data.artifact import Artifact
from upsctl.data.problems import problem_digest, problem_of
from upsctl.errors import ProfileError
from upsctl.profiles import RunProfile
from upsctl.source_digest import training_digest
from upsctl.training.lineage import describe_datasets
from upsctl.training.run_folder import RunFolder, write_run
from upsctl.training.trained_run import TrainingData, train_run


def train_planned(path: Path, profile: RunProfile, campaign: str, command: str, data: TrainingData) -> Path:
    """Train what is missing in `path`; returns the finished checkpoint.

    What an earlier profile or earlier sources trained there is thrown away, and said.

    Raises:
        RunError: when another process trains there.
        DivergedError, UpsctlError: as the loop raises them.
    """
    (stage,) = profile.stages
    if path.exists() and not _is_of(RunFolder(path), profile, data):
        say(f"{path.name}: its profile or sources have changed; trained again")
        RunFolder(path).refuse_if_trained()
        shutil.rmtree(path)
    facts = {"campaign": campaign, "command": command}
    run = RunFolder(path) if path.exists() else write_run(path, profile, campaign, facts)
    if not run.is_finished(stage, profile.stages[stage].num_steps):
        train_run(run, [stage], command, data)
    checkpoint = run.checkpoint(stage)
    assert checkpoint is not None
    return checkpoint


def wall_seconds(checkpoint: Path) -> float:
    """The time that the updates of a checkpoint took."""
    return read_lineage(checkpoint).wall_seconds


def data_digest(artifact: Artifact) -> str:
    """What a training takes from a dataset: its content, and what its card says to the model."""
    return f"{artifact.content_digest[:16]}-{problem_digest(problem_of(artifact.card))}"


def _is_of(run: RunFolder, profile: RunProfile, data: TrainingData) -> bool:
    """Whether the run has this profile, and its last checkpoint these sources, these data and the present schema."""
    try:
        own, checkpoint = run.profile, run.checkpoint(next(iter(profile.stages)))
        lineage = None if checkpoint is None else read_lineage(checkpoint)
    except (CheckpointError, ProfileError):
        return False
    if own != profile:
        return False
    return lineage is None or (lineage.source_digest, lineage.datasets) == (
        training_digest(profile.model.emulator),
        describe_datasets({name: data.artifacts[name] for name in profile.datasets}),
    )

"""What must be as it was where a run goes on: its model, its data and its sources."""

from pathlib import Path

from ups_models.checkpoint import read_lineage
from upsctl.errors import ProfileError, RunError
from upsctl.profiles import RunProfile
from upsctl.source_digest import training_digest
from upsctl.training.lineage import describe_datasets
from upsctl.training.run_folder import RunFolder
from upsctl.training.trained_run import TrainingData, choose_device

NEW_RUN = "`upsctl train` without --resume begins a new run"


def refuse_other_weights(run: RunFolder, changed: RunProfile) -> None:
    """A change of the profile must leave the weights that are trained already in their places.

    Raises:
        ProfileError: when it does not.
        ResourcesError: when the device that it names is not there.
    """
    choose_device(changed)  # before anything is written
    before = run.profile
    if _last_checkpoint(run) is None:
        return
    for key, old, new in (
        ("model", before.model, changed.model), ("seed", before.seed, changed.seed),
        ("datasets", list(before.datasets), list(changed.datasets)),
    ):
        if old != new:
            raise ProfileError(f"{run.name}: `{key}` cannot change once weights are trained", next_step=NEW_RUN)


def open_training_data(run: RunFolder) -> TrainingData:
    """The data of a run; where it has a checkpoint, the same that trained it, and by the same sources.

    A content that differs in its last bits alone, as another machine's may, is the same.

    Raises:
        RunError: when data or sources have changed since.
        UpsctlError: as the data's sources raise it.
    """
    data = TrainingData.open(list(run.profile.datasets))
    checkpoint = _last_checkpoint(run)
    if checkpoint is None:
        return data
    lineage = read_lineage(checkpoint)
    for name, digests in describe_datasets(data.artifacts).items():
        trained = lineage.datasets[name]
        if (trained.recipe_digest, trained.problem_digest) != (digests.recipe_digest, digests.problem_digest):
            raise RunError(f"{run.name}: {name} is not what it was trained on any more", next_step=NEW_RUN)
    if lineage.source_digest != training_digest(run.profile.model.emulator):
        raise RunError(f"{run.name}: the code that trained it has changed since", next_step=NEW_RUN)
    return data


def _last_checkpoint(run: RunFolder) -> Path | None:
    found = [run.checkpoint(stage) for stage in run.profile.stages]
    return next((checkpoint for checkpoint in reversed(found) if checkpoint is not None), None)

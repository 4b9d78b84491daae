"""A run from its resolved profile to its finished stages: data, model, one loop after another."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from ups_models.batch import Batch
from ups_models.checkpoint import EmulatorDescription, build_emulator, load_weights
from ups_models.interfaces import AbstractEmulator
from upsctl.data.artifact import Artifact
from upsctl.data.fetch import open_dataset
from upsctl.data.loader import SplitTensors
from upsctl.data.problems import problem_of
from upsctl.errors import ResourcesError, RunError
from upsctl.machine import count_threads
from upsctl.profiles import RunProfile
from upsctl.training.lineage import describe_lineage
from upsctl.training.loop import StageTraining
from upsctl.training.mixture import Mixture
from upsctl.training.run_folder import RunFolder
from upsctl.training.tracker import tracking
from upsctl.training.updates import Updates, stage_class

NUM_FIT_PAIRS = 4096
NUM_VALID_PAIRS = 64


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What a training may read: training and validation split of its datasets, never the test split."""

    artifacts: Mapping[str, Artifact]
    train: Mapping[str, SplitTensors]
    valid: Mapping[str, SplitTensors]

    @classmethod
    def open(cls, datasets: Sequence[str]) -> "TrainingData":
        """Fetch what is not there and read it into memory.

        Raises:
            UpsctlError: as `upsctl.data.fetch.open_dataset` does.
        """
        artifacts = {name: open_dataset(name, ("train", "valid")) for name in datasets}
        splits = ({name: SplitTensors(artifacts[name], split) for name in datasets} for split in ("train", "valid"))
        return cls(artifacts, *splits)

    def only(self, datasets: Sequence[str]) -> "TrainingData":
        """A part of it."""
        return TrainingData(
            {name: self.artifacts[name] for name in datasets},
            {name: self.train[name] for name in datasets},
            {name: self.valid[name] for name in datasets},
        )

    def valid_pairs(self, device: str) -> dict[str, Batch]:
        """Some pairs of consecutive frames of each validation split."""
        batches = {name: tensors.random_windows(NUM_VALID_PAIRS, 2) for name, tensors in self.valid.items()}
        return {name: batch.map(lambda tensor: tensor.to(device)) for name, batch in batches.items()}


def train_run(run: RunFolder, stages: Sequence[str], command: str, data: TrainingData | None = None) -> None:
    """Train the missing updates of the named stages of a run, in their order.

    Args:
        run: with its resolved profile.
        stages: names of stages of the profile.
        command: what a person types to make this training again.
        data: already in memory, if several runs share it.

    Raises:
        RunError: when a stage needs another that is not finished, or another process trains this run.
        DivergedError, UpsctlError: as the loop and the data's sources raise them.
    """
    profile = run.profile
    with _alone(run), tracking(run, profile.tracker) as tracker:
        torch.set_num_threads(count_threads(profile.num_threads))
        device = choose_device(profile)
        names = list(profile.datasets)
        data = data.only(names) if data is not None else TrainingData.open(names)
        description = describe_emulator(profile, data.artifacts)
        for stage in stages:
            refuse_unmet_needs(run, stage)
            model = build_model(description, profile.seed, data, _last_weights(run, stage)).to(device)
            lineage = describe_lineage(profile, run.name, model, data.artifacts, device, command)
            StageTraining(
                run, profile, stage, build_updates(model, stage, profile, data, device), description,
                {**lineage, "stages": _stages_before(profile, stage)}, data.valid_pairs(device), tracker,
            ).train()


def choose_device(profile: RunProfile) -> str:
    """`cpu` or `cuda`.

    Raises:
        ResourcesError: when the profile names an accelerator that is not there.
    """
    has_cuda = torch.cuda.is_available()
    if profile.device == "cuda" and not has_cuda:
        raise ResourcesError("device `cuda`", got="no CUDA device", next_step="--set device=cpu")
    return "cuda" if profile.device == "cuda" or (profile.device == "auto" and has_cuda) else "cpu"


def describe_emulator(profile: RunProfile, artifacts: Mapping[str, Artifact]) -> EmulatorDescription:
    """What is to be built for these datasets."""
    model = profile.model
    return EmulatorDescription(
        emulator=model.emulator,
        frame=model.frame,
        prediction=model.prediction,
        settings=model.settings,
        problems={name: problem_of(artifact.card) for name, artifact in artifacts.items()},
    )


def build_model(
    description: EmulatorDescription, seed: int, data: TrainingData, weights: Path | None = None
) -> AbstractEmulator:
    """The emulator with the weights of a checkpoint, or untrained and fitted to the data in closed form."""
    torch.manual_seed(seed)
    model = build_emulator(description)
    if weights is not None:
        model.load_state_dict(load_weights(weights))
        return model
    for name, artifact in data.artifacts.items():
        means, stds = (
            {field: torch.from_numpy(values).float() for field, values in table.items()}
            for table in (artifact.statistics.mean, artifact.statistics.std)
        )
        model.normaliser.set_statistics(name, means, stds)
        pairs = (split[name].random_windows(NUM_FIT_PAIRS, 2) for split in (data.train, data.valid))
        with torch.no_grad():
            model.fit(*pairs)
    return model


def build_updates(
    model: AbstractEmulator, stage: str, profile: RunProfile, data: TrainingData, device: str
) -> Updates:
    """The updates of one stage, before the first."""
    mixture = Mixture(data.train, profile.datasets, profile.seed)
    return Updates(model, stage, profile.stages[stage], profile.optimiser, mixture, profile.seed, device)


def refuse_unmet_needs(run: RunFolder, stage: str) -> None:
    """A stage begins when the stages that it needs are finished.

    Raises:
        RunError: naming the stage that is missing.
    """
    stages = run.profile.stages
    for need in stage_class(stage).needs:
        if need not in stages or not run.is_finished(need, stages[need].num_steps):
            next_step = f"upsctl train --stage {need} --resume"
            raise RunError(f"{run.name}: stage {stage} needs {need}, which is not finished", next_step=next_step)


def _stages_before(profile: RunProfile, stage: str) -> list[str]:
    names = list(profile.stages)
    return names[: names.index(stage) + 1]


def _last_weights(run: RunFolder, stage: str) -> Path | None:
    """The checkpoint of this stage, else of the last stage before it."""
    for name in reversed(_stages_before(run.profile, stage)):
        checkpoint = run.checkpoint(name)
        if checkpoint is not None:
            return checkpoint
    return None


@contextmanager
def _alone(run: RunFolder) -> Iterator[None]:
    """Hold the run, so that no second process trains it."""
    lock = FileLock(run.path / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise RunError(f"{run.name}: another process is training it", next_step="wait for it, or stop it") from None
    try:
        yield
    finally:
        lock.release()

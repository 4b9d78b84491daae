"""The typed profiles of one training, one model size, one store. Defaults stand here and nowhere else."""

from typing import Annotated, Any, Literal

from pydantic import Field

from upsctl.dataset_card import Frozen

Seed = Annotated[int, Field(ge=0, lt=2**63)]
Share = Annotated[float, Field(ge=0, lt=1)]


class ModelProfile(Frozen):
    """Which emulator, in which frame, with the settings of its own config class.

    Attributes:
        emulator: `universal` or a file of `ups_models/baselines/`.
        frame: `declared` puts it into the exact scaling of the dataset's card, `standard` standardises the fields.
        prediction: `residual` adds the output to the input, `direct` does not.
        settings: the emulator's own config; unknown keys are refused.
    """

    emulator: str
    frame: Literal["declared", "standard"] = "declared"
    prediction: Literal["residual", "direct"] = "residual"
    settings: dict[str, Any] = Field(default_factory=dict)


class OptimiserProfile(Frozen):
    """AdamW with warmup and cosine over steps.

    Attributes:
        learning_rate: the peak.
        warmup_fraction: share of the steps in which the rate rises linearly.
        final_fraction: the last rate over the peak.
        weight_decay: on matrices and convolutions only.
        betas: decay of the averages of gradient and squared gradient.
        clip_norm: gradients of a larger norm are scaled down to it.
        ema_half_life_fraction: half-life of the moving average of the weights, over the number of steps.
    """

    learning_rate: float = Field(default=4e-3, gt=0)
    warmup_fraction: float = Field(default=0.03, ge=0, lt=1)
    final_fraction: float = Field(default=0.01, ge=0, le=1)
    weight_decay: float = Field(default=1e-4, ge=0)
    betas: tuple[Share, Share] = (0.9, 0.99)
    clip_norm: float = Field(default=1.0, gt=0)
    ema_half_life_fraction: float = Field(default=0.01, gt=0, le=0.2)


class StageProfile(Frozen):
    """One stage of a training.

    Attributes:
        num_steps: number of updates in all, over all datasets; 0 for emulators that are fitted in closed form.
        settings: the stage's own config; unknown keys are refused.
    """

    num_steps: int = Field(ge=0)
    settings: dict[str, Any] = Field(default_factory=dict)


class TrackerProfile(Frozen):
    """Who else reads the run's events.

    Attributes:
        mode: W&B online, offline, or nobody.
        project: W&B's project.
    """

    mode: Literal["online", "offline", "off"] = "off"
    project: str = "upsctl"


class DatasetShare(Frozen):
    """A dataset's part in a training.

    Attributes:
        weight: its share of the steps, up to normalisation.
        batch_size: windows in one batch.
    """

    weight: float = Field(default=1.0, gt=0)
    batch_size: int = Field(default=16, gt=0)


class RunProfile(Frozen):
    """One training.

    Attributes:
        datasets: name of a dataset -> its share.
        model: the emulator; the name of a profile of models/, or its values.
        stages: name of a stage -> its share; trained in this order.
        label: the model's name in leaderboards and figures.
        budget_seconds: the time that the steps were counted from, if they were; told in rows, used nowhere.
        optimiser: the same for all stages.
        tracker: who else reads the events.
        seed: of the weights, the order of batches and every draw.
        steps_per_epoch: what `--epochs` counts in.
        checkpoint_interval_seconds: time between checkpoints, and so the most that a kill costs.
        num_threads: processor threads; 0 takes all cores.
        device: where to train; auto takes an accelerator where there is one.
    """

    datasets: dict[str, DatasetShare] = Field(min_length=1)
    model: ModelProfile
    stages: dict[str, StageProfile] = Field(min_length=1)
    label: str = "ours"
    budget_seconds: float | None = None
    optimiser: OptimiserProfile = OptimiserProfile()
    tracker: TrackerProfile = TrackerProfile()
    seed: Seed = 0
    steps_per_epoch: int = Field(default=200, gt=0)
    checkpoint_interval_seconds: float = Field(default=20.0, gt=0)
    num_threads: int = Field(default=0, ge=0)
    device: Literal["auto", "cpu", "cuda"] = "auto"


class StoreProfile(Frozen):
    """One store. Never a secret: those come from the environment.

    Attributes:
        backend: a file of `upsctl/stores/`.
        address: a folder or a URL, as the backend understands it.
    """

    backend: str
    address: str

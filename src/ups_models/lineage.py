"""What made a checkpoint: told inside it, so that evaluation needs no other file."""

from pydantic import Field

from ups_models.interfaces import PartConfig


class DatasetDigests(PartConfig):
    """What a training took from a dataset.

    Attributes:
        recipe_digest: which physics and code made the content.
        content_digest: which bytes it has.
        problem_digest: what its card told the model.
    """

    recipe_digest: str
    content_digest: str
    problem_digest: str


class Lineage(PartConfig):
    """The facts of a training.

    Attributes:
        label, run: its name in leaderboards, and its run's.
        num_parameters: real numbers that were trained; a complex weight is two.
        num_evaluations_per_step: of the network.
        seed, budget_seconds: of the training; None where nothing was counted from a budget.
        datasets: dataset -> digests.
        profile_digest, source_digest, commit, command: what to run to make it again, and with which code.
        device, device_class, num_threads: where it was trained.
        stages: that it went through, in their order.
        num_steps, num_batches: updates of the last stage, in all and on each dataset.
        wall_seconds: that they took.
    """

    label: str
    run: str
    num_parameters: int
    num_evaluations_per_step: int
    seed: int
    budget_seconds: float | None
    datasets: dict[str, DatasetDigests]
    profile_digest: str
    source_digest: str
    commit: str
    device: str
    device_class: str
    num_threads: int = Field(ge=1)
    command: str
    stages: tuple[str, ...]
    num_steps: int
    num_batches: dict[str, int]
    wall_seconds: float

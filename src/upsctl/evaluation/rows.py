"""The row: one number of a comparison with everything that made it."""

from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from ups_models.registry import list_parts
from upsctl.data.problems import problem_digest, problem_of
from upsctl.errors import ProfileError
from upsctl.profile_reader import load_profile
from upsctl.source_digest import DIGITS, files_digest, training_digest

ALL_FIELDS = "all"
"""The name under which a metric of all fields together stands."""

Horizon = Literal["one_step", "rollout", "tokens"]
TOKEN_FILES = ("ups_models/token_floor.py", "upsctl/evaluation/token_floor.py")
Statistic = Literal["median", "mean", "geometric_mean", "pooled"]


class Row(BaseModel):
    """One number, and what made it.

    Attributes:
        emulator, frame, prediction: what was built; `label` is its name in the leaderboard.
        stages, num_steps, budget_seconds, wall_seconds: its training, the budget that the steps were counted from and
            the time that they took; no steps for references (persistence, mean, linear).
        num_parameters, num_evaluations_per_step, is_deterministic: what it costs and is.
        dataset, recipe_digest, content_digest, has_probe_misses, split: what it was measured on; the recipe digest is
            the identity, unless the content misses the card's probes: then the content digest is.
        horizon, metric, field, parameter_value, statistic: what was measured; `all` fields, None for all values. The
            horizon `tokens` is a diagnostic: each state, decoded from its own latent tokens alone.
        value, low, high: the number and its 95 % bootstrap interval over trajectories (None where there is none).
        per_sample: the values behind a headline, a tuple per parameter value; empty for other rows.
        seed, checkpoint_digest, profile_digest, source_digest, commit, device, device_class, campaign, command, time:
            what made it, and when. Device and class are those of the training; of a cost, those where it was measured.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")

    emulator: str
    frame: str
    prediction: str
    label: str
    stages: tuple[str, ...]
    num_parameters: int
    num_steps: int
    num_evaluations_per_step: int
    is_deterministic: bool
    dataset: str
    recipe_digest: str
    content_digest: str
    has_probe_misses: bool
    split: str
    horizon: Horizon
    metric: str
    field: str
    parameter_value: str | None
    statistic: Statistic
    value: float
    low: float | None
    high: float | None
    per_sample: tuple[tuple[float, ...], ...] = ()
    seed: int
    checkpoint_digest: str
    profile_digest: str
    source_digest: str
    commit: str
    device: str
    device_class: str
    budget_seconds: float | None
    wall_seconds: float
    campaign: str
    command: str
    time: str

    @property
    def is_reference(self) -> bool:
        """Whether no gradient step trained it, so that it belongs to every budget."""
        return self.num_steps == 0

    @property
    def is_stale(self) -> bool:
        """Whether a source file that made the row has changed since."""
        _, _, rest = self.source_digest.partition("-")
        problem = _present_problem(self.dataset) or rest.partition("-")[0]  # a card that is not here has not changed
        return self.source_digest != _present_digest(self.emulator, problem, self.metric, self.horizon)


def source_digest(of_training: str, of_problem: str, metric: str, horizon: Horizon) -> str:
    """The digest of a row: of the sources that trained its emulator, of what its card said, of its metric's file.

    Args:
        of_training: `upsctl.source_digest.training_digest` at the time of the training.
        of_problem: `upsctl.data.problems.problem_digest` of the row's dataset at that time.
        metric: the row's metric, with its band if it has one; costs have no file.
        horizon: the row's horizon; the tokens' has files of its own.
    """
    name = metric_file(metric)
    files = [f"ups_models/metrics/{name}.py"] if name is not None else []
    files += TOKEN_FILES if horizon == "tokens" else ()
    return f"{of_training[:DIGITS]}-{of_problem}-{files_digest(files)[:DIGITS]}"


@cache
def _present_digest(emulator: str, problem: str, metric: str, horizon: Horizon) -> str:
    try:
        return source_digest(training_digest(emulator), problem, metric, horizon)
    except FileNotFoundError:  # the emulator has left the project
        return "no source"


@cache
def _present_problem(dataset: str) -> str | None:
    try:
        return problem_digest(problem_of(load_profile("datasets", dataset).profile))
    except ProfileError:
        return None


@cache
def metric_file(metric: str) -> str | None:
    """The file of `ups_models/metrics/` that a row's metric is a value of: `spectral_bands` of `spectral_bands_low`.

    A metric of one value has its file's name; one of several adds `_` and the value's name. None for a cost.
    """
    found = [name for name in list_parts("ups_models.metrics") if metric == name or metric.startswith(f"{name}_")]
    return max(found, key=len, default=None)

"""Rows as `evaluate_checkpoint` writes them, of contestants whose errors are given."""

from typing import Any

import numpy as np

from upsctl.data.problems import problem_digest, problem_of
from upsctl.evaluation.bootstrap import estimate_headline, estimate_median
from upsctl.evaluation.rows import Row, source_digest
from upsctl.profile_reader import load_profile
from upsctl.source_digest import training_digest

FACTS: dict[str, Any] = {
    "emulator": "fno", "frame": "standard", "prediction": "residual", "label": "FNO", "stages": ("supervised",),
    "num_parameters": 1000, "num_steps": 500, "num_evaluations_per_step": 1, "is_deterministic": True,
    "dataset": "burgers1d_subset_v1", "recipe_digest": "r" * 64, "content_digest": "c" * 64, "has_probe_misses": False,
    "split": "test",
    "horizon": "rollout", "metric": "nrmse", "field": "all", "seed": 0, "checkpoint_digest": "k" * 64,
    "profile_digest": "p" * 64, "commit": "abc", "device": "cpu", "device_class": "2 cores", "budget_seconds": 100.0,
    "wall_seconds": 99.0,
    "campaign": "toy", "command": "upsctl eval x", "time": "2026-01-01T00:00:00+00:00",
}


def present_digest(values: dict[str, Any]) -> str:
    problem = problem_digest(problem_of(load_profile("datasets", values["dataset"]).profile))
    return source_digest(training_digest(values["emulator"]), problem, values["metric"], values["horizon"])


def toy_rows(error: float, num_trajectories: int = 24, noise: float = 0.1, **facts: Any) -> list[Row]:
    """The headline of one contestant and its medians for two viscosities, the second of which is twice as hard."""
    values = FACTS | facts
    digest = facts.get("source_digest") or present_digest(values)
    spread = np.exp(noise * np.random.default_rng(0).normal(size=num_trajectories))
    groups = {"viscosity=0.1": error * spread, "viscosity=0.001": 2 * error * spread}
    headline = estimate_headline([list(groups.values())])
    values["source_digest"] = digest
    behind = tuple(tuple(group) for group in groups.values())
    medians = [Row(**values, **vars(estimate_median([group])), parameter_value=name, statistic="median")
               for name, group in groups.items()]
    whole = Row(**values, **vars(headline), parameter_value=None, statistic="geometric_mean", per_sample=behind)
    return [whole, *medians]

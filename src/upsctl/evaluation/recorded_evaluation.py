"""Evaluations that leave something behind: rows, and the predictions that figures draw from."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ups_models.checkpoint import Checkpoint
from ups_models.registry import list_parts
from upsctl.checkout import present_commit
from upsctl.console import Result, say
from upsctl.data.artifact import Artifact
from upsctl.data.fetch import open_dataset
from upsctl.errors import DataError, UsageError
from upsctl.evaluation.evaluate import evaluate_checkpoint
from upsctl.evaluation.leaderboard import build_leaderboards
from upsctl.evaluation.leaderboard_view import build_result
from upsctl.evaluation.looks import record_look
from upsctl.evaluation.predictions_file import write_predictions
from upsctl.evaluation.rows import Row
from upsctl.evaluation.rows_file import FILE_NAME, append_rows
from upsctl.profile_reader import load_profile
from upsctl.sample import SplitName
from upsctl.typed_command import typed_command

PREDICTIONS = "predictions"


@dataclass(frozen=True)
class EvaluationPlan:
    """What is measured, and where it goes.

    Attributes:
        split: which split.
        metrics: names of files of `ups_models/metrics/`.
        folder: `predictions/` grows in it.
        rows: the file that rows are added to.
        campaign: the comparison that the rows belong to, or ''.
        device: where predictions are made.
    """

    split: SplitName
    metrics: Sequence[str]
    folder: Path
    rows: Path
    campaign: str = ""
    device: str = "cpu"


def plan_evaluation(
    checkpoints: Sequence[Checkpoint], suite: str | None, overrides: Sequence[str], split: SplitName | None,
    folder: Path, device: str,
) -> tuple[list[str], EvaluationPlan]:
    """The datasets to evaluate on and the plan: the suite's, or all metrics on all datasets that the checkpoints know.

    Raises:
        ProfileError: when there is no such suite.
        UsageError: when no checkpoint knows one of the suite's datasets, values are overridden without a suite, or two
            checkpoints have one label, seed and budget: their rows and predictions would replace each other.
    """
    datasets, plan = _plan(checkpoints, suite, overrides, folder, device)
    plan = plan if split is None else replace(plan, split=split)
    _refuse_one_place(checkpoints, datasets, plan)
    return datasets, plan


def _plan(
    checkpoints: Sequence[Checkpoint], suite: str | None, overrides: Sequence[str], folder: Path, device: str
) -> tuple[list[str], EvaluationPlan]:
    known = list(dict.fromkeys(name for checkpoint in checkpoints for name in checkpoint.description.problems))
    rows = folder / FILE_NAME
    if suite is None and overrides:
        raise UsageError(f"--set {overrides[0]}", expected="--suite, whose value it overrides")
    if suite is None:
        return known, EvaluationPlan("valid", list_parts("ups_models.metrics"), folder, rows, device=device)
    resolved = load_profile("suites", suite, overrides)
    profile = resolved.profile
    datasets = [name for name in profile.datasets if name in known]
    if not datasets:
        raise UsageError(f"suite `{suite}`", expected=f"one of {', '.join(known)}", got=", ".join(profile.datasets))
    return datasets, EvaluationPlan(profile.split, profile.metrics, folder, rows, resolved.name, device)


def _refuse_one_place(checkpoints: Sequence[Checkpoint], datasets: Sequence[str], plan: EvaluationPlan) -> None:
    places = Counter(
        predictions_path(plan.folder, one.lineage.label, name, plan.split, one.lineage.seed,
                         one.lineage.budget_seconds)
        for one in checkpoints for name in datasets if name in one.description.problems
    )  # fmt: skip
    for path, count in places.items():
        if count > 1:
            next_step = "evaluate them apart, each with its own --output, or train them with --set label=NAME"
            raise UsageError(f"{count} checkpoints would write {path}", next_step=next_step)


def describe_evaluation(checkpoints: Sequence[Checkpoint], datasets: Sequence[str], plan: EvaluationPlan) -> Result:
    """What `evaluate_all` would do."""
    labels = [checkpoint.lineage.label for checkpoint in checkpoints]
    line = f"would evaluate {', '.join(labels)} on {', '.join(datasets)}, {plan.split}; rows to {plan.rows}"
    values = {"is_dry_run": True, "labels": labels, "datasets": list(datasets), "split": plan.split,
              "metrics": list(plan.metrics), "rows": str(plan.rows)}
    return Result(values, lines=[line])


def evaluate_and_record(checkpoint: Checkpoint, artifact: Artifact, plan: EvaluationPlan, command: str) -> list[Row]:
    """Evaluate one checkpoint on one dataset; append its rows and write its predictions.

    Raises:
        DataError: when it was trained on another content of that name, which may hold what is now the test split.
        DiskError: when the folder cannot be written.
        UnknownPartError: when no metric has one of the names.
    """
    _refuse_other_data(checkpoint, artifact)
    label = checkpoint.lineage.label
    say(f"{label} on {artifact.card.name}, {plan.split}: one step and rollout")
    found = evaluate_checkpoint(
        checkpoint, artifact, plan.split, plan.metrics, campaign=plan.campaign, command=command, device=plan.device)
    seed, budget = checkpoint.lineage.seed, checkpoint.lineage.budget_seconds
    path = predictions_path(plan.folder, label, artifact.card.name, plan.split, seed, budget)
    write_predictions(found.rollout, path)
    append_rows(plan.rows, found.rows)
    return found.rows


def _refuse_other_data(checkpoint: Checkpoint, artifact: Artifact) -> None:
    name, trained = artifact.card.name, checkpoint.lineage.datasets
    if name in trained and trained[name].recipe_digest != artifact.recipe_digest:
        raise DataError(
            f"{checkpoint.path}: was trained on another {name} than the present", next_step="train it again")


def predictions_path(
    folder: Path, label: str, dataset: str, split: str, seed: int = 0, budget_seconds: float | None = None
) -> Path:
    """Where the predictions of one training lie in an evaluation's folder; seed 0 and no budget go without saying."""
    name = "".join(letter if letter.isalnum() else "-" for letter in label.lower())
    budget = "" if budget_seconds is None else f"_{budget_seconds:g}s"
    return folder / PREDICTIONS / f"{name}_{dataset}_{split}{budget}{f'_seed{seed}' if seed else ''}.h5"


def open_artifacts(datasets: Sequence[str], split: SplitName) -> dict[str, Artifact]:
    """Fetch or make each dataset, and open only the split that is evaluated."""
    return {name: open_dataset(name, (split,)) for name in datasets}


def evaluate_all(
    checkpoints: Sequence[Checkpoint], artifacts: Mapping[str, Artifact], plan: EvaluationPlan, command: Sequence[str],
) -> Result:
    """Every checkpoint on every one of `artifacts` that it knows, and the leaderboard of these.

    Args:
        checkpoints, artifacts, plan: who is evaluated on what, and how.
        command: the words that a person types before a checkpoint's path to make its rows again.
    """
    rows = []
    if plan.split == "test":
        for dataset in artifacts:
            record_look(plan.folder, plan.campaign or "eval", dataset, present_commit())
    for checkpoint in checkpoints:
        own = typed_command([*command, str(checkpoint.path)])
        for dataset in (name for name in checkpoint.description.problems if name in artifacts):
            rows += evaluate_and_record(checkpoint, artifacts[dataset], plan, own)
    lines = [f"{len(rows)} rows added to {plan.rows}, predictions in {plan.folder / PREDICTIONS}"]
    values = {"rows": str(plan.rows), "num_rows": len(rows), "predictions": str(plan.folder / PREDICTIONS)}
    return build_result(build_leaderboards(rows), lines, f"upsctl bench show {plan.rows}", values)

"""`upsctl eval`: checkpoints -> rows and the leaderboard of these."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from upsctl.options import AsJson, Device, DryRun, Overrides, complete_suite


def evaluate(
    checkpoints: Annotated[list[Path], typer.Argument(metavar="CHECKPOINT...", help="Folders of checkpoints.")],
    suite: Annotated[
        str | None,
        typer.Option("--suite", help="Take datasets, metrics and split from it.", autocompletion=complete_suite),
    ] = None,
    split: Annotated[
        Literal["valid", "test"] | None, typer.Option("--split", help="Else the suite's; else valid.")] = None,
    output: Annotated[Path | None, typer.Option("--output", help="Folder of rows and predictions.")] = None,
    device: Device = "cpu",
    overrides: Overrides = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate checkpoints: one step and full rollout, every metric, rows with intervals, and their leaderboard.

    Without a suite: all metrics, on the datasets that each checkpoint was trained on.

    Example: upsctl eval runs/latest/stages/operator/checkpoint --split valid
    """
    from upsctl import console
    from upsctl.evaluation.opened_checkpoint import open_checkpoint
    from upsctl.evaluation.recorded_evaluation import describe_evaluation, evaluate_all, open_artifacts, plan_evaluation
    from upsctl.training.run_folder import runs_root

    opened = [open_checkpoint(path, device) for path in checkpoints]
    folder = output if output is not None else runs_root() / "evaluation"
    datasets, plan = plan_evaluation(opened, suite, overrides or [], split, folder, device)
    if dry_run:
        console.show(describe_evaluation(opened, datasets, plan), as_json)
        return
    command = _command(suite, plan.split, output, device, overrides or [])
    console.show(evaluate_all(opened, open_artifacts(datasets, plan.split), plan, command), as_json)


def _command(suite: str | None, split: str, output: Path | None, device: str, overrides: Sequence[str]) -> list[str]:
    """What makes the same rows again, but for the checkpoint."""
    words = ["upsctl", "eval", "--split", split, "--device", device]
    words += ["--suite", suite] if suite is not None else []
    words += ["--output", str(output)] if output is not None else []
    return [*words, *(word for override in overrides for word in ("--set", override))]

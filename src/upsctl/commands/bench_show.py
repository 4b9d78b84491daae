"""`upsctl bench show`: the leaderboard of some rows."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from upsctl.options import AsJson, DryRun


def bench_show(
    rows: Annotated[
        Path | None, typer.Argument(help="A rows.jsonl, or a folder that has one; else the last quickstart's."),
    ] = None,
    metric: Annotated[str, typer.Option("--metric", help="What is ranked.")] = "nrmse",
    horizon: Annotated[
        Literal["rollout", "one_step", "tokens"], typer.Option("--horizon", help="How far ahead.")] = "rollout",
    campaign: Annotated[str | None, typer.Option("--campaign", help="Only rows of this campaign.")] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write one self-contained page to this file.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Show the leaderboard: one for each dataset, split, budget and device class, never mixed.

    Example: upsctl bench show runs/bench/quickstart --html leaderboard.html
    """
    from upsctl import console
    from upsctl.evaluation.leaderboard_files import show_rows
    from upsctl.evaluation.rows_file import FILE_NAME
    from upsctl.training.run_folder import runs_root

    given = rows if rows is not None else runs_root() / "bench" / "quickstart"
    path = given / FILE_NAME if given.is_dir() else given
    console.show(show_rows(path, metric, horizon, campaign, html, is_dry_run=dry_run), as_json)

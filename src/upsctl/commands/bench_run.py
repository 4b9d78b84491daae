"""`upsctl bench run`: a whole comparison."""

from pathlib import Path
from typing import Annotated

import typer

from upsctl.options import AsJson, DryRun, Overrides, complete_suite


def bench_run(
    suite: Annotated[str, typer.Argument(help="A suite's name.", autocompletion=complete_suite)],
    final: Annotated[
        bool, typer.Option("--final", help="Evaluate the test split too, and record that it was looked at.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Folder of everything; else runs/bench/SUITE, rows where the suite says."),
    ] = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Run a comparison: data, training, evaluation, leaderboard, figures.

    Stop it at any moment; the same command goes on where it was.

    Example: upsctl bench run quickstart
    """
    from upsctl import console
    from upsctl.campaign.open_campaign import open_campaign
    from upsctl.campaign.report import describe_campaign, report_campaign

    campaign = open_campaign(suite, overrides or [], output, is_final=final)
    if dry_run:
        console.show(describe_campaign(campaign), as_json)
        return
    campaign.run()
    console.show(report_campaign(campaign), as_json)

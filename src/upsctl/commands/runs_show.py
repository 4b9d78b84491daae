"""`upsctl runs show`: one training."""

from typing import Annotated

import typer

from upsctl.options import AsJson


def complete_run(incomplete: str) -> list[str]:
    """Names of runs that start with what was typed."""
    from upsctl.training.run_folder import list_runs, runs_root

    names = ["latest", *(run.name for run in list_runs(runs_root()))]
    return [name for name in names if name.startswith(incomplete)]


def runs_show(
    run: Annotated[str, typer.Argument(help="A run's name or folder.", autocompletion=complete_run)] = "latest",
    as_json: AsJson = False,
) -> None:
    """Show one run: its stages, how often it was resumed, its last losses and where its checkpoints are.

    Example: upsctl runs show latest
    """
    from upsctl import console
    from upsctl.training.run_folder import find_run
    from upsctl.training.run_summary import summarise_run

    found = summarise_run(find_run(run))
    lines = [f"{key}: {value}" for key, value in found.facts().items()]
    rows = [
        (stage.name, stage.state, f"{stage.step}/{stage.num_steps}", stage.loss_text, str(stage.checkpoint or "none"))
        for stage in found.stages
    ]
    columns = ("stage", "state", "step", "loss", "checkpoint")
    console.show(console.Result(found.values(), lines, columns, rows, found.next_step), as_json)

"""`upsctl train`: one training, begun or gone on with."""

from typing import Annotated

import typer

from upsctl.options import AsJson, DryRun, Overrides, complete_run_profile, complete_stage


def train(
    profile: Annotated[
        str, typer.Option("--profile", help="A run profile.", autocompletion=complete_run_profile)
    ] = "quickstart",
    stage: Annotated[
        str | None, typer.Option("--stage", help="One stage; else all of the profile.", autocompletion=complete_stage)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last run of the profile.")] = False,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Train each stage this many epochs.")] = None,
    overrides: Overrides = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Train one model: all stages of a profile, or one. Stop it at any moment; --resume goes on where it was.

    With --resume, an unfinished stage goes on, a stage not begun whose needs are met begins, and a finished one says
    so. The run keeps its own resolved profile; options given again are changes, and are told.

    Example: upsctl train --stage operator --epochs 1
    """
    import sys

    from upsctl import console
    from upsctl.training.request import TrainRequest, begin_run, describe_request, resume_run
    from upsctl.training.resumption import open_training_data
    from upsctl.training.run_summary import describe_run
    from upsctl.training.trained_run import train_run
    from upsctl.typed_command import typed_command

    request = TrainRequest(profile, stage, overrides or [], epochs)
    if dry_run:
        console.show(describe_request(request, resume), as_json)
        return
    command = typed_command(["upsctl", *sys.argv[1:]])
    run, stages = (resume_run(request, command) if resume else begin_run(request, command))
    if stages:
        train_run(run, stages, run.command, open_training_data(run))
    console.show(describe_run(run, trained=stages), as_json)

"""`upsctl predict`: a user's own initial state, rolled out by a checkpoint."""

from pathlib import Path
from typing import Annotated

import typer

from upsctl.options import AsJson, Device, DryRun, complete_dataset


def predict(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint's folder.")],
    initial: Annotated[Path, typer.Option("--input", help="The initial state, an .npz file.")],
    steps: Annotated[int, typer.Option("--steps", min=1, help="Number of time steps.")],
    points: Annotated[
        Path | None, typer.Option("--points", help="Where the fields are wanted, an .npy file; else at the nodes."),
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", help="An .npz or .h5 file; else beside the input.")] = None,
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", help="Whose physics, if it knows several.", autocompletion=complete_dataset),
    ] = None,
    device: Device = "cpu",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Roll out your own initial state.

    The input is an .npz file: each field of the dataset's card by name, (*space, C) or (*space) for scalars, and each
    parameter as a scalar; optionally `dt` and `extent`. `upsctl data show NAME` lists the names and units.
    The universal model predicts at any points too: an .npy file (N, D), in the units of the axes.

    Example: upsctl predict runs/latest/stages/operator/checkpoint --input state.npz --steps 40
    """
    from upsctl import console
    from upsctl.evaluation.initial_state import read_initial_state, read_points
    from upsctl.evaluation.opened_checkpoint import choose_dataset, open_checkpoint
    from upsctl.evaluation.trajectory_file import refuse_target
    from upsctl.evaluation.user_rollout import RolloutPlan, describe_rollout, roll_out
    from upsctl.profile_reader import load_profile

    opened = open_checkpoint(checkpoint, device)
    card = load_profile("datasets", choose_dataset(opened, dataset)).profile
    batch = read_initial_state(initial, card)
    target = output if output is not None else initial.with_name(f"{initial.stem}_predicted.npz")
    refuse_target(target, initial)
    where = read_points(points, batch.geometry) if points is not None else None
    plan = RolloutPlan(card, batch, steps, where, target, device)
    console.show(describe_rollout(plan) if dry_run else roll_out(opened.emulator, plan), as_json)

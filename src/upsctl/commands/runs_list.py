"""`upsctl runs list`: trainings on this machine."""

from upsctl.options import AsJson


def runs_list(as_json: AsJson = False) -> None:
    """List the runs below ./runs (or UPSCTL_RUNS_ROOT), oldest first, with the state of each stage.

    Example: upsctl runs list
    """
    from upsctl import console
    from upsctl.training.run_folder import runs_root
    from upsctl.training.run_summary import summarise_runs

    runs, unreadable = summarise_runs(runs_root())
    rows = [
        (run.name, run.profile_name, stage.name, stage.state, f"{stage.step}/{stage.num_steps}", stage.loss_text)
        for run in runs
        for stage in run.stages
    ]
    lines = unreadable if runs else [*unreadable, f"no runs in {runs_root()}"]
    next_step = "upsctl runs show latest" if runs else "upsctl train --stage operator --epochs 1"
    columns = ("run", "profile", "stage", "state", "step", "loss")
    values = {"root": str(runs_root()), "runs": [run.values() for run in runs], "unreadable": unreadable}
    console.show(console.Result(values, lines, columns if runs else (), rows, next_step), as_json)

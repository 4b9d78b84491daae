"""`upsctl data convert`: raw files of a known format into an artifact."""

from pathlib import Path
from typing import Annotated

import typer

from upsctl.options import AsJson, DryRun, complete_dataset


def complete_format(incomplete: str) -> list[str]:
    """Names of formats that start with what was typed."""
    from ups_models.registry import list_parts

    return [name for name in list_parts("upsctl.converters") if name.startswith(incomplete)]


def data_convert(
    sources: Annotated[list[Path], typer.Argument(metavar="INPUT...", help="Raw files of one dataset.")],
    format_name: Annotated[
        str, typer.Option("--format", help="The files' format.", autocompletion=complete_format)],
    output: Annotated[Path, typer.Option("--output", help="A new folder for the artifact.")],
    card: Annotated[
        str | None,
        typer.Option("--card", help="The dataset's name or path; else as the files' names say.",
                     autocompletion=complete_dataset),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Convert raw files into one artifact, a trajectory at a time; where they differ from the card is said.

    Example: upsctl data convert --format pdebench 1D_Burgers_Sols_Nu0.1.hdf5 --output artifact
    """
    from upsctl import console
    from upsctl.data.byte_text import byte_text
    from upsctl.data.conversion import plan_conversion, run_conversion

    plan = plan_conversion(format_name, sources, card, output)
    values = {"card": plan.card.name, "output": str(output), "is_dry_run": dry_run}
    if dry_run:
        line = f"would convert {len(sources)} files, {byte_text(plan.num_bytes)}, by {plan.card.name} to {output}"
        console.show(console.Result({**values, "num_bytes": plan.num_bytes}, [line]), as_json)
        return
    done = run_conversion(plan)
    values |= {"content_digest": done.manifest.content_digest, "splits": done.num_trajectories}
    counts = ", ".join(f"{count} {split}" for split, count in done.num_trajectories.items())
    lines = [f"converted {counts} trajectories of {plan.card.name} to {output}", *done.differences]
    next_step = f"upsctl data verify {output}"
    console.show(console.Result({**values, "differences": done.differences}, lines, next_step=next_step), as_json)

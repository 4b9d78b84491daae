"""`upsctl viz draw`: one figure from predictions or trainings."""

from pathlib import Path
from typing import Annotated

import typer

from ups_models.registry import list_parts
from upsctl.options import AsJson, DryRun

FIGURES = list_parts("upsctl.figures")


def complete_figure(incomplete: str) -> list[str]:
    """Names of figures that start with what was typed."""
    return [name for name in FIGURES if name.startswith(incomplete)]


def viz_draw(
    figure: Annotated[str, typer.Argument(help=f"One of: {', '.join(FIGURES)}.", autocompletion=complete_figure)],
    predictions: Annotated[
        list[Path] | None, typer.Option("--predictions", help="A predictions file; may be given again.")] = None,
    run: Annotated[
        list[str] | None, typer.Option("--run", help="A run, for its training events; may be given again.")] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="Only this field; may be given again.")] = None,
    output: Annotated[Path, typer.Option("--output", help="Folder of the picture and its numbers.")] = Path("figures"),
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Draw one figure, with a JSON beside it of the numbers drawn.

    Most figures draw predictions, which `upsctl eval` and `upsctl bench run` write; training_curves draws runs.

    Example: upsctl viz draw space_time --predictions runs/evaluation/predictions/ours_burgers1d_subset_v1_valid.h5
    """
    from upsctl import console
    from upsctl.evaluation.figure_sources import draw_figure, read_source
    from upsctl.training.run_folder import events_by_label, find_run

    events = events_by_label([find_run(name) for name in run or []])
    source = read_source(predictions or [], events, field or [])
    console.show(draw_figure(figure, source, output, is_dry_run=dry_run), as_json)

"""The loss along each training."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from upsctl.interfaces import AbstractFigure, Drawing, FigureSource
from upsctl.picture.drawn_numbers import write_drawing
from upsctl.picture.style import line_colours, styled

NUM_POINTS = 400
"""A longer training is drawn as the medians of as many equal pieces."""


class TrainingCurves(AbstractFigure):
    """A panel per stage, a line per emulator: loss against step, from the events `step` of each run.

    Where a killed training repeated some steps, the last run of each step counts.
    """

    def is_drawable(self, source: FigureSource) -> bool:
        """At least one training with two logged steps in a stage."""
        return any(len(losses) > 1 for events in source.training_events.values() for losses in _losses(events).values())

    def draw(self, source: FigureSource, target: Path) -> Drawing:
        """Draw to `target`; in the JSON each panel is identified by its stage."""
        curves = {label: _losses(events) for label, events in source.training_events.items()}
        stages = list(dict.fromkeys(stage for of_label in curves.values() for stage in of_label))
        colours = line_colours(list(curves))
        with styled():
            figure = Figure(figsize=(1.6 + 2.8 * len(stages), 2.4), layout="constrained")
            panels = figure.subplots(1, len(stages), sharey=True, squeeze=False)[0]
            for axes, stage in zip(panels, stages, strict=True):
                axes.set(title=stage, xlabel="step", yscale="log")
                axes.set_gid(stage)
                axes.grid(True, which="major", linewidth=0.3, alpha=0.5)
                for label, of_label in curves.items():
                    if stage in of_label:
                        steps, losses = _thinned(of_label[stage])
                        axes.plot(steps, losses, color=colours[label], label=label, linewidth=0.9)
            panels[0].set_ylabel("loss (relative)")
            handles = {str(line.get_label()): line for axes in panels for line in axes.lines}
            figure.legend(list(handles.values()), list(handles), loc="outside right center")
            return write_drawing(figure, target)


def _losses(events: Sequence[Mapping[str, Any]]) -> dict[str, dict[int, float]]:
    """Stage -> step -> loss, in the order of steps."""
    stages: dict[str, dict[int, float]] = {}
    for event in events:
        if event["event"] == "step":
            stages.setdefault(event["stage"], {})[event["step"]] = event["loss"]
    return {stage: dict(sorted(losses.items())) for stage, losses in stages.items()}


def _thinned(losses: Mapping[int, float]) -> tuple[list[int], list[float]]:
    steps, values = list(losses), list(losses.values())
    piece = -(-len(steps) // NUM_POINTS)
    starts = range(0, len(steps), piece)
    middles = [steps[start : start + piece][len(steps[start : start + piece]) // 2] for start in starts]
    medians = [sorted(values[start : start + piece])[len(values[start : start + piece]) // 2] for start in starts]
    return middles, medians

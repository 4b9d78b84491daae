"""What a run has done so far, read from its profile and events alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from upsctl.console import Result
from upsctl.errors import DataError, ProfileError, RunError
from upsctl.training.run_folder import RunFolder, list_runs


@dataclass(frozen=True)
class StageSummary:
    """One stage of a run.

    Attributes:
        name: the stage.
        state: `not begun`, `unfinished` or `finished`.
        step, num_steps: updates made, and in all.
        num_resumes: how often it went on after a stop.
        loss, valid: the last training loss and the last validation value, where there is one.
        checkpoint: its last whole checkpoint.
    """

    name: str
    state: str
    step: int
    num_steps: int
    num_resumes: int
    loss: float | None
    valid: float | None
    checkpoint: Path | None

    @property
    def loss_text(self) -> str:
        """The last loss, as a table shows it."""
        return _number(self.loss)


@dataclass(frozen=True)
class RunSummary:
    """One run: its name, the profile it was started with, its datasets, model, seed and stages; how it would go on."""

    name: str
    path: Path
    profile_name: str
    going_on: str
    started: str
    last_event: str
    datasets: tuple[str, ...]
    emulator: str
    seed: int
    stages: tuple[StageSummary, ...]

    def facts(self) -> dict[str, str]:
        """What stands above the table of stages."""
        return {
            "run": str(self.path),
            "profile": self.profile_name,
            "datasets": ", ".join(self.datasets),
            "emulator": self.emulator,
            "seed": str(self.seed),
            "started": self.started,
            "last event": self.last_event,
        }

    @property
    def next_step(self) -> str:
        """To go on with what is not finished; else to evaluate the last checkpoint."""
        if any(stage.state != "finished" for stage in self.stages):
            return self.going_on
        return f"upsctl eval {self.stages[-1].checkpoint}"

    def values(self) -> dict[str, Any]:
        """Everything as plain values."""
        return asdict(self)


def summarise_runs(root: Path) -> tuple[list[RunSummary], list[str]]:
    """Every run below `root`, oldest first, and a line for each that cannot be read."""
    found, unreadable = [], []
    for run in list_runs(root):
        try:
            found.append(summarise_run(run))
        except (DataError, ProfileError, RunError) as error:
            unreadable.append(f"{run.name}: cannot be read: {error.line}")
    return found, unreadable


def summarise_run(run: RunFolder) -> RunSummary:
    """Read a run's profile and events.

    Raises:
        ProfileError: where its `profile.yaml` is not one.
        DataError: where a line of its events is none.
        RunError: where they have no beginning.
    """
    profile, name, events = run.profile, run.profile_name, list(run.events())
    return RunSummary(
        name=run.name,
        path=run.path,
        profile_name=name,
        going_on=events[0]["command"] if "campaign" in events[0] else f"upsctl train --profile {name} --resume",
        started=events[0]["time"],
        last_event=events[-1]["time"],
        datasets=tuple(profile.datasets),
        emulator=profile.model.emulator,
        seed=profile.seed,
        stages=tuple(_summarise_stage(run, name, share.num_steps, events) for name, share in profile.stages.items()),
    )


def describe_run(run: RunFolder, trained: Sequence[str]) -> Result:
    """What a training did, and where its checkpoints are.

    Args:
        run: any run.
        trained: the stages that moved just now; none when all were finished before.
    """
    found = summarise_run(run)
    lines = [f"run: {run.path}"] if trained else [f"{run.name}: finished before, nothing to do"]
    stages = [stage for stage in found.stages if stage.checkpoint]
    rows = [(stage.name, stage.state, f"{stage.step}/{stage.num_steps}", stage.loss_text, _number(stage.valid))
            for stage in stages]
    next_step = f"upsctl eval {run.path}/stages/{stages[-1].name}/checkpoint" if stages else ""
    columns = ("stage", "state", "step", "loss", "validation loss") if stages else ()
    return Result(found.values() | {"trained": list(trained)}, lines, columns, rows, next_step)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _summarise_stage(run: RunFolder, name: str, num_steps: int, events: Sequence[dict[str, Any]]) -> StageSummary:
    own = [event for event in events if "stage" in event and event["stage"] == name]
    step = max((event["step"] for event in own if "step" in event), default=0)
    return StageSummary(
        name=name,
        state="finished" if run.is_finished(name, num_steps) else "unfinished" if own else "not begun",
        step=step,
        num_steps=num_steps,
        num_resumes=sum(event["event"] == "resume" for event in own),
        loss=_last(own, "step", "loss"),
        valid=_last(own, "valid", "loss"),
        checkpoint=run.checkpoint(name),
    )


def _last(events: Sequence[dict[str, Any]], kind: str, key: str) -> float | None:
    """The last value of `key` in events of one kind that have it."""
    found = [event[key] for event in events if event["event"] == kind and key in event]
    return float(found[-1]) if found else None

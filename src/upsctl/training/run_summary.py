"""What a run has done so far, read from its profile and events alone."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from upsctl.training.run_folder import RunFolder


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
        return "" if self.loss is None else f"{self.loss:.4g}"


@dataclass(frozen=True)
class RunSummary:
    """One run: its name, the profile it was started with, its datasets, model, seed and stages."""

    name: str
    path: Path
    profile_name: str
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

    def values(self) -> dict[str, Any]:
        """Everything as plain values."""
        return asdict(self)


def summarise_run(run: RunFolder) -> RunSummary:
    """Read a run's profile and events.

    Raises:
        ProfileError: where its `profile.yaml` is not one.
    """
    profile, events = run.profile, list(run.events())
    return RunSummary(
        name=run.name,
        path=run.path,
        profile_name=run.profile_name,
        started=events[0]["time"],
        last_event=events[-1]["time"],
        datasets=tuple(profile.datasets),
        emulator=profile.model.emulator,
        seed=profile.seed,
        stages=tuple(_summarise_stage(run, name, share.num_steps, events) for name, share in profile.stages.items()),
    )


def _summarise_stage(run: RunFolder, name: str, num_steps: int, events: Sequence[dict[str, Any]]) -> StageSummary:
    own = [event for event in events if "stage" in event and event["stage"] == name]
    step = max((event["step"] for event in own if "step" in event), default=0)
    is_finished = any(event["event"] == "end" for event in own)
    return StageSummary(
        name=name,
        state="finished" if is_finished else "unfinished" if own else "not begun",
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

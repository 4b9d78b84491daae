"""A run's folder: resolved profile, events, stages and their checkpoints.

    runs/<name>/profile.yaml  events.jsonl  stages/<stage>/step_00000400/  stages/<stage>/checkpoint -> step_...
    runs/latest -> <name>
"""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock, Timeout

from upsctl.errors import RunError
from upsctl.profile_reader import read_typed, write_yaml
from upsctl.profiles import RunProfile
from upsctl.whole_file import read_json_object

EVENTS = "events.jsonl"
LOCK = ".lock"
"""Held by the process that trains a run."""


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name: time, profile and emulator."""
        return self.path.name

    @property
    def profile(self) -> RunProfile:
        """The resolved profile with which the run was started."""
        return read_typed(RunProfile, self.path / "profile.yaml")

    def write_profile(self, profile: RunProfile) -> None:
        """Replace the resolved profile, at once or not at all."""
        write_yaml(profile.model_dump(mode="json"), self.path / "profile.yaml")

    @property
    def profile_name(self) -> str:
        """The name of the profile that was resolved.

        Raises:
            RunError: when its events have no beginning.
        """
        for event in self.events("start"):
            return str(event["profile"])
        raise RunError(f"{self.path / EVENTS}: no event `start`", next_step="remove the folder")

    @property
    def command(self) -> str:
        """What a person types to make the run again: how it began, and each change since."""
        return " && ".join(event["command"] for event in self.events() if event["event"] in ("start", "change"))

    def append_event(self, event: str, **values: Any) -> None:
        """Add one line to `events.jsonl`; what a kill left of the line before is cut off first."""
        line = json.dumps({"event": event, "time": datetime.now(UTC).isoformat(timespec="milliseconds"), **values})
        with (self.path / EVENTS).open("ab+") as stream:
            _cut_last_line(stream)
            stream.write(f"{line}\n".encode())

    def events(self, kind: str | None = None) -> Iterator[dict[str, Any]]:
        """The events in their order, all or of one kind; a last line cut by a kill is left out.

        Raises:
            DataError: naming a line that is no event.
        """
        path = self.path / EVENTS
        whole, _, _ = path.read_bytes().rpartition(b"\n")
        for number, line in enumerate(whole.splitlines(), start=1):
            event = read_json_object(path, number, line, ("event", "time"))
            if kind is None or event["event"] == kind:
                yield event

    def stage_path(self, stage: str) -> Path:
        """The folder of one stage."""
        return self.path / "stages" / stage

    def checkpoint(self, stage: str) -> Path | None:
        """The last whole checkpoint of a stage, if there is one."""
        link = self.stage_path(stage) / "checkpoint"
        return link.resolve() if link.exists() else None

    def is_finished(self, stage: str, num_steps: int) -> bool:
        """Whether the stage made `num_steps` updates."""
        return any(event["stage"] == stage and event["step"] >= num_steps for event in self.events("end"))

    def training_seconds(self, stage: str) -> float:
        """What the updates of a stage took; those which a kill undid do not count."""
        seconds: dict[int, float] = {}
        for event in self.events():
            if event.get("stage") == stage and event["event"] in ("begin", "resume"):
                seconds = {step: taken for step, taken in seconds.items() if step <= event["step"]}
            elif event.get("stage") == stage and event["event"] == "step":
                seconds[event["step"]] = event["seconds"]
        return sum(seconds.values())

    def refuse_if_trained(self) -> None:
        """What another process trains must not be changed.

        Raises:
            RunError: when one does.
        """
        try:
            with FileLock(self.path / LOCK).acquire(timeout=0):
                return
        except Timeout:
            raise RunError(f"{self.name}: another process trains it", next_step="wait for it, or stop it") from None

    def publish_checkpoint(self, stage: str, temporary: Path, step: int) -> Path:
        """Make a whole checkpoint the stage's last one: rename it, point to it, and only then delete older ones.

        One that is there already was made by a process that a kill kept from saying so: it is as good and stays.
        """
        parent = self.stage_path(stage)
        final = parent / f"step_{step:08d}"
        if final.exists():
            shutil.rmtree(temporary)
        else:
            temporary.rename(final)
        _point(parent / "checkpoint", final.name)
        for old in parent.iterdir():
            if old.is_dir() and not old.is_symlink() and old != final:
                shutil.rmtree(old)
        return final


def runs_root() -> Path:
    """Where runs live: `UPSCTL_RUNS_ROOT`, or ./runs."""
    own = os.environ.get("UPSCTL_RUNS_ROOT")
    return Path(own).expanduser() if own else Path("runs")


def create_run(profile: RunProfile, profile_name: str, root: Path, facts: Mapping[str, Any]) -> RunFolder:
    """A new run folder, named by time, profile and emulator; `latest` points at it."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{profile_name}-{profile.model.emulator}"
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".new_run.lock"):  # another may begin in the same second
        run = write_run(_free_path(root, name), profile, profile_name, facts)
        _point(root / "latest", run.name)
    return run


def write_run(path: Path, profile: RunProfile, profile_name: str, facts: Mapping[str, Any]) -> RunFolder:
    """A run folder with its resolved profile and its first event; whole, or not there."""
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    run = RunFolder(temporary)
    run.write_profile(profile)
    run.append_event("start", profile=profile_name, label=profile.label, **facts)
    temporary.rename(path)
    return RunFolder(path)


def list_runs(root: Path) -> list[RunFolder]:
    """All runs below `root`, oldest first."""
    if not root.is_dir():
        return []
    whole = [path for path in root.iterdir() if not path.is_symlink() and not path.name.startswith(".")]
    return [RunFolder(path) for path in sorted(whole) if (path / EVENTS).is_file()]


def events_by_label(runs: Sequence[RunFolder]) -> dict[str, list[Mapping[str, Any]]]:
    """The events of trainings by label; by the run's name where several have one label."""
    labels = [run.profile.label for run in runs]
    names = [label if labels.count(label) == 1 else run.name for run, label in zip(runs, labels, strict=True)]
    return {name: list(run.events()) for name, run in zip(names, runs, strict=True)}


def find_run(name: str) -> RunFolder:
    """A run by its folder's path or by its name below the runs' root; `latest` is the last one.

    Raises:
        RunError: when there is none of that name.
    """
    for path in (Path(name), runs_root() / name):
        if (path / EVENTS).is_file():
            return RunFolder(path.resolve())
    known = ", ".join(run.name for run in list_runs(runs_root())[-3:]) or "none yet"
    raise RunError(
        f"no run `{name}` in {runs_root()}", expected=f"one of: {known}", next_step="start one with `upsctl train`"
    )


def _cut_last_line(stream: BinaryIO) -> None:
    """Drop what stands behind the last end of a line."""
    if stream.tell() == 0:
        return
    stream.seek(-1, os.SEEK_END)
    if stream.read() != b"\n":
        stream.seek(0)
        stream.truncate(stream.read().rfind(b"\n") + 1)


def _free_path(root: Path, name: str) -> Path:
    number, path = 1, root / name
    while path.exists():
        number += 1
        path = root / f"{name}-{number}"
    return path


def _point(link: Path, target: str) -> None:
    """Let a symbolic link point to a sibling, at once or not at all."""
    temporary = link.with_name(f".{link.name}-{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    try:
        temporary.replace(link)
    finally:
        temporary.unlink(missing_ok=True)

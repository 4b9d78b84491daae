"""The one training loop: updates, events, checkpoints, progress. It can be killed at any moment and goes on."""

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ups_models.batch import Batch
from ups_models.checkpoint import EmulatorDescription, load_weights, save_checkpoint
from upsctl.console import ProgressBar, progress_bar
from upsctl.errors import DivergedError
from upsctl.profiles import RunProfile
from upsctl.training.run_folder import RunFolder
from upsctl.training.tracker import Tracker
from upsctl.training.training_state import STATE_NAME, read_state, write_state
from upsctl.training.updates import Update, Updates

EVENT_INTERVAL_SECONDS = 1.0


@dataclass(frozen=True, eq=False)
class StageTraining:
    """One stage of one run, ready to be trained.

    Attributes:
        run: where events and checkpoints go.
        profile: the run's.
        stage: its name.
        updates: of this stage, before its first update.
        description: of the model, for its checkpoints.
        lineage: facts for its checkpoints.
        valid: dataset -> some pairs of consecutive frames of the validation split.
        tracker: who else reads the events.
    """

    run: RunFolder
    profile: RunProfile
    stage: str
    updates: Updates
    description: EmulatorDescription
    lineage: Mapping[str, Any]
    valid: Mapping[str, Batch]
    tracker: Tracker

    def train(self) -> None:
        """Make all updates that are missing; the last checkpoint holds the finished stage.

        Raises:
            DivergedError: when a gradient is not finite; an event says so.
        """
        self._continue()
        updates = self.updates
        title = f"{self.profile.label}, {self.stage}"
        with progress_bar(title, updates.num_steps, done=updates.step) as bar:
            clock = _Clock(self.profile.checkpoint_interval_seconds)
            while updates.step < updates.num_steps:
                clock.add(self._make_one())
                if clock.is_event_due() or updates.step == updates.num_steps:
                    self._report(clock, bar)
                if clock.is_checkpoint_due() and updates.step < updates.num_steps:
                    self.save()
                    clock.checkpoint_was_made()
        self.save()
        self.run.append_event("end", stage=self.stage, step=updates.step)
        self.tracker.poll()

    def save(self) -> None:
        """Write a whole checkpoint and make it the stage's last one."""
        updates, step = self.updates, self.updates.step
        self._validate()
        temporary = self.run.stage_path(self.stage) / f".writing-{os.getpid()}"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        write_state(temporary / STATE_NAME, updates.parameters, updates.optimiser, updates.mixture.position)
        lineage = {**self.lineage, "num_steps": step, "num_batches": dict(updates.mixture.position)}
        lineage["wall_seconds"] = round(self.run.training_seconds(self.stage), 2)
        weights, profile = updates.averaged_weights(), self.profile.model_dump(mode="json")
        save_checkpoint(temporary, self.description, weights, profile, lineage)
        self.run.publish_checkpoint(self.stage, temporary, step)
        self.run.append_event("checkpoint", stage=self.stage, step=step)

    def _continue(self) -> None:
        """Take over the stage's last checkpoint, if there is one."""
        checkpoint, updates = self.run.checkpoint(self.stage), self.updates
        if checkpoint is None:
            self.run.append_event("begin", stage=self.stage, step=0, num_steps=updates.num_steps)
            return
        position = read_state(checkpoint / STATE_NAME, updates.parameters, updates.optimiser)
        updates.take_over(position, load_weights(checkpoint))
        self.run.append_event("resume", stage=self.stage, step=updates.step, num_steps=updates.num_steps)

    def _make_one(self) -> Update:
        try:
            return self.updates.make_one()
        except DivergedError as error:
            self.run.append_event("diverged", stage=self.stage, step=self.updates.step, problem=error.problem)
            raise

    def _report(self, clock: "_Clock", bar: ProgressBar) -> None:
        facts = clock.summary()
        step, epoch = self.updates.step, self.updates.step / self.profile.steps_per_epoch
        self.run.append_event("step", stage=self.stage, step=step, epoch=round(epoch, 3), **facts)
        loss, speed = facts["loss"], facts["samples_per_second"]
        bar.advance(clock.num_updates, f"epoch {epoch:.1f}, loss {loss:.4f}, {speed:.0f} samples/s")
        clock.event_was_made()
        self.tracker.poll()

    def _validate(self) -> None:
        """The stage's loss on some of the validation split, with the averaged weights."""
        for name, batch in self.valid.items():
            loss, step = self.updates.validation_loss(batch), self.updates.step
            self.run.append_event("valid", stage=self.stage, step=step, dataset=name, loss=loss)


class _Clock:
    """Which updates were made since the last event, and when the next event and checkpoint are due."""

    def __init__(self, checkpoint_interval: float) -> None:
        self._interval = checkpoint_interval
        self.event_was_made()
        self.checkpoint_was_made()

    @property
    def num_updates(self) -> int:
        return len(self._updates)

    def add(self, update: Update) -> None:
        self._updates.append(update)

    def is_event_due(self) -> bool:
        return time.perf_counter() - self._event_time >= EVENT_INTERVAL_SECONDS

    def event_was_made(self) -> None:
        self._updates: list[Update] = []
        self._event_time = time.perf_counter()

    def is_checkpoint_due(self) -> bool:
        return time.perf_counter() - self._checkpoint_time >= self._interval

    def checkpoint_was_made(self) -> None:
        self._checkpoint_time = time.perf_counter()

    def summary(self) -> dict[str, Any]:
        """Mean losses, the last rate and the throughput since the last event."""
        seconds = time.perf_counter() - self._event_time
        losses = {name: _mean_loss(self._updates, name) for name in {update.dataset for update in self._updates}}
        several = {f"loss_{name}": losses[name] for name in sorted(losses)} if len(losses) > 1 else {}
        return {
            "loss": sum(update.loss.item() for update in self._updates) / len(self._updates),
            **several,
            "learning_rate": self._updates[-1].learning_rate,
            "samples_per_second": round(sum(update.num_windows for update in self._updates) / seconds, 1),
            "seconds": round(seconds, 3),
        }


def _mean_loss(updates: list[Update], dataset: str) -> float:
    losses = [update.loss.item() for update in updates if update.dataset == dataset]
    return sum(losses) / len(losses)

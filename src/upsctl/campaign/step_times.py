"""How long one update takes: measured for every configuration, interleaved, in each phase of its schedule."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from upsctl.campaign.configuration import Configuration
from upsctl.console import progress_bar
from upsctl.machine import count_threads
from upsctl.training.trained_run import TrainingData, build_model, build_updates, choose_device, describe_emulator
from upsctl.training.updates import Updates

NUM_ROUNDS = 10
LONG_RUN = 1_000_000
"""Updates of the imagined training whose phases are timed."""


@dataclass(frozen=True)
class Phase:
    """A part of a training in which updates cost the same: where it begins, and its share of the updates."""

    start: float
    share: float


class StepTimer:
    """Times the updates of one configuration on one of its datasets.

    Args:
        configuration: what is trained.
        dataset: whose batches.
        data: in memory.
    """

    def __init__(self, configuration: Configuration, dataset: str, data: TrainingData) -> None:
        profile = configuration.run_profile(LONG_RUN)
        torch.set_num_threads(count_threads(profile.num_threads))
        device = choose_device(profile)
        artifacts = {name: data.artifacts[name] for name in configuration.datasets}
        model = build_model(describe_emulator(profile, artifacts), profile.seed, data.only(configuration.datasets))
        alone = profile.model_copy(update={"datasets": {dataset: profile.datasets[dataset]}})
        self._updates = build_updates(model.to(device), configuration.contestant.stage, alone, data, device)
        self._dataset, self._rounds = dataset, {phase: [] for phase in _phases(self._updates)}
        for phase in self._rounds:
            self._make_one(phase)

    def measure(self, seconds: float) -> None:
        """One more round: updates of every phase, `seconds` in all."""
        for phase, rounds in self._rounds.items():
            start, count = time.perf_counter(), 0
            while time.perf_counter() - start < seconds / len(self._rounds):
                self._make_one(phase)
                count += 1
            rounds.append((time.perf_counter() - start) / count)

    @property
    def seconds_per_update(self) -> float:
        """The mean over the schedule's phases of each one's median round: a busy moment does not count."""
        return sum(phase.share * statistics.median(rounds) for phase, rounds in self._rounds.items())

    def _make_one(self, phase: Phase) -> None:
        self._updates.mixture.position[self._dataset] = round(phase.start * LONG_RUN)
        self._updates.make_one().loss.item()


def measure_step_seconds(
    wanted: Sequence[tuple[Configuration, str]], data: TrainingData, seconds: float
) -> Mapping[tuple[str, str], float]:
    """(cost name, dataset) -> seconds per update, all measured in turn, round by round.

    Args:
        wanted: configurations that are trained by gradient, each with one of its datasets.
        data: of all of them.
        seconds: how long each is timed, in all rounds together.
    """
    timers = {}
    with progress_bar("measuring step times", (NUM_ROUNDS + 1) * len(wanted)) as bar:
        for configuration, dataset in wanted:
            timers[configuration.cost_name, dataset] = StepTimer(configuration, dataset, data)
            bar.advance(1, configuration.cost_name)
        for _ in range(NUM_ROUNDS):
            for (name, _), timer in timers.items():
                timer.measure(seconds / NUM_ROUNDS)
                bar.advance(1, name)
    return {key: timer.seconds_per_update for key, timer in timers.items()}


def time_reference(configuration: Configuration, dataset: str, data: TrainingData, seconds: float) -> float:
    """Seconds per update of the configuration that tells how busy the machine is."""
    timer = StepTimer(configuration, dataset, data)
    for _ in range(NUM_ROUNDS):
        timer.measure(seconds / NUM_ROUNDS)
    return timer.seconds_per_update


def _phases(updates: Updates) -> list[Phase]:
    """The phases of the stage's windows, found on a grid of its progress."""
    grid = 200
    lengths = [updates.stage.num_frames(index / grid) for index in range(grid)]
    starts = {length: index / grid for index, length in reversed(list(enumerate(lengths)))}
    return [Phase(start, lengths.count(length) / grid) for length, start in starts.items()]

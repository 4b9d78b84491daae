"""What a sweep has tried: one line for each trial in `sweep.jsonl`, so that a stopped sweep goes on."""

import json
import math
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from upsctl.campaign.campaign_file import CampaignFile, num_steps
from upsctl.campaign.configuration import Configuration, model_digest
from upsctl.campaign.planned_training import data_digest, train_planned, wall_seconds
from upsctl.console import say
from upsctl.data.artifact import Artifact
from upsctl.errors import DivergedError
from upsctl.evaluation.headline import Mean, headline_error
from upsctl.evaluation.opened_checkpoint import open_checkpoint
from upsctl.source_digest import short_training_digest
from upsctl.training.trained_run import TrainingData
from upsctl.whole_file import append_lines, read_json_lines

FILE_NAME = "sweep.jsonl"


@dataclass(frozen=True)
class Trials:
    """Trials of one campaign.

    Attributes:
        name, command: the campaign's.
        record: where `sweep.jsonl` grows.
        trainings: where the trials' runs stand while they are trained.
        file: the campaign's file, which says how many updates a time buys.
        data: of all datasets.
        valid: dataset -> its artifact opened for the validation split.
    """

    name: str
    command: str
    record: Path
    trainings: Path
    file: CampaignFile
    data: TrainingData
    valid: dict[str, Artifact]

    def error(self, configuration: Configuration, seconds: float, mean: Mean) -> float:
        """The validation error after `seconds`' worth of updates on each dataset; infinite where the training diverged.

        Of several datasets, the geometric mean of their errors.
        """
        steps = {name: self._num_steps(configuration, name, seconds) for name in configuration.datasets}
        key = self._key(configuration, steps) | {"mean": mean}
        known = [line for line in self.lines if key.items() <= line.items()]
        if known:
            return float(known[0]["error"])
        path = self.trainings / f"sweep-{configuration.name}-{sum(steps.values())}"
        error, wall = self._train(path, configuration, steps, mean)
        say(f"{configuration.name}: {sum(steps.values())} updates, error {error:.4g}")
        self._append({**key, "seconds": seconds, "wall_seconds": wall, "error": str(error)})
        shutil.rmtree(path)
        return error

    @cached_property
    def lines(self) -> list[dict[str, Any]]:
        """All trials so far."""
        return read_json_lines(self.record / FILE_NAME)

    def _num_steps(self, configuration: Configuration, dataset: str, seconds: float) -> int:
        return num_steps(self.file.facts.sweep_step_seconds, configuration.cost_name, dataset, seconds)

    def _train(
        self, path: Path, configuration: Configuration, steps: dict[str, int], mean: Mean
    ) -> tuple[float, float]:
        try:
            checkpoint = train_planned(path, configuration.budgeted_profile(steps), self.name, self.command, self.data)
        except DivergedError as problem:
            say(f"{configuration.name}: {problem.problem}")
            return math.inf, 0.0
        opened = open_checkpoint(checkpoint)
        errors = [headline_error(opened, self.valid[name], "valid", mean) for name in configuration.datasets]
        return math.prod(errors) ** (1 / len(errors)), wall_seconds(checkpoint)

    def _key(self, configuration: Configuration, steps: dict[str, int]) -> dict[str, Any]:
        return {
            "label": configuration.label,
            "learning_rate": configuration.learning_rate,
            "width": configuration.width,
            "prediction": configuration.prediction,
            "datasets": {name: self._share(configuration, name, count) for name, count in steps.items()},
            "model_digest": model_digest(configuration.contestant, configuration.suite),
            "source_digest": short_training_digest(configuration.contestant.model.emulator),
        }

    def _share(self, configuration: Configuration, dataset: str, count: int) -> dict[str, Any]:
        return {
            "num_steps": count,
            "batch_size": configuration.suite.datasets[dataset].batch_size,
            "data_digest": data_digest(self.data.artifacts[dataset]),
        }

    def _append(self, line: dict[str, Any]) -> None:
        append_lines(self.record / FILE_NAME, [json.dumps(line)])
        self.lines.append(line)

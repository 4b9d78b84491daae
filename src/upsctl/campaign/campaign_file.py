"""The campaign's file: what was measured before the first training, and how many updates each budget buys."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from upsctl.errors import DataError, ResourcesError
from upsctl.whole_file import write_json

FILE_NAME = "campaign.json"
StepSeconds = dict[str, dict[str, float]]
"""Cost name -> dataset -> seconds per update."""


class CampaignFacts(BaseModel):
    """The file's content.

    Attributes:
        suite: the comparison's name.
        device, device_class, commit, started: where and when the step times were measured.
        reference_seconds: dataset -> seconds per update of the reference configuration, at that time.
        sweep_step_seconds: from which the updates of the sweep's trials were counted.
        step_seconds: of the chosen settings, measured in turn before the first training that is compared.
        num_steps: how many updates a budget buys, cost name -> dataset -> seconds -> updates.
        parts: each start: its time, and the reference's seconds per update at that time.
    """

    model_config = ConfigDict(extra="forbid")

    suite: str
    device: str
    device_class: str
    commit: str
    started: str
    reference_seconds: dict[str, float] = Field(default_factory=dict)
    sweep_step_seconds: StepSeconds = Field(default_factory=dict)
    step_seconds: StepSeconds = Field(default_factory=dict)
    num_steps: dict[str, dict[str, dict[str, int]]] = Field(default_factory=dict)
    parts: list[dict[str, Any]] = Field(default_factory=list)


@dataclass(frozen=True)
class CampaignFile:
    """`campaign.json` in a campaign's record; written anew at each change, at once or not at all."""

    path: Path
    facts: CampaignFacts

    @classmethod
    def open(cls, folder: Path, suite: str, device: str, device_class: str, commit: str) -> "CampaignFile":
        """The file of a folder, or a new one.

        Raises:
            DataError: when it is something else.
            ResourcesError: when it was begun on another class of devices: its budgets mean nothing here.
        """
        path = folder / FILE_NAME
        if not path.is_file():
            started = datetime.now(UTC).isoformat(timespec="seconds")
            return cls(path, CampaignFacts(
                suite=suite, device=device, device_class=device_class, commit=commit, started=started))
        try:
            facts = CampaignFacts.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise DataError(f"{path}: not a campaign's file", got=error.errors()[0]["msg"]) from None
        if facts.device_class != device_class:
            raise ResourcesError(
                f"{path}: the campaign's budgets were counted on {facts.device_class}", got=device_class,
                next_step="another --output")
        return cls(path, facts)

    def write(self) -> None:
        """Replace the file."""
        write_json(self.facts.model_dump(mode="json"), self.path)

    def add(self, times: StepSeconds, found: Mapping[tuple[str, str], float]) -> None:
        """Put step times into one of the tables that lacks them, as on the machine at rest.

        Args:
            times: `sweep_step_seconds` or `step_seconds` of the facts.
            found: (cost name, dataset) -> seconds per update, measured in turn, those known already among them: how
                much slower these were now tells how busy the machine was; without any, the reference does.
        """
        known = {(name, dataset) for name, of_name in times.items() for dataset in of_name}
        datasets = {dataset for _, dataset in found}
        ratios = {one: [found[key] / times[key[0]][one] for key in known & set(found) if key[1] == one]
                  for one in datasets}  # fmt: skip
        slowness = {one: statistics.median(ratios[one] or [self.slowness(one)]) for one in datasets}
        for name, dataset in set(found) - known:
            times.setdefault(name, {})[dataset] = found[name, dataset] / slowness[dataset]
        self.write()

    def count_steps(self, cost_name: str, dataset: str, seconds: float) -> int:
        """How many updates a budget buys, by `step_seconds`; the file says so too."""
        counted = num_steps(self.facts.step_seconds, cost_name, dataset, seconds)
        of_budgets = self.facts.num_steps.setdefault(cost_name, {}).setdefault(dataset, {})
        if of_budgets.get(f"{seconds:g}") != counted:
            of_budgets[f"{seconds:g}"] = counted
            self.write()
        return counted

    def slowness(self, dataset: str) -> float:
        """The reference's time now over its time when the step times were measured."""
        return self.facts.parts[-1]["reference_seconds"][dataset] / self.facts.reference_seconds[dataset]


def num_steps(times: StepSeconds, cost_name: str, dataset: str, seconds: float) -> int:
    """How many updates a budget buys."""
    return max(1, int(seconds / times[cost_name][dataset]))

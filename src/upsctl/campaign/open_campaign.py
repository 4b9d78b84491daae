"""The campaign that a person means."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from upsctl.campaign.run_campaign import Campaign
from upsctl.profile_reader import load_profile
from upsctl.suite_profile import SuiteProfile
from upsctl.training.lineage import present_commit
from upsctl.training.run_folder import runs_root

LOOKS = "test_looks.jsonl"


def open_campaign(suite: str, overrides: Sequence[str], output: Path | None, *, is_final: bool) -> Campaign:
    """A suite's campaign in its folder.

    Args:
        suite: a suite's name or path.
        overrides: `key=value` each.
        output: folder of everything; None: runs/bench/<suite>, and the record where the suite says.
        is_final: evaluate the test split, whatever the suite says.
    """
    resolved = load_profile("suites", suite, overrides)
    profile: SuiteProfile = resolved.profile
    folder = output if output is not None else runs_root() / "bench" / resolved.name
    record = Path(profile.record) if profile.record is not None and output is None else folder
    return Campaign(resolved.name, profile, "test" if is_final else profile.split, folder, record)


def record_test_look(campaign: Campaign) -> None:
    """One more line in `test_looks.jsonl`: each look at the test split is told."""
    line = {
        "campaign": campaign.name,
        "commit": present_commit(),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    campaign.record.mkdir(parents=True, exist_ok=True)
    with (campaign.record / LOOKS).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(line) + "\n")

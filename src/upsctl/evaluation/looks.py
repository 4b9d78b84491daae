"""`test_looks.jsonl`, beside the campaigns' records: each time that a campaign measured somebody on a test split."""

import json
from datetime import UTC, datetime
from pathlib import Path

from upsctl.whole_file import append_lines, read_json_lines

FILE_NAME = "test_looks.jsonl"


def record_look(folder: Path, campaign: str, dataset: str, commit: str) -> None:
    """One more line.

    Raises:
        DiskError: when the disk is full or not writable.
    """
    time = datetime.now(UTC).isoformat(timespec="seconds")
    line = {"campaign": campaign, "dataset": dataset, "commit": commit, "time": time}
    append_lines(folder / FILE_NAME, [json.dumps(line)])


def count_looks(folder: Path, dataset: str) -> int:
    """How often any campaign with its record in `folder` looked at a dataset's test split."""
    return sum(look["dataset"] == dataset for look in read_json_lines(folder / FILE_NAME))

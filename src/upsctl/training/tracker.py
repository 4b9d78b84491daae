"""W&B as a reader of a run's `events.jsonl`, which is the truth.

The values of line n of the events become W&B's step n, so a line forwarded again falls on itself. Where a resumed run
goes on is what W&B's server says that it has; a server that does not say, and the offline mode, go by `tracker.json`,
which counts only what has been safe for `SAFE_SECONDS`. So every line arrives. Only after a kill -9 may some arrive
twice, under the same step: those of the last 8 to 16 seconds, offline or at a server that does not say.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from upsctl import console
from upsctl.profiles import TrackerProfile
from upsctl.training.run_folder import EVENTS, RunFolder
from upsctl.training.wandb_client import client_errors, forget_service, open_client, reason_of
from upsctl.whole_file import write_json

if TYPE_CHECKING:
    import wandb

# Longer than W&B's client takes to write its file and to send: what is older is safe from a kill -9.
SAFE_SECONDS = 8.0


class Tracker:
    """Forwards events to W&B; without a client it does nothing.

    Args:
        run: whose events are read.
        client: W&B's run, if there is one.
    """

    def __init__(self, run: RunFolder, client: "wandb.Run | None") -> None:
        self._run, self._client, self._offset = run, client, 0
        self._num_lines = self._safe_count = 0
        self._safe_time = time.monotonic()
        if client is not None:
            self._skip(client.step if client.resumed else _read_count(run))

    def poll(self) -> None:
        """Forward every whole line since the last poll."""
        if self._client is None:
            return
        for line in self._unread_lines():
            self._forward(_numbers(line))
            if self._client is None:
                return
            self._num_lines, self._offset = self._num_lines + 1, self._offset + len(line)
        if time.monotonic() - self._safe_time >= SAFE_SECONDS:
            _write_count(self._run, self._safe_count)
            self._safe_count, self._safe_time = self._num_lines, time.monotonic()

    def close(self, exit_code: int) -> None:
        """Forward the rest and end the session; W&B shows a run of another code than 0 as failed."""
        self.poll()
        if self._client is not None:
            with self._warning():
                self._client.finish(exit_code)
                _write_count(self._run, self._num_lines)

    def _forward(self, numbers: dict[str, float]) -> None:
        if self._client is not None and numbers:
            with self._warning():
                self._client.log(numbers, step=self._num_lines, commit=True)

    def _unread_lines(self) -> Iterator[bytes]:
        """A last line that is still being written, or was cut by a kill, waits."""
        with (self._run.path / EVENTS).open("rb") as stream:
            stream.seek(self._offset)
            yield from (line for line in stream if line.endswith(b"\n"))

    def _skip(self, num_lines: int) -> None:
        """Take lines as forwarded by an earlier process."""
        for _, line in zip(range(num_lines), self._unread_lines(), strict=False):
            self._num_lines, self._offset = self._num_lines + 1, self._offset + len(line)
        self._safe_count = self._num_lines

    @contextmanager
    def _warning(self) -> Iterator[None]:
        """A failure of the client is a warning that says where its file is; the training goes on."""
        try:
            yield
        except client_errors() as error:
            client, self._client = self._client, None
            folder = client.settings.sync_dir if client else ""
            step = f"next: `wandb sync --include-online {folder}`"
            console.warn(f"W&B: {reason_of(error)}; the training goes on; {step}")
            if isinstance(error, ConnectionError):
                forget_service()


@contextmanager
def tracking(run: RunFolder, profile: TrackerProfile) -> Iterator[Tracker]:
    """A tracker for as long as the run is trained; the next process continues the same W&B run."""
    tracker, exit_code = Tracker(run, open_client(run, profile)), 1
    try:
        yield tracker
        exit_code = 0
    finally:
        tracker.close(exit_code)


def _numbers(line: bytes) -> dict[str, float]:
    """`<stage>/<key>` of a step; of a validation `<stage>/valid_<key>_<dataset>`, beside the same `<stage>/step`."""
    with suppress(json.JSONDecodeError, UnicodeDecodeError):
        event: dict[str, Any] = json.loads(line)
        if event["event"] in ("step", "valid"):
            is_valid, dataset = event["event"] == "valid", event.get("dataset")
            before, after = ("valid_" if is_valid else ""), (f"_{dataset}" if is_valid and dataset else "")
            numbers = {key: value for key, value in event.items() if type(value) in (int, float)}
            names = {key: key if key == "step" else f"{before}{key}{after}" for key in numbers}
            return {f"{event['stage']}/{names[key]}": value for key, value in numbers.items()}
    return {}


def _read_count(run: RunFolder) -> int:
    path = run.path / "tracker.json"
    return int(json.loads(path.read_text(encoding="utf-8"))["num_events"]) if path.exists() else 0


def _write_count(run: RunFolder, num_events: int) -> None:
    write_json({"num_events": num_events}, run.path / "tracker.json")

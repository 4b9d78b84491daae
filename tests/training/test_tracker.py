"""W&B reads a run's events: through its real client, offline and with a real server of its protocol."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from upsctl.profiles import DatasetShare, ModelProfile, RunProfile, StageProfile, TrackerProfile
from upsctl.training.run_folder import RunFolder
from upsctl.training.tracker import tracking

PROFILE = RunProfile(
    datasets={"burgers1d_tiny_v1": DatasetShare(weight=2.5)},
    # Not empty: W&B's client leaves empty mappings out.
    model=ModelProfile(emulator="universal", settings={"width": 8}),
    stages={stage: StageProfile(num_steps=40, settings={"noise": 0.1}) for stage in ("operator", "diffusion")},
    seed=3,
)

# Trains the steps of one stage: a process of its own, as it may be killed and W&B's client keeps state per process.
TRAINING = """
import os, signal, subprocess, sys, time
from pathlib import Path
from upsctl.profiles import TrackerProfile
from upsctl.training import tracker as module, wandb_client
from upsctl.training.run_folder import RunFolder
folder, mode, stage, first, last, then = sys.argv[1:]
# Online, tracker.json counts what the server has not got: its word decides.
module.SAFE_SECONDS, wandb_client.SEND_SECONDS = (0.1 if mode == "online" else 1.5), 1.0
wandb_client.INIT_SECONDS = 2.0 if then == "no_server" else 20.0
wandb_client.FINISH_SECONDS = 2.0 if then == "pause" else 20.0
run = RunFolder(Path(folder))
def kill_client():
    core = subprocess.check_output(["pgrep", "-P", str(os.getpid()), "wandb-core"], text=True)
    os.kill(int(core), signal.SIGKILL)
with module.tracking(run, TrackerProfile(mode=mode, project="surrogates")) as tracker:
    if then == "half":
        with (run.path / "events.jsonl").open("a") as stream:
            stream.write('{"event": "step", "stage": "diffusion", "st')
            stream.flush()
            tracker.poll()
            stream.write('ep": 0, "loss": 7.0}' + chr(10))
    for step in range(int(first), int(last)):
        run.append_event("step", stage=stage, step=step, loss=1 / (step + 1), learning_rate=1e-3, note="x")
        tracker.poll()
        if then == "lose_client" and step == int(first):
            kill_client()
            time.sleep(0.3)
        if then in ("kill", "pause"):
            time.sleep(0.1)
    run.append_event("valid", stage=stage, step=int(last), dataset="burgers1d_tiny_v1", loss=0.25)
    if then == "kill":
        kill_client()
        os.kill(os.getpid(), signal.SIGKILL)
    if then == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(5)
"""

# openwandb, and W&B's answer to a client that resumes, which openwandb lacks: how much it has of a run.
SAYING_SERVER = """
import json, os, sys
import uvicorn
from starlette.responses import JSONResponse
from openwandb.config import FILES_DIR
from openwandb.server import app
COUNTS = ("logLineCount", "eventsLineCount")
@app.middleware("http")
async def say(request, call_next):
    if request.url.path == "/graphql" and b"query RunResumeStatus" in (body := await request.body()):
        name = json.loads(body)["variables"]["name"]
        lines = [line for path in FILES_DIR.rglob("wandb-history.jsonl") if name in str(path)
                 for line in path.read_text().splitlines() if line]
        bucket = {**dict.fromkeys(COUNTS, 0), "historyLineCount": len(lines), "historyTail": json.dumps(lines[-1:]),
                  "eventsTail": "[]", "summaryMetrics": "{}", "config": "{}", "displayName": name, "id": name,
                  "name": name, "tags": [], "notes": None, "wandbConfig": '{"t": 1}'}
        return JSONResponse({"data": {"model": {"id": "m", "name": "p", "entity": {"id": "e", "name": "default"},
                                                "bucket": bucket if lines else None}}})
    return await call_next(request)
uvicorn.run(app, host="127.0.0.1", port=int(os.environ["OPENWANDB_PORT"]), log_level="warning")
"""


@dataclass(frozen=True)
class Server:
    """A W&B server on this machine, and what it has been given."""

    url: str
    data: Path
    process: subprocess.Popen[bytes]

    def steps(self, run: RunFolder, key: str) -> list[float]:
        """The values of one metric in their order, however often they arrived."""
        rows = self._rows("select value from metrics where run_id like ? and key = ? order by step", run, key)
        return [row[0] for row in rows]

    def all_rows(self, run: RunFolder) -> list[tuple[Any, ...]]:
        return self._rows("select key, step, value from metrics where run_id like ?", run)

    def facts(self, run: RunFolder) -> list[dict[str, Any]]:
        """The rows of the table of runs."""
        with sqlite3.connect(self.data / "openwandb.db") as base:
            base.row_factory = sqlite3.Row
            rows = base.execute("select * from runs where run_id like ?", (f"{run.name}-%",)).fetchall()
        base.close()
        return [dict(row) for row in rows]

    def _rows(self, query: str, run: RunFolder, *arguments: str) -> list[tuple[Any, ...]]:
        base = sqlite3.connect(self.data / "openwandb.db")
        rows = base.execute(query, (f"{run.name}-%", *arguments)).fetchall()
        base.close()
        return rows


def serve(folder: Path, *command: str) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    names = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(folder), "BASE_URL": url}
    environment = {**os.environ, **{f"OPENWANDB_{name}": value for name, value in names.items()}}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_open(port))
        yield Server(url, folder, process)
    finally:
        process.kill()
        process.wait()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from serve(tmp_path_factory.mktemp("openwandb"), sys.executable, "-m", "openwandb", "serve")


@pytest.fixture(scope="module")
def saying_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from serve(tmp_path_factory.mktemp("openwandb"), sys.executable, "-c", SAYING_SERVER)


@pytest.fixture
def run(request: pytest.FixtureRequest, tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / f"20260101-{request.node.name.replace('_', '-')[:60]}")
    folder.path.mkdir()
    folder.write_profile(PROFILE)
    folder.append_event("start", profile="quickstart")
    return folder


def environment(run: RunFolder, url: str, key: str = "local" + "0" * 35) -> dict[str, str]:
    home = run.path.parent / "home"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WANDB_")}
    places = {f"WANDB_{name}_DIR": str(home / name) for name in ("CONFIG", "CACHE", "DATA")}
    asked = {"HOME": str(home), "WANDB_BASE_URL": url, "WANDB_ERROR_REPORTING": "false", "WANDB_API_KEY": key}
    return {**kept, **places, **asked}


def train(
    run: RunFolder, url: str, mode: str, first: int, last: int, then: str = "end", stage: str = "operator",
    key: str = "local" + "0" * 35,
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", TRAINING, str(run.path), mode, stage, str(first), str(last), then]
    return subprocess.run(command, env=environment(run, url, key), capture_output=True, text=True, timeout=60)


def sync(run: RunFolder, server: Server, pattern: str, *options: str) -> None:
    """What the warnings tell a person to type."""
    folders = [str(path) for path in (run.path / "wandb").glob(pattern)]
    command = [sys.executable, "-m", "wandb", "sync", *options, *folders]
    subprocess.run(command, env=environment(run, server.url), check=True, capture_output=True, timeout=60)


def assert_silent(done: subprocess.CompletedProcess[str]) -> None:
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def only_warning(done: subprocess.CompletedProcess[str]) -> str:
    """The one line that was printed; the training has gone on to its end."""
    assert (done.returncode, done.stdout) == (0, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("warning: W&B: ")
    return line


def test_off_does_nothing_and_needs_no_wandb(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    before = sorted(run.path.iterdir())
    with tracking(run, TrackerProfile(mode="off")) as tracker:
        tracker.poll()
    assert sorted(run.path.iterdir()) == before


def test_online_metrics_config_and_name_arrive_once_over_a_stop(run: RunFolder, server: Server) -> None:
    assert_silent(train(run, server.url, "online", 0, 10))
    run.append_event("resume", stage="operator", step=10)
    assert_silent(train(run, server.url, "online", 10, 20))
    (facts,) = server.facts(run)
    assert facts["display_name"] == run.name
    config = {name: entry["value"] for name, entry in json.loads(facts["config_json"]).items()}
    config.pop("_wandb")
    assert config == PROFILE.model_dump(mode="json")
    assert server.steps(run, "operator/loss") == [1 / (step + 1) for step in range(20)]
    assert server.steps(run, "operator/step") == [*range(11), *range(10, 21)]
    assert server.steps(run, "operator/valid_loss_burgers1d_tiny_v1") == [0.25, 0.25]
    keys = {name for name, _, _ in server.all_rows(run)}
    assert not any("note" in name or "time" in name for name in keys)


def test_offline_files_bring_everything_once_over_a_ctrl_c(run: RunFolder, server: Server) -> None:
    stopped = train(run, "http://127.0.0.1:9", "offline", 0, 10, then="interrupt")
    assert stopped.returncode == -signal.SIGINT and stopped.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert "wandb:" not in stopped.stderr
    assert_silent(train(run, "http://127.0.0.1:9", "offline", 10, 20))
    sync(run, server, "offline-run-*")
    assert len(server.facts(run)) == 1
    assert server.steps(run, "operator/loss") == [1 / (step + 1) for step in range(20)]
    assert server.steps(run, "operator/valid_loss_burgers1d_tiny_v1") == [0.25, 0.25]


@pytest.mark.slow
def test_after_a_kill_a_server_that_says_what_it_has_lacks_nothing_and_has_nothing_twice(
    run: RunFolder, saying_server: Server
) -> None:
    killed = train(run, saying_server.url, "online", 0, 45, then="kill")
    assert (killed.returncode, killed.stderr) == (-signal.SIGKILL, "")
    assert 0 < len(saying_server.steps(run, "operator/loss")) < 45
    assert_silent(train(run, saying_server.url, "online", 45, 50))
    assert saying_server.steps(run, "operator/loss") == [1 / (step + 1) for step in range(50)]


@pytest.mark.slow
def test_after_a_kill_offline_files_lack_nothing_and_what_is_twice_has_the_same_step(
    run: RunFolder, server: Server
) -> None:
    assert train(run, server.url, "offline", 0, 60, then="kill").returncode == -signal.SIGKILL
    assert 0 < json.loads((run.path / "tracker.json").read_text())["num_events"] <= 50
    assert_silent(train(run, server.url, "offline", 60, 65))
    sync(run, server, "offline-run-*")
    rows = Counter(server.all_rows(run))
    assert sorted({value for name, _, value in rows if name == "operator/step"}) == list(range(66))
    assert max(rows.values()) == 2 and min(rows.values()) == 1
    assert len({(name, step) for name, step, _ in rows}) == len(rows)


def test_without_a_server_the_run_is_recorded_offline_and_says_how_to_sync(run: RunFolder) -> None:
    line = only_warning(train(run, "http://127.0.0.1:9", "online", 0, 5, then="no_server"))
    assert "connection refused" in line and f"wandb sync {run.path}/wandb/offline-run-*" in line
    (folder,) = run.path.glob("wandb/offline-run-*")
    assert b"operator/loss" in next(folder.glob("*.wandb")).read_bytes()


def test_without_a_key_the_run_is_recorded_offline(run: RunFolder, server: Server) -> None:
    line = only_warning(train(run, server.url, "online", 0, 5, key=""))
    assert "wandb login" in line and len(list(run.path.glob("wandb/offline-run-*"))) == 1


@pytest.mark.slow
def test_a_server_that_stops_answering_stops_no_training(run: RunFolder, server: Server) -> None:
    command = [sys.executable, "-c", TRAINING, str(run.path), "online", "operator", "0", "60", "pause"]
    with subprocess.Popen(command, env=environment(run, server.url), stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: len(server.steps(run, "operator/step")) > 0)
        server.process.send_signal(signal.SIGSTOP)
        try:
            _, printed = process.communicate(timeout=40)
        finally:
            server.process.send_signal(signal.SIGCONT)
    assert process.returncode == 0
    (line,) = printed.splitlines()
    assert f"wandb sync --include-online {run.path}/wandb/run-" in line
    sync(run, server, "run-*", "--include-online")
    assert set(server.steps(run, "operator/step")) == set(range(61))


@pytest.mark.slow
def test_when_the_client_is_lost_the_training_goes_on_and_a_resume_brings_the_rest(
    run: RunFolder, server: Server
) -> None:
    line = only_warning(train(run, server.url, "online", 0, 10, then="lose_client"))
    assert "wandb sync" in line
    assert_silent(train(run, server.url, "online", 10, 12))
    assert server.steps(run, "operator/loss") == [1 / (step + 1) for step in range(12)]


def test_a_line_that_is_still_being_written_waits(run: RunFolder, server: Server) -> None:
    assert_silent(train(run, server.url, "online", 0, 3, then="half", stage="diffusion"))
    assert server.steps(run, "diffusion/loss") == [7.0, 1, 1 / 2, 1 / 3]

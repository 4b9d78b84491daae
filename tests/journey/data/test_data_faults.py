"""What goes wrong with data: altered bytes, full disks, kills, Ctrl-C: one line, nothing half written, on it goes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from journey.data.data_program import BURGERS, PROGRAM, alter, entries, error, upsctl, values
from upsctl.data.cache import Cache
from upsctl.data.checker import check_artifact
from upsctl.data.convert import build_converter
from upsctl.data.prune import unfinished_bytes
from upsctl.errors import ExitCode
from upsctl.failure import GOING_ON


def test_an_altered_store_is_passed_over_with_a_warning(cache: Path, folder: Path) -> None:
    (folder / "profiles/stores").mkdir()
    (folder / "profiles/stores/shelf.yaml").write_text(f"backend: folder\naddress: {folder}/shelf\n")
    (part,) = values("push", BURGERS, "--store", "shelf")["record"]["parts"]
    upsctl("prune", "--max-gb", "0")
    alter(folder / "shelf" / part["key"], 0.5)
    done = upsctl("fetch", BURGERS, "--json")
    assert json.loads(done.stdout)["answered_by"] == "recipe burgers"
    assert "altered in the store" in done.stderr


def test_a_store_that_cannot_be_read_is_passed_over_and_one_that_is_read_only_is_told_first(
    cache: Path, folder: Path
) -> None:
    (folder / "profiles/stores").mkdir()
    (folder / "profiles/stores/shelf.yaml").write_text(f"backend: folder\naddress: {folder}/shelf\n")
    (folder / "profiles/stores/web.yaml").write_text("backend: fsspec_url\naddress: http://127.0.0.1:9/shelf\n")
    for words in (["--dry-run"], []):
        assert "store web: read-only" in error("push", BURGERS, "--store", "web", *words, code=ExitCode.STORE)
    (part,) = values("push", BURGERS, "--store", "shelf")["record"]["parts"]
    upsctl("prune", "--max-gb", "0")
    stored = folder / "shelf" / part["key"]
    stored.unlink()
    stored.symlink_to(stored.name)
    done = upsctl("fetch", BURGERS, "--json")
    assert json.loads(done.stdout)["answered_by"] == "recipe burgers"
    assert "Too many levels" in done.stderr


def test_an_altered_byte_in_the_cache_is_named_and_fetched_anew(cache: Path) -> None:
    entry = Path(values("show", BURGERS)["cached"]["path"])
    alter(entry / f"data/valid/{BURGERS}.hdf5", 0.6)
    done = upsctl("verify", BURGERS, code=ExitCode.INTEGRITY)
    assert f"data/valid/{BURGERS}.hdf5: SHA-256" in done.stderr and "--verify" in done.stderr
    assert values("fetch", BURGERS, "--verify")["answered_by"] == "recipe burgers"
    upsctl("verify", BURGERS)


def test_an_archive_mends_an_entry_with_an_altered_byte(cache: Path) -> None:
    (file,) = values("pack", BURGERS)["files"]
    alter(Path(values("show", BURGERS)["cached"]["path"]) / f"data/valid/{BURGERS}.hdf5", 0.6)
    upsctl("verify", BURGERS, code=ExitCode.INTEGRITY)
    assert values("fetch", BURGERS, "--archive", file)["answered_by"].startswith("archive ")
    upsctl("verify", BURGERS)


@pytest.mark.parametrize("verb", ["verify", "fetch"])
def test_a_truncated_archive_is_one_line_and_leaves_nothing(cache: Path, folder: Path, verb: str) -> None:
    (file,) = values("pack", BURGERS)["files"]
    content = Path(file).read_bytes()
    Path(file).write_bytes(content[:-10])
    shutil.rmtree(cache)
    words = [verb, file] if verb == "verify" else [verb, BURGERS, "--archive", file]
    assert "truncated; expected a whole .tar.zst" in error(*words, code=ExitCode.INTEGRITY)
    assert entries(cache) == []
    Path(file).write_bytes(content)
    upsctl(*words)


LIMITS = [2_000, 10_000, 60_000]


@pytest.mark.parametrize("limit", LIMITS)
def test_a_disk_that_fills_is_one_line_and_the_next_fetch_succeeds(folder: Path, limit: int) -> None:
    """The limits fall into a solved trajectory, the test and the training split."""
    assert "File too large" in error("fetch", BURGERS, "--processes", "1", code=ExitCode.DISK, limit=limit)
    assert entries(folder / "cache") == []
    ends_well()


@pytest.mark.parametrize("words", [["pack", BURGERS, "--output", "out"], ["push", BURGERS, "--store", "shelf"]])
def test_a_disk_that_fills_while_packing_leaves_no_archive(cache: Path, folder: Path, words: list[str]) -> None:
    (folder / "profiles/stores").mkdir()
    (folder / "profiles/stores/shelf.yaml").write_text(f"backend: folder\naddress: {folder}/shelf\n")
    assert "File too large" in error(*words, code=ExitCode.DISK, limit=20_000)
    assert not list(folder.glob("*/**/*.zst*"))
    assert len(entries(cache)) == 2
    upsctl(*words)


def can_mount() -> bool:
    return shutil.which("unshare") is not None and subprocess.run(["unshare", "-rm", "true"]).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="no right to mount a small disk")
@pytest.mark.parametrize("size", ["250k", *(pytest.param(size, marks=pytest.mark.slow) for size in ("60k", "320k"))])
def test_a_full_disk_is_one_line_and_the_next_fetch_succeeds(folder: Path, size: str) -> None:
    (folder / "cache").mkdir()
    fetch = f"{sys.executable} -m upsctl.program data fetch {BURGERS} --processes 1"
    script = (
        f"mount -t tmpfs -o size={size} tmpfs cache && {fetch} 2> errors; echo $?; ls -A cache/entries\n"
        f"mount -o remount,size=20m cache && {fetch} && {sys.executable} -m upsctl.program data verify {BURGERS}"
    )
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
    lines = [line for line in (folder / "errors").read_text().splitlines() if not line.startswith("solving ")]
    assert done.stdout.startswith(f"7\n{BURGERS}: from recipe"), done.stdout
    assert len(lines) == 1 and "No space left on device" in lines[0]
    assert done.returncode == 0


def stop_at(delay: float, stop: Callable[[subprocess.Popen[str]], None]) -> tuple[int, list[str]]:
    """Begin a fetch, wait until it solves and `delay` seconds more, stop it; its code and lines of error."""
    command = [*PROGRAM, "data", "fetch", BURGERS, "--processes", "2"]
    pipe, solved = subprocess.PIPE, Path("cache/scratch") / BURGERS
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        while not solved.exists() and process.poll() is None:
            time.sleep(0.01)
        time.sleep(delay)
        stop(process)
        printed = process.communicate(timeout=60)[1]
    return process.returncode, [line for line in printed.splitlines() if not line.startswith("solving ")]


def ends_well() -> None:
    root = Path("cache")
    fetched = values("fetch", BURGERS, "--processes", "1")
    assert fetched["answered_by"] in ("recipe burgers", "cache")
    assert check_artifact(Path(fetched["path"])) == []
    assert entries(root) == [Path(fetched["path"]).name]
    assert unfinished_bytes(Cache(root)) == 0


KILLS = [0.3, 1.0, 1.6]
ALL_DELAYS = [round(float(delay), 3) for delay in np.linspace(0.0, 2.5, 60)]


def check_kill(delay: float) -> None:
    code, _ = stop_at(delay, lambda process: os.killpg(process.pid, signal.SIGKILL))
    assert code in (-signal.SIGKILL, 0)
    ends_well()


def check_interrupt(delay: float) -> None:
    code, lines = stop_at(delay, lambda process: os.killpg(process.pid, signal.SIGINT))
    assert code in (ExitCode.INTERRUPTED, ExitCode.DONE), lines
    assert lines == [f"error: stopped; {GOING_ON}"] or code == ExitCode.DONE
    assert code == ExitCode.DONE or entries(Path("cache")) == []
    ends_well()


@pytest.mark.parametrize("delay", KILLS)
def test_kill_9_in_a_fetch_and_the_next_succeeds(delay: float) -> None:
    check_kill(delay)


def test_what_a_killed_fetch_has_solved_is_not_solved_again(folder: Path) -> None:
    scratch = Path("cache/scratch") / BURGERS
    first = solved_when_killed(scratch, at_least=1)
    second = solved_when_killed(scratch, at_least=len(first) + 1)
    assert first and first.items() < second.items()


def solved_when_killed(scratch: Path, at_least: int) -> dict[Path, int]:
    """Kill a fetch once it has solved so many trajectories: each one's file, and when it was written."""
    command = [*PROGRAM, "data", "fetch", BURGERS, "--processes", "1"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as process:
        while len(list(scratch.rglob("[!.]*.npz"))) < at_least:
            assert process.poll() is None
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
    return {path: path.stat().st_mtime_ns for path in scratch.rglob("[!.]*.npz")}


@pytest.mark.parametrize("delay", KILLS)
def test_ctrl_c_in_a_fetch_is_one_line_and_the_next_succeeds(delay: float) -> None:
    check_interrupt(delay)


@pytest.mark.slow
@pytest.mark.parametrize("delay", ALL_DELAYS)
def test_kill_9_at_any_moment(delay: float) -> None:
    check_kill(delay)


@pytest.mark.slow
@pytest.mark.parametrize("delay", ALL_DELAYS)
def test_ctrl_c_at_any_moment(delay: float) -> None:
    check_interrupt(delay)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [round(float(limit)) for limit in np.geomspace(300, 60_000, 40)])
def test_a_disk_that_fills_at_any_byte(folder: Path, limit: int) -> None:
    error("fetch", BURGERS, "--processes", "1", code=ExitCode.DISK, limit=limit)
    ends_well()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_a_raw_file_altered_anywhere_is_read_or_refused(folder: Path, seed: int) -> None:
    random, raw = np.random.default_rng(seed), build_converter("pdebench").write_example(folder)
    content = bytearray(raw.read_bytes())
    for place in random.integers(len(content), size=random.choice([1, 5, 50])):
        content[place] ^= 1 << random.integers(8)
    raw.write_bytes(content)
    command = [*PROGRAM, "data", "convert", "--format", "pdebench", str(raw), "--output", "artifact"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in (ExitCode.DONE, ExitCode.DATA), done.stderr
    assert (folder / "artifact").exists() == (done.returncode == ExitCode.DONE)
    assert not list(folder.glob(".converting*"))

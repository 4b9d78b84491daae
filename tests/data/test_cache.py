"""The cache: whole entries, honest records, nothing pruned that a running process holds, nothing left by killed."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from data.toy_data import CARD, write_toy
from upsctl.data.cache import Cache, CacheRecord
from upsctl.data.prune import prune_cache
from upsctl.data.working_folder import working_folder
from upsctl.errors import DiskError, IntegrityError

HOLDER = """
import sys, pathlib
from upsctl.data.cache import Cache
cache = Cache(pathlib.Path(sys.argv[1]))
cache.hold(cache.records()[-1])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    monkeypatch.setenv("UPSCTL_DATA_ROOT", str(tmp_path / "data"))
    return Cache.default()


def adopt(cache: Cache, name: str = "toy2d_v3") -> CacheRecord:
    with cache.new_folder() as folder:
        write_toy(folder, CARD.model_copy(update={"name": name}))
        return cache.adopt(folder, "recipe toy")


def test_an_adopted_artifact_is_found_and_whole(cache: Cache) -> None:
    record = adopt(cache)
    assert cache.find("toy2d_v3", "d" * 64) == record
    assert record.origin == "recipe toy"
    files = [path for path in cache.path(record).rglob("*.*") if path.name != "manifest.json"]
    assert record.num_bytes == sum(path.stat().st_size for path in files)
    assert [path.name for path in (cache.root / "entries").iterdir()] == [record.entry]


def test_another_name_or_source_is_not_found(cache: Cache) -> None:
    adopt(cache)
    assert cache.find("toy2d_v3", "e" * 64) is None
    assert cache.find("toy2d_v4", "d" * 64) is None


def test_a_damaged_entry_is_removed_with_a_warning(cache: Cache, capfd: pytest.CaptureFixture[str]) -> None:
    record = adopt(cache)
    path = cache.path(record) / "data/test/toy2d_v3.hdf5"
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.find("toy2d_v3", "d" * 64) is None and path.is_file()
    cache.remove_damaged("toy2d_v3")
    assert not path.exists()
    assert "damaged; removed" in capfd.readouterr().err
    assert not cache.path(record).exists()


def test_a_record_that_is_none_is_left_alone_with_a_warning(cache: Cache, capfd: pytest.CaptureFixture[str]) -> None:
    record = adopt(cache)
    other = cache.root / "records" / "other.json"
    other.write_text("{")
    assert cache.records() == [record]
    assert "not a cache record" in capfd.readouterr().err
    assert other.exists()


def test_holding_makes_an_entry_the_last_used(cache: Cache) -> None:
    first, second = adopt(cache), adopt(cache, "toy2d_v4")
    assert [record.name for record in cache.records()] == ["toy2d_v3", "toy2d_v4"]
    cache.hold(first)
    assert [record.name for record in cache.records()] == ["toy2d_v4", "toy2d_v3"]
    assert cache.is_held(first) and not cache.is_held(second)


def test_what_is_taken_while_others_are_pruned_stays(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job may take an entry between the listing and its turn."""
    first, second = adopt(cache), adopt(cache, "toy2d_v4")
    original = cache.remove_unheld

    def taken_first(record: CacheRecord) -> bool:
        if record == second:
            cache.hold(record)
        return original(record)

    monkeypatch.setattr(cache, "remove_unheld", taken_first)
    assert cache.prune(0) == ([first], [second])
    assert cache.path(second).is_dir()


def test_a_record_of_other_bytes_is_left_alone_with_a_warning(cache: Cache, capfd: pytest.CaptureFixture[str]) -> None:
    record = adopt(cache)
    (cache.root / "records" / "other.json").write_bytes(b"\xff\x00")
    assert cache.records() == [record]
    assert "not a cache record" in capfd.readouterr().err


def test_a_pruned_entry_cannot_be_held(cache: Cache) -> None:
    record = adopt(cache)
    cache.remove(record)
    with pytest.raises(IntegrityError, match="pruned"):
        cache.hold(record)


def test_pruning_frees_the_least_recently_used_until_it_fits(cache: Cache) -> None:
    records = [adopt(cache, f"toy2d_v{number}") for number in (3, 4, 5)]
    size = records[-1].num_bytes
    said = prune_cache(2 * size + 100, is_dry_run=True).values
    assert [one["name"] for one in said["removed"]] == ["toy2d_v3"]
    assert len(cache.records()) == 3
    assert prune_cache(2 * size + 100).values["num_bytes_left"] == said["num_bytes_left"] <= 2 * size + 100
    assert [record.name for record in cache.records()] == ["toy2d_v4", "toy2d_v5"]
    assert len(list((cache.root / "entries").iterdir())) == 2


def test_pruning_keeps_what_a_running_process_holds_until_it_ends(cache: Cache) -> None:
    adopt(cache)
    command = [sys.executable, "-c", HOLDER, str(cache.root)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        assert [one["name"] for one in prune_cache(0).values["held"]] == ["toy2d_v3"]
        assert len(cache.records()) == 1
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    prune_cache(0)
    assert cache.records() == []


def test_unfinished_work_is_kept_unless_asked(cache: Cache) -> None:
    work = cache.scratch("toy2d_v3") / "half"
    work.mkdir(parents=True)
    (work / "download").write_bytes(bytes(10))
    assert prune_cache(0).values["unfinished_bytes"] == 10
    assert work.exists()
    with cache.lock("toy2d_v3"):
        prune_cache(0, with_unfinished=True)
        assert work.exists()
    prune_cache(0, with_unfinished=True)
    assert not work.exists()


def add_one(root: Path, number: Path) -> None:
    with Cache(root).lock("counter"):
        before = int(number.read_text())
        time.sleep(0.01)
        number.write_text(str(before + 1))


def test_one_process_at_a_time_works_on_a_name(cache: Cache, tmp_path: Path) -> None:
    number = tmp_path / "number"
    number.write_text("0")
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_one, args=(cache.root, number)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert number.read_text() == "4"


def test_a_root_that_cannot_be_made_is_a_disk_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match="UPSCTL_DATA_ROOT"):
        Cache(tmp_path / "file")


def test_a_working_folder_goes_and_one_in_use_stays(tmp_path: Path) -> None:
    with working_folder(tmp_path, ".new-") as first:
        (first / "file").write_text("kept")
        with working_folder(tmp_path, ".new-") as second:
            assert first.exists() and second != first
    assert list(tmp_path.iterdir()) == []


def test_the_working_folder_of_a_killed_process_is_removed_by_the_next(tmp_path: Path) -> None:
    code = (
        "import sys, os, signal, pathlib\nfrom upsctl.data.working_folder import working_folder\n"
        "with working_folder(pathlib.Path(sys.argv[1]), '.new-') as folder:\n"
        "    (folder / 'half').write_text('written')\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=dict(os.environ))
    assert len(list(tmp_path.glob(".new-*/half"))) == 1
    with working_folder(tmp_path, ".new-") as folder:
        assert list(tmp_path.iterdir()) == [folder]

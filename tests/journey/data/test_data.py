"""Data as a person meets them: found, made, packed, pushed, fetched, converted, checked, pruned."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from contracts.web_server import serve
from journey.data.data_program import BURGERS, TINY, entries, error, upsctl, values
from upsctl.data.convert import build_converter
from upsctl.data.digests import file_digest
from upsctl.errors import ExitCode
from upsctl.profile_reader import load_yaml, write_yaml

HEAVY = ("torch", "wandb", "matplotlib", "torch_geometric", "neuralop")


def test_list_and_show_say_what_is_here(cache: Path) -> None:
    listed = {one["name"]: one for one in values("list")["datasets"]}
    assert {name for name, one in listed.items() if one["state"] == "yes"} == set(TINY)
    assert listed[BURGERS]["origin"] == "recipe burgers" and listed[BURGERS]["last_used"] > 1e9
    assert listed["burgers1d_pdebench_v1"]["state"] == "no"
    shown = values("show", BURGERS)
    assert shown["card"]["fields"]["u"]["units"] == "m/s"
    assert Path(shown["cached"]["path"]).is_dir()
    assert "not in the cache" in upsctl("show", "burgers1d_subset_v1").stdout


def test_a_card_that_is_none_hides_no_other(cache: Path, folder: Path) -> None:
    (folder / "profiles/datasets/broken_v1.yaml").write_text("name: broken_v1\n")
    listed = values("list")
    assert {one["name"] for one in listed["datasets"]} > set(TINY)
    (line,) = listed["unreadable"]
    assert "broken_v1.yaml" in line


def test_a_second_fetch_is_answered_by_the_cache(cache: Path) -> None:
    for name in TINY:
        assert values("fetch", name)["answered_by"] == "cache"
        assert "keeps every rule" in upsctl("verify", name).stdout


def test_a_dry_run_leaves_a_damaged_entry_alone(cache: Path) -> None:
    (file,) = Path(values("show", BURGERS)["cached"]["path"]).glob("data/test/*.hdf5")
    file.write_bytes(file.read_bytes()[:-1])
    assert values("fetch", BURGERS, "--dry-run")["first_source"] != "cache"
    assert file.is_file()
    assert "damaged; removed" in upsctl("fetch", BURGERS).stderr


def test_dry_runs_say_what_it_costs_and_do_nothing(folder: Path) -> None:
    plan = values("fetch", BURGERS, "--dry-run")
    assert (plan["first_source"], plan["cost"]) == ("recipe burgers", "24 trajectories to solve, 67.6 kB on the disk")
    assert "250 files" in values("fetch", "navier_stokes_incompressible2d_pdebench_v1", "--dry-run")["cost"]
    assert values("pack", BURGERS, "--dry-run")["is_fetched_first"]
    assert values("push", BURGERS, "--store", "home", "--dry-run")["card"] == f"profiles/datasets/{BURGERS}.yaml"
    raw = build_converter("pdebench").write_example(folder)
    assert values("convert", "--format", "pdebench", str(raw), "--output", "new", "--dry-run")["is_dry_run"]
    assert values("prune", "--max-gb", "0", "--dry-run")["removed"] == []
    assert entries(folder / "cache") == [] and not (folder / "new").exists()


def test_data_verbs_load_no_torch(cache: Path) -> None:
    upsctl("pack", BURGERS)
    raw = build_converter("pdebench").write_example(Path())
    lines = [
        ["list"], ["show", BURGERS], ["fetch", BURGERS], ["verify", BURGERS], ["prune", "--max-gb", "1"],
        ["fetch", BURGERS, "--archive", f"{BURGERS}.tar.zst"], ["pack", BURGERS],
        ["convert", "--format", "pdebench", str(raw), "--output", "new"],
    ]  # fmt: skip
    check = (
        f"import sys, json, upsctl.cli\ncodes = [upsctl.cli.run(['data', *words]) for words in {lines!r}]\n"
        f"print(json.dumps([sum(codes), [name for name in {HEAVY!r} if name in sys.modules]]))"
    )
    printed = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed.splitlines()[-1]) == [0, []]


def test_packed_twice_is_the_same_and_comes_back_elsewhere(cache: Path, folder: Path) -> None:
    one, other = (values("pack", BURGERS, "--output", name) for name in ("one", "other"))
    assert one["archive_digest"] == other["archive_digest"]
    assert Path(one["files"][0]).read_bytes() == Path(other["files"][0]).read_bytes()
    assert "keeps every rule" in upsctl("verify", one["files"][0]).stdout
    shutil.rmtree(cache)
    fetched = values("fetch", BURGERS, "--archive", one["files"][0])
    assert fetched["answered_by"] == f"archive {BURGERS}.tar.zst"
    assert values("fetch", BURGERS)["content_digest"] == fetched["content_digest"]
    assert "dataset; expected navier" in error("fetch", TINY[1], "--archive", one["files"][0], code=ExitCode.DATA)


def test_pushed_to_a_folder_pruned_and_fetched_from_there_and_over_http(cache: Path, folder: Path) -> None:
    stores = folder / "profiles/stores"
    stores.mkdir()
    (stores / "shelf.yaml").write_text(f"backend: folder\naddress: {folder}/shelf\n")
    pushed = values("push", BURGERS, "--store", "shelf", "--part-mb", "0.02")
    assert len(pushed["record"]["parts"]) > 1
    card = Path(pushed["card"])
    assert card == Path(f"profiles/datasets/{BURGERS}.yaml")
    assert "# Measured by tests/physics" in card.read_text()
    before = values("fetch", BURGERS)
    assert {one["name"] for one in values("prune", "--max-gb", "0")["removed"]} == set(TINY)
    fetched = values("fetch", BURGERS)
    assert (fetched["answered_by"], fetched["content_digest"]) == ("store shelf", before["content_digest"])
    upsctl("prune", "--max-gb", "0")
    with serve(folder / "shelf", []) as address:
        (stores / "web.yaml").write_text(f"backend: fsspec_url\naddress: {address}\n")
        card.write_text(card.read_text().replace("store: shelf", "store: web"))
        assert values("fetch", BURGERS)["answered_by"] == "store web"
    upsctl("prune", "--max-gb", "0")
    done = upsctl("fetch", BURGERS, "--json")
    again = json.loads(done.stdout)
    assert (again["answered_by"], again["content_digest"]) == ("recipe burgers", before["content_digest"])
    assert "Cannot connect" in done.stderr


def test_convert_reads_raw_files_and_refuses_malformed_ones(folder: Path) -> None:
    raw = build_converter("pdebench").write_example(folder)
    words = ["convert", "--format", "pdebench", str(raw), "--output", "artifact"]
    good = raw.read_bytes()
    raw.write_bytes(good[: len(good) // 2])
    assert "expected a whole HDF5 file" in error(*words, code=ExitCode.DATA)
    assert not list(folder.glob("*artifact*"))
    raw.write_bytes(good)
    assert values(*words)["splits"] == {"train": 8, "valid": 1, "test": 1}
    upsctl("verify", "artifact")
    assert "artifact: exists" in error(*words, code=ExitCode.USAGE)


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["fetch", "burgers1d_tinny_v1"], ExitCode.PROFILE, "expected `burgers1d_tiny_v1`"),
        (["show", "burgers1d_tinny_v1"], ExitCode.PROFILE, "expected `burgers1d_tiny_v1`"),
        (["pack", "burgers1d_tinny_v1"], ExitCode.PROFILE, "expected `burgers1d_tiny_v1`"),
        (["verify", "burgers1d_tinny_v1"], ExitCode.PROFILE, "expected `burgers1d_tiny_v1`"),
        (["push", BURGERS, "--store", "hom"], ExitCode.PROFILE, "expected `home`"),
        (["convert", "--format", "pdbench", "a", "--output", "b"], ExitCode.USAGE, "expected `pdebench`"),
        (["convert", "--format", "pdebench", "none.hdf5", "--output", "b"], ExitCode.DATA, "no such file"),
        (["verify", BURGERS], ExitCode.DATA, f"next: `upsctl data fetch {BURGERS}`"),
        (["verify", "."], ExitCode.INTEGRITY, "no manifest.json"),
        (["fetch", BURGERS, "--archive", "none.tar.zst"], ExitCode.DATA, "none.tar.zst: no such archive"),
    ],
)
def test_a_wrong_word_is_one_line_with_the_nearest(words: list[str], code: ExitCode, expected: str) -> None:
    if words == ["verify", "."]:
        assert expected in upsctl(*words, code=code).stderr
    else:
        assert expected in error(*words, code=code)


def test_a_vendors_dataset_is_downloaded_once(folder: Path) -> None:
    """Two files: the second fetch, and every other verb, finds what the first has converted."""
    www = folder / "www"
    www.mkdir()
    first = build_converter("pdebench").write_example(www)
    second = www / "1D_Advection_Sols_beta0.7.hdf5"
    shutil.copyfile(first, second)
    with h5py.File(second, "a") as file:
        file.attrs["beta"] = 0.7
    requests: list[str] = []
    with serve(www, requests) as address:
        path = folder / "profiles/datasets/advection1d_pdebench_v1.yaml"
        card = load_yaml(path)
        card["source"]["files"] = [
            {"filename": one.name, "address": f"{address}/{one.name}", "md5": file_digest(one, "md5"),
             "num_bytes": one.stat().st_size} for one in (first, second)]
        write_yaml(card, path)
        assert values("fetch", path.stem)["answered_by"] == "converter pdebench"
        num_requests = len(requests)
        assert values("fetch", path.stem)["answered_by"] == "cache"
        assert len(requests) == num_requests >= 2
    assert values("show", path.stem)["cached"]["path"]
    upsctl("verify", path.stem)
    (archive,) = values("pack", path.stem)["files"]
    upsctl("prune", "--max-gb", "0")
    assert values("fetch", path.stem, "--archive", archive)["answered_by"].startswith("archive ")


def test_a_vendors_dataset_offline_names_the_address(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card = folder / "profiles/datasets/darcy2d_pdebench_v1.yaml"
    card.write_text(card.read_text().replace("https://darus.uni-stuttgart.de", "http://127.0.0.1:9"))
    line = error("fetch", "darcy2d_pdebench_v1", code=ExitCode.STORE)
    assert "an answer from http://127.0.0.1:9/api/access/datafile/133217" in line
    assert "upsctl data convert --format pdebench" in line
    assert entries(folder / "cache") == []

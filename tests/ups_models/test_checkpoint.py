"""A checkpoint is what is evaluated: it comes back bit for bit, and anything else is refused in one line."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from contracts.small_problems import PROBLEMS, perturb, small_batch, untrained
from contracts.toy_lineage import LINEAGE
from ups_models.checkpoint import SCHEMA_VERSION, load_checkpoint, load_weights, read_entry, save_checkpoint
from ups_models.errors import CheckpointError
from ups_models.lineage import Lineage

PROFILE = {"steps": 3, "optimiser": {"learning_rate": 0.004}}

READ_AND_PREDICT = """
import sys, torch
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from contracts.small_problems import small_batch
from ups_models.checkpoint import load_checkpoint
with torch.no_grad():
    torch.save(load_checkpoint(Path(sys.argv[1])).emulator.predict(small_batch("burgers1d"), 3), sys.argv[2])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint of a universal model."""
    return saved(tmp_path / "checkpoint", "universal")


def saved(target: Path, name: str) -> Path:
    emulator, description = untrained(name, "burgers1d")
    perturb(emulator)
    target.mkdir()
    save_checkpoint(target, description, emulator.state_dict(), PROFILE, LINEAGE)
    return target


def rewrite_entry(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "checkpoint.json"
    entry = json.loads(path.read_text(encoding="utf-8"))
    change(entry)
    path.write_text(json.dumps(entry), encoding="utf-8")


def refusal(folder: Path) -> str:
    """The one line that a damaged checkpoint is refused with; it names the place."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert str(folder) in message
    return message


def test_carries_description_profile_lineage_and_digest(folder: Path) -> None:
    checkpoint = load_checkpoint(folder)
    assert checkpoint.profile == PROFILE
    assert checkpoint.lineage == Lineage.model_validate(LINEAGE)
    assert checkpoint.description.emulator == "universal"
    assert checkpoint.description.problems == {"burgers1d": PROBLEMS["burgers1d"]}
    assert checkpoint.digest == read_entry(folder)["files"]["weights.safetensors"]
    assert not checkpoint.emulator.training


def test_weights_and_statistics_come_back_bit_for_bit(folder: Path) -> None:
    emulator, _ = untrained("universal", "burgers1d")
    perturb(emulator)
    loaded = load_checkpoint(folder).emulator.state_dict()
    assert loaded.keys() == emulator.state_dict().keys()
    assert all(torch.equal(loaded[key], tensor) for key, tensor in emulator.state_dict().items())
    assert load_weights(folder).keys() == loaded.keys()


@pytest.mark.parametrize("name", ["universal", "linear"])
def test_a_new_process_predicts_the_same(name: str, tmp_path: Path) -> None:
    folder, result = saved(tmp_path / "checkpoint", name), tmp_path / "result.pt"
    tests = str(Path(__file__).parents[1])
    subprocess.run([sys.executable, "-c", READ_AND_PREDICT, folder, result, tests], check=True, env=dict(os.environ))
    with torch.no_grad():
        expected = load_checkpoint(folder).emulator.predict(small_batch("burgers1d"), 3)
    assert torch.equal(torch.load(result)["u"], expected["u"])


def test_altered_weights_are_refused(folder: Path) -> None:
    path = folder / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "missing or altered" in refusal(folder)


@pytest.mark.parametrize("name", ["weights.safetensors", "checkpoint.json"])
def test_a_missing_file_is_refused(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert ("missing or altered" if name.startswith("weights") else "no checkpoint here") in refusal(folder)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "no checkpoint here" in refusal(tmp_path / "nothing")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert "no checkpoint here" in refusal(tmp_path / "file")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1, 2]", b"null"])
def test_a_cut_or_foreign_entry_is_refused(folder: Path, content: bytes) -> None:
    (folder / "checkpoint.json").write_bytes(content)
    refusal(folder)


@pytest.mark.parametrize("version", [SCHEMA_VERSION + 1, 0, None, "1"])
def test_another_schema_is_refused(folder: Path, version: object) -> None:
    rewrite_entry(folder, lambda entry: entry.update(schema_version=version))
    assert f"expected schema version {SCHEMA_VERSION}, got {version}" in refusal(folder)


@pytest.mark.parametrize("key", ["description", "profile", "lineage", "files"])
def test_an_entry_without_a_key_names_it(folder: Path, key: str) -> None:
    rewrite_entry(folder, lambda entry: entry.pop(key))
    assert key in refusal(folder)


@pytest.mark.parametrize("files", [{}, None, []])
def test_an_entry_without_a_hash_of_its_weights_is_refused(folder: Path, files: object) -> None:
    rewrite_entry(folder, lambda entry: entry.update(files=files))
    assert "no hash of the weights" in refusal(folder)


@pytest.mark.parametrize("change", [{"seed": "first"}, {"sead": 1}])
def test_a_lineage_of_other_facts_is_refused(folder: Path, change: dict[str, object]) -> None:
    rewrite_entry(folder, lambda entry: entry["lineage"].update(change))
    assert next(iter(change)) in refusal(folder)


@pytest.mark.parametrize(
    ("key", "value"),
    [("emulator", "no_such_emulator"), ("frame", "no_such_frame"), ("settings", {"no_such_setting": 1}),
     ("problems", {"toy": {}}), ("problems", {})],
)  # fmt: skip
def test_a_description_that_cannot_be_built_is_refused(folder: Path, key: str, value: object) -> None:
    rewrite_entry(folder, lambda entry: entry["description"].update({key: value}))
    refusal(folder)


@pytest.mark.parametrize("change", ["another_shape", "a_tensor_less", "a_tensor_more", "no_weights"])
def test_weights_that_do_not_fit_are_refused(folder: Path, change: str) -> None:
    """With the right hash: written by something else than `save_checkpoint`."""
    path, checkpoint = folder / "weights.safetensors", load_checkpoint(folder)
    weights = load_file(path)
    first = next(iter(weights))
    if change == "another_shape":
        weights[first] = torch.zeros(3, 5, 7)
    elif change == "a_tensor_less":
        del weights[first]
    else:
        weights["no_such_weight"] = torch.zeros(1)
    save_file(weights, path)
    if change == "no_weights":
        path.write_bytes(b"not a safetensors file")
    digest = digest_of(path)
    assert digest != checkpoint.digest
    rewrite_entry(folder, lambda entry: entry["files"].update({"weights.safetensors": digest}))
    assert "weights" in refusal(folder)


def digest_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_entry_is_written_last(tmp_path: Path) -> None:
    """Its presence means complete: where the weights cannot be written, there is none."""
    (tmp_path / "checkpoint" / "weights.safetensors").mkdir(parents=True)
    emulator, description = untrained("universal", "burgers1d")
    with pytest.raises(IsADirectoryError):
        save_checkpoint(tmp_path / "checkpoint", description, emulator.state_dict(), PROFILE, LINEAGE)
    assert not (tmp_path / "checkpoint" / "checkpoint.json").exists()

"""Checkpoints: the one kind of file that ups_models opens.

A checkpoint is a folder with `checkpoint.json` (schema version, description of the emulator, resolved profile, lineage,
hashes of the other files; written last) and `weights.safetensors` (parameters, and the normaliser's statistics as
buffers). A training keeps its state beside them.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ups_models.errors import CheckpointError, ModelError
from ups_models.interfaces import AbstractEmulator, PartConfig
from ups_models.lineage import Lineage
from ups_models.normaliser import Normaliser
from ups_models.problem import Problem
from ups_models.registry import list_parts, load_part
from ups_models.universal import Universal

SCHEMA_VERSION = 2


class EmulatorDescription(PartConfig):
    """All that is needed to build an emulator, without its weights."""

    emulator: str
    frame: Literal["declared", "standard"]
    prediction: Literal["residual", "direct"]
    settings: dict[str, Any] = Field(default_factory=dict)
    problems: dict[str, Problem] = Field(min_length=1)


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        emulator: with its weights, in evaluation mode.
        description: what was built.
        profile: the resolved run profile, plain values.
        lineage: what made it.
        path: the folder.
        digest: SHA-256 of the weights file.
    """

    emulator: AbstractEmulator
    description: EmulatorDescription
    profile: Mapping[str, Any]
    lineage: Lineage
    path: Path
    digest: str


def list_emulators() -> tuple[str, ...]:
    """All names that a model profile may give as `emulator`."""
    return ("universal", *list_parts("ups_models.baselines"))


def emulator_class(name: str) -> type[AbstractEmulator]:
    """The class of a named emulator.

    Raises:
        UnknownPartError: naming the nearest known name.
    """
    return Universal if name == "universal" else load_part("ups_models.baselines", name, AbstractEmulator)


def build_emulator(description: EmulatorDescription) -> AbstractEmulator:
    """An untrained emulator.

    Raises:
        ModelError: when a setting is unknown or out of range.
    """
    kind = emulator_class(description.emulator)
    try:
        config = kind.Config.model_validate(description.settings)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        known = ", ".join(kind.Config.model_fields)
        raise ModelError(f"settings of {description.emulator}: `{key}`: {first['msg']}; known: {known}") from None
    normaliser = Normaliser(description.problems, description.frame, description.prediction)
    return kind(description.problems, config, normaliser)


def save_checkpoint(
    folder: Path,
    description: EmulatorDescription,
    weights: Mapping[str, Tensor],
    profile: Mapping[str, Any],
    lineage: Mapping[str, Any],
) -> None:
    """Write the weights, then `checkpoint.json`, into an existing empty folder.

    Args:
        folder: where.
        description: what was built.
        weights: parameters and statistics by name.
        profile: the resolved run profile, plain values.
        lineage: the values of a `Lineage`.

    Raises:
        OSError: when the disk is full or not writable.
    """
    write_tensors(weights, folder / "weights.safetensors")
    entry = {
        "schema_version": SCHEMA_VERSION,
        "description": description.model_dump(mode="json"),
        "profile": dict(profile),
        "lineage": Lineage.model_validate(dict(lineage)).model_dump(mode="json"),
        "files": {"weights.safetensors": _sha256(folder / "weights.safetensors")},
    }
    (folder / "checkpoint.json").write_text(json.dumps(entry, indent=1), encoding="utf-8")


def write_tensors(tensors: Mapping[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file.

    Raises:
        OSError: when the disk is full or not writable; the library hides it in an error of its own.
    """
    content = save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata)
    path.write_bytes(content)


def load_checkpoint(folder: Path) -> Checkpoint:
    """Build the emulator of a checkpoint and load its weights.

    Raises:
        CheckpointError: when a file is missing or altered, or the schema is another.
    """
    folder = folder.resolve()  # a training may point the link at a newer one meanwhile
    entry = read_entry(folder)
    weights = load_weights(folder)
    description, emulator = _untrained(entry["description"], folder)
    try:
        emulator.load_state_dict(weights)
    except RuntimeError as error:
        problem = f"{folder}: weights do not fit the description"
        raise CheckpointError(f"{problem} ({str(error).splitlines()[0]})") from None
    digest = entry["files"]["weights.safetensors"]
    return Checkpoint(emulator.eval(), description, entry["profile"], _lineage(entry, folder), folder, digest)


def read_lineage(folder: Path) -> Lineage:
    """What made the checkpoint in a folder.

    Raises:
        CheckpointError: when `checkpoint.json` is missing, or says it otherwise.
    """
    return _lineage(read_entry(folder), folder)


def load_weights(folder: Path) -> dict[str, Tensor]:
    """The weights and statistics of a checkpoint by name, verified.

    Raises:
        CheckpointError: when a file is missing or altered, or the schema is another.
    """
    promised, path = read_entry(folder)["files"]["weights.safetensors"], folder / "weights.safetensors"
    if not path.is_file() or _sha256(path) != promised:
        raise CheckpointError(f"{path}: missing or altered; expected SHA-256 {promised[:12]}; train or fetch it again")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise CheckpointError(f"{path}: not weights ({str(error).splitlines()[0]})") from None


def read_entry(folder: Path) -> dict[str, Any]:
    """The parsed `checkpoint.json` of a folder.

    Raises:
        CheckpointError: when it is missing, not JSON or of another schema.
    """
    path = folder / "checkpoint.json"
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise CheckpointError(f"{folder}: no checkpoint here; expected a folder with checkpoint.json") from None
    except (json.JSONDecodeError, UnicodeDecodeError, IsADirectoryError):
        raise CheckpointError(f"{path}: not JSON; the file was altered or cut") from None
    version = entry.get("schema_version") if isinstance(entry, dict) else None
    if version != SCHEMA_VERSION:
        raise CheckpointError(f"{path}: expected schema version {SCHEMA_VERSION}, got {version}; train it again")
    missing = [key for key in ("description", "profile", "lineage", "files") if key not in entry]
    if missing:
        raise CheckpointError(f"{path}: no `{missing[0]}`; the file was altered or cut")
    if not isinstance(entry["files"], dict) or "weights.safetensors" not in entry["files"]:
        raise CheckpointError(f"{path}: no hash of the weights; the file was altered or cut")
    return entry


def _untrained(entry: Mapping[str, Any], folder: Path) -> tuple[EmulatorDescription, AbstractEmulator]:
    try:
        description = EmulatorDescription.model_validate(entry)
        return description, build_emulator(description)
    except ValidationError as error:
        raise _not_built(folder, _first_fault(error)) from None
    except ModelError as error:
        raise _not_built(folder, str(error)) from None


def _lineage(entry: Mapping[str, Any], folder: Path) -> Lineage:
    try:
        return Lineage.model_validate(entry["lineage"])
    except ValidationError as error:
        raise _not_built(folder, _first_fault(error)) from None


def _not_built(folder: Path, reason: str) -> CheckpointError:
    return CheckpointError(f"{folder}: this version cannot build what was saved ({reason})")


def _first_fault(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"`{'.'.join(str(part) for part in first['loc'])}`: {first['msg']}"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

"""Which source files made a result: a row whose sources have changed since is stale."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import upsctl

PACKAGES = Path(upsctl.__file__).parent.parent
SHARED_BY_ALL_TRAININGS = (
    "ups_models/batch.py",
    "ups_models/interfaces.py",
    "ups_models/normaliser.py",
    "ups_models/declared_frame.py",
    "ups_models/constraints.py",
    "ups_models/problem.py",
    "ups_models/losses",
    "ups_models/stages",
    "upsctl/data/loader.py",
    "upsctl/training/loop.py",
    "upsctl/training/optimiser.py",
)
OF_THE_UNIVERSAL_MODEL = (
    "ups_models/universal.py",
    "ups_models/sizes.py",
    "ups_models/fine_path.py",
    "ups_models/latent.py",
    "ups_models/latent_operator.py",
    "ups_models/any_point_decoder.py",
    "ups_models/conditioning.py",
    "ups_models/encoders",
    "ups_models/blocks",
)


def training_digest(emulator: str) -> str:
    """SHA-256 over the sources that shape a training of `emulator`: its own file, normaliser, losses, stages, loop."""
    own = OF_THE_UNIVERSAL_MODEL if emulator == "universal" else (f"ups_models/baselines/{emulator}.py",)
    return files_digest([*SHARED_BY_ALL_TRAININGS, *own])


def files_digest(names: Iterable[str]) -> str:
    """SHA-256 over the named source files, and over all files of the named folders, relative to the packages."""
    digest = hashlib.sha256()
    for name in sorted(names):
        path = PACKAGES / name
        for file in sorted(path.glob("*.py")) if path.is_dir() else [path]:
            digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()

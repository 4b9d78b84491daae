"""The rules of an HDF5 file whose bytes are not the promised ones: HDF5 may crash or hang over it, so not in here."""

import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing import TimeoutError as Hanging
from pathlib import Path

from upsctl.data.hdf5_checker import check_split_file
from upsctl.data.violation import Violation
from upsctl.dataset_card import DatasetCard

_SECONDS = 30


def check_altered_file(path: Path, name: str, card: DatasetCard, trajectory_ids: Sequence[str]) -> list[Violation]:
    """As `check_split_file`, in a process of its own that has half a minute."""
    if not path.is_file():
        return []
    with multiprocessing.get_context("spawn").Pool(1, _ignore_interrupts) as pool:
        try:
            return pool.apply_async(_listed, (path, name, card, list(trajectory_ids))).get(_SECONDS)
        except Hanging:
            return [Violation(name, "", "readable as HDF5", "a crash or an endless loop of the HDF5 library")]


def _listed(path: Path, name: str, card: DatasetCard, trajectory_ids: Sequence[str]) -> list[Violation]:
    return list(check_split_file(path, name, card, trajectory_ids))


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)

"""What all tests share: folders of their own, so that no test sees or changes what the user has."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the whole session; the workers of pytest-xdist share it, so lock what is made in it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_folders(shared_folder: Path) -> None:
    """The data cache, the user's profiles, the logs and the runs lie in the shared folder."""
    os.environ["UPSCTL_DATA_ROOT"] = str(shared_folder / "data")
    os.environ["UPSCTL_RUNS_ROOT"] = str(shared_folder / "runs")
    os.environ["XDG_CONFIG_HOME"] = str(shared_folder / "config")
    os.environ["XDG_STATE_HOME"] = str(shared_folder / "state")


@pytest.fixture(autouse=True)
def own_threads() -> Iterator[None]:
    """A training inside a test's process sets torch's threads; the next test has those of before."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What a test wants to be read and does not assert: its property `printed`; workers have no terminal."""
    for report in terminalreporter.getreports(""):
        for name, text in report.user_properties:
            if name == "printed":
                terminalreporter.section(report.nodeid)
                terminalreporter.write_line(str(text))

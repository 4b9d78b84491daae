"""The parts that the how-to pages show, added as a reader would add them: one file, and the contract tests find it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [page for page in sorted((ROOT / "docs" / "how_to").glob("*.md")) if "```python" in page.read_text()]


def test_a_baseline_and_a_metric_are_shown() -> None:
    assert {page.stem for page in PAGES} >= {"add_a_baseline", "add_a_metric_or_figure"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_part_that_a_page_shows_keeps_its_contract(page: Path, tmp_path: Path) -> None:
    """Where the contract tests do not find it, none is selected, and pytest fails."""
    for folder in ("src", "tests", "profiles"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    text = page.read_text(encoding="utf-8")
    for place, source in re.findall(r"```python\n# (src/\S+)\n(.*?)```", text, re.DOTALL):
        (tmp_path / place).write_text(source, encoding="utf-8")
    (words,) = re.findall(r"^\.venv/bin/python (-m pytest .* -k .*)$", text, re.MULTILINE)
    command = [sys.executable, *words.split(), "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path / "src")}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]

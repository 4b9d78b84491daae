"""Which changes make a row stale."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from upsctl import source_digest
from upsctl.source_digest import PACKAGES, training_digest


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the packages that may be edited."""
    for name in ("ups_models", "upsctl"):
        shutil.copytree(PACKAGES / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(source_digest, "PACKAGES", tmp_path)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    source_digest._imports.cache_clear()
    source_digest._code.cache_clear()


def edited(file: Path, old: str, new: str) -> dict[str, bool]:
    """Which emulators' digests an edit changes."""
    names = ("universal", "fno", "unet")
    before = {name: training_digest(name) for name in names}
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    forget()
    return {name: training_digest(name) != before[name] for name in names}


def test_a_block_of_ours_makes_ours_stale_alone(sources: Path) -> None:
    changed = edited(sources / "ups_models/blocks/gated_mlp.py", "functional.gelu", "functional.silu")
    assert changed == {"universal": True, "fno": False, "unet": False}


def test_the_normaliser_and_what_it_imports_make_all_stale(sources: Path) -> None:
    assert all(edited(sources / "ups_models/declared_frame.py", "2 * math.pi", "3 * math.pi").values())


def test_the_updates_make_all_stale(sources: Path) -> None:
    assert all(edited(sources / "upsctl/training/updates.py", "self.optimiser.step()", "pass").values())


def test_prose_makes_nothing_stale(sources: Path) -> None:
    file = sources / "ups_models/baselines/unet.py"
    assert not any(edited(file, '"""The modern U-Net', '# a comment\n"""The very modern U-Net').values())


def test_a_digest_is_the_same_on_every_python(sources: Path) -> None:
    """Quotes in f-strings are what `ast.unparse` writes differently from 3.12 on."""
    file = sources / "toy.py"
    file.write_text('"""Prose."""\n\nx = f"{y[\'a\']!r}"  # why\n\n\ndef f():\n    """More."""\n    return "# not"\n')
    assert source_digest._code(file) == 'x = f"{y[\'a\']!r}"\ndef f():\n    return "# not"'

"""Which source files made a result: a row whose sources have changed since is stale."""

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import upsctl

PACKAGES = Path(upsctl.__file__).parent.parent
OF_THE_LOOP = (
    "ups_models/losses",
    "upsctl/data/loader.py",
    "upsctl/data/problems.py",
    "upsctl/training/loop.py",
    "upsctl/training/mixture.py",
    "upsctl/training/optimiser.py",
    "upsctl/training/trained_run.py",
    "upsctl/training/updates.py",
)
UNIVERSAL = "universal"
DIGITS = 16
"""Of a digest that stands in a row or a sweep."""


def training_digest(emulator: str) -> str:
    """SHA-256 over the sources that shape a training of `emulator`.

    These are its own file and its stages', all files of ups_models that they import, losses, loader and updates; what
    they say in comments and docstrings does not count.
    """
    if emulator == UNIVERSAL:
        own = ["ups_models/universal.py", *_python_files("ups_models/stages")]
    else:
        own = [f"ups_models/baselines/{emulator}.py", "ups_models/stages/supervised.py"]
    digest = hashlib.sha256()
    for file in _files({*_with_imports(own), *OF_THE_LOOP}):
        digest.update(file.name.encode() + b"\0" + _code(file).encode() + b"\0")
    return digest.hexdigest()


def short_training_digest(emulator: str) -> str:
    """The first 16 digits of `training_digest`, by which rows and sweeps name it."""
    return training_digest(emulator)[:DIGITS]


def files_digest(names: Iterable[str]) -> str:
    """SHA-256 over the named source files, and over all files of the named folders, relative to the packages."""
    digest = hashlib.sha256()
    for file in _files(names):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _files(names: Iterable[str]) -> Iterator[Path]:
    for name in sorted(names):
        path = PACKAGES / name
        yield from sorted(path.glob("*.py")) if path.is_dir() else [path]


@cache
def _code(file: Path) -> str:
    """The lines of a source without comments, strings that stand alone, and empty lines.

    Cut from the text itself: what `ast.unparse` makes of it differs from one Python to the next.
    """
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    prose = {row for first, last in _standing_strings(text) for row in range(first, last + 1)}
    code = [line.rstrip() for row, line in enumerate(lines, start=1) if row not in prose]
    return "\n".join(line for line in code if line)


def _standing_strings(text: str) -> Iterator[tuple[int, int]]:
    """First and last row of each expression that is a string and nothing else."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            assert node.end_lineno is not None
            yield node.lineno, node.end_lineno


def _with_imports(names: Iterable[str]) -> set[str]:
    """The files and all files of ups_models that they import, at any depth."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_imports(name))
    return found


@cache
def _imports(name: str) -> tuple[str, ...]:
    tree = ast.parse((PACKAGES / name).read_text(encoding="utf-8"))
    modules = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    paths = [f"{module.replace('.', '/')}.py" for module in modules if module.startswith("ups_models.")]
    return tuple(path for path in paths if (PACKAGES / path).is_file())


def _python_files(folder: str) -> Iterator[str]:
    yield from (f"{folder}/{path.name}" for path in sorted((PACKAGES / folder).glob("*.py")))

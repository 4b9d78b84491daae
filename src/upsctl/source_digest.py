"""Which source files made a result: a row whose sources have changed since is stale."""

import ast
import hashlib
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
    """The source without comments and docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return ast.unparse(_WithoutProse().visit(tree))


class _WithoutProse(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """A string that stands alone becomes `...`."""
        is_prose = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return ast.Expr(ast.Constant(...)) if is_prose else node


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

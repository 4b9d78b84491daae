"""The page of commands: what `--help` prints, for every verb."""

from collections.abc import Iterator
from typing import Any

import typer

from upsctl.cli import build_app

WIDTH = 100
HEAD = """# Commands

Made by `make docs` from the program: what `--help` prints. Errors end with the codes of [exit codes](exit_codes.md).
Every verb that returns values has `--json`; `upsctl --install-completion` completes verbs, options and names.
"""


def command_page() -> str:
    """The help of every verb, in the order of `upsctl --help`."""
    parts = [f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in iter_helps()]
    return HEAD + "".join(parts)


def iter_helps() -> Iterator[tuple[str, str]]:
    """Full name and help text of the program, its groups and its verbs."""
    yield from _walk(typer.main.get_command(build_app()), "upsctl", None)


def _walk(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.make_context(
        name, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )
    yield context.command_path, "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    for verb, inner in getattr(command, "commands", {}).items():
        yield from _walk(inner, verb, context)

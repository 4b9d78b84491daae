"""The one place that prints: tables and progress for people, versioned JSON for machines, errors in one line."""

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

JSON_VERSION = 1
WIDTH_OF_A_FILE = 140
"""Columns where output goes to no terminal."""


class _Output(Console):
    """A stream; a reader that has seen enough ends the command without a word."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


_out = _Output(highlight=False, emoji=False, width=None if sys.stdout.isatty() else WIDTH_OF_A_FILE)
_err = _Output(stderr=True, highlight=False, emoji=False)


@dataclass(frozen=True)
class Result:
    """What a command did: rendered as text for people, or as JSON.

    Attributes:
        values: plain values, the whole truth, for `--json`.
        lines: sentences for people, above the table.
        columns, rows: an optional table.
        next_step: what a person would type next.
        parts: further lines and tables for people, shown after the table; their `values` are not.
    """

    values: Mapping[str, Any]
    lines: Sequence[str] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    next_step: str = ""
    parts: "Sequence[Result]" = ()


def show(result: Result, as_json: bool = False) -> None:
    """Print a command's result on standard output."""
    if as_json:
        values = _finite({"version": JSON_VERSION, **result.values})
        text = json.dumps(values, indent=1, default=str, allow_nan=False)
        _out.print(text, markup=False, soft_wrap=True, highlight=False)
        return
    for part in (result, *result.parts):
        for line in part.lines:
            _out.print(line, markup=False, soft_wrap=True)
        if part.columns:
            _out.print(_table(part))
    if result.next_step:
        _out.print(f"next: {result.next_step}", markup=False, soft_wrap=True)


def _finite(value: Any) -> Any:
    """The value with null for every number that JSON has no word for."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(result: Result) -> Table:
    table = Table(box=None, pad_edge=False)
    for number, column in enumerate(result.columns):
        is_numeric = all(row[number][:1] in "+-.0123456789" for row in result.rows)
        table.add_column(column, justify="right" if number and is_numeric else "left", overflow="fold")
    for row in result.rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def say(line: str) -> None:
    """A line about work under way, on standard error, so that `--json` stays clean."""
    _err.print(line, markup=False, soft_wrap=True)


def warn(line: str) -> None:
    """A warning, on standard error."""
    _err.print(f"warning: {line}", markup=False, soft_wrap=True)


def fail(line: str) -> None:
    """An error in one line, on standard error."""
    _err.print(f"error: {line}", markup=False, soft_wrap=True)


class ProgressBar(Protocol):
    """What long work needs of a progress bar."""

    def advance(self, amount: float = 1, note: str = "") -> None:
        """Move on by `amount`, and replace the note at the end of the line."""
        ...


class _RichBar:
    def __init__(self, progress: Progress, total: float, done: float, title: str) -> None:
        self._progress, self._task = progress, progress.add_task(title, total=total, completed=int(done), note="")

    def advance(self, amount: float = 1, note: str = "") -> None:
        self._progress.update(self._task, advance=amount, note=note)


class _PlainBar:
    """One line at every tenth of the work: what a log file wants."""

    def __init__(self, total: float, done: float, title: str) -> None:
        self._total, self._done, self._title, self._printed = total, done, title, int(10 * done / total) if total else 0
        self._begun, self._found = time.monotonic(), done

    def advance(self, amount: float = 1, note: str = "") -> None:
        self._done += amount
        tenth = int(10 * self._done / self._total) if self._total else 10
        if tenth > self._printed:
            self._printed = tenth
            say(f"{self._title}: {self._done:.0f}/{self._total:.0f} {note}{self._time_left()}".rstrip())

    def _time_left(self) -> str:
        left = (self._total - self._done) * (time.monotonic() - self._begun) / (self._done - self._found)
        return f", {left:.0f} s left" if left >= 1 else ""


@contextmanager
def progress_bar(title: str, total: float, done: float = 0) -> Iterator[ProgressBar]:
    """A progress bar on standard error: live in a terminal, a line per tenth elsewhere."""
    if not _err.is_terminal:
        yield _PlainBar(total, done, title)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
               TextColumn("{task.fields[note]}"))
    with Progress(*columns, console=_err) as progress:
        yield _RichBar(progress, total, done, title)

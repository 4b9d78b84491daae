"""`rows.jsonl`: one writer, one reader. A line holds the rows that have all but their numbers in common."""

import json
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from upsctl.errors import DataError
from upsctl.evaluation.rows import Row
from upsctl.whole_file import append_lines

FILE_NAME = "rows.jsonl"
OF_A_NUMBER = ("horizon", "metric", "field", "parameter_value", "statistic", "value", "low", "high", "per_sample")
"""What differs between the rows of one line; it stands in the line's list `numbers`."""


def append_rows(path: Path, rows: Sequence[Row]) -> None:
    """Add rows at the end: all of them or none, one process at a time.

    Raises:
        DiskError: when the disk is full or not writable; the file is as before.
    """
    append_lines(path, _lines(rows))


def read_rows(path: Path) -> list[Row]:
    """All rows of a file, in their order.

    Raises:
        DataError: when there is no such file, or a line holds something else.
    """
    if not path.is_file():
        raise DataError(f"{path}: no rows there", next_step="`upsctl bench run quickstart` makes some")
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        try:
            rows += _rows(json.loads(line))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise _not_a_row(path, number, f"{where} {first['msg']}".strip()) from error
        except (KeyError, TypeError, ValueError) as error:
            raise _not_a_row(path, number, f"no JSON object with `numbers` ({error})") from error
    return rows


def _not_a_row(path: Path, number: int, got: str) -> DataError:
    return DataError(
        f"{path}:{number}: not a row", expected="a line that `upsctl eval` or `bench run` wrote", got=got,
        next_step="give another file, or remove the line")


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    contents = [json.loads(row.model_dump_json()) for row in rows]  # an infinite value is a string
    for facts, group in groupby(contents, key=_facts):
        numbers = [{name: row[name] for name in OF_A_NUMBER if row[name] not in (None, [])} for row in group]
        yield json.dumps({**facts, "numbers": numbers}, separators=(",", ":"))


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in OF_A_NUMBER}


def _rows(line: dict[str, Any]) -> Iterator[Row]:
    numbers = line.pop("numbers")
    nothing = {"parameter_value": None, "low": None, "high": None}
    return (Row.model_validate({**line, **nothing, **number}) for number in numbers)

"""The one place that prints: JSON on standard output, everything else on standard error."""

import json

import pytest

from upsctl import console
from upsctl.console import Result


def test_json_is_versioned_and_alone_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    console.say("working")
    console.show(Result({"a": 1}, lines=["for people"], columns=("x",), rows=[("1",)], next_step="y"), as_json=True)
    printed = capfd.readouterr()
    assert json.loads(printed.out) == {"version": console.JSON_VERSION, "a": 1}
    assert printed.err == "working\n"


def test_people_get_lines_table_parts_and_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    part = Result({}, columns=("inner",), rows=[("[bold]2[/bold]",)])
    console.show(Result({"a": 1}, lines=["[1] kept"], columns=("x",), rows=[("one",)], next_step="go", parts=[part]))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "[1] kept"
    assert lines.index("x") < lines.index("one") < lines.index("inner") < lines.index("next: go")


def test_what_looks_like_an_emoji_or_is_no_json_number(capsys: pytest.CaptureFixture[str]) -> None:
    console.fail("rows.jsonl:100: not a row")
    console.show(Result({"address": "a:smile:b", "rate": [float("inf")]}), as_json=True)
    printed = capsys.readouterr()
    assert printed.err == "error: rows.jsonl:100: not a row\n"
    assert json.loads(printed.out) == {"version": console.JSON_VERSION, "address": "a:smile:b", "rate": [None]}
    assert "Infinity" not in printed.out


def test_a_cell_of_a_table_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    console.show(Result({}, columns=("shape",), rows=[("[/x]",), ("[T, C]",)]))
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == ["shape", "[/x]", "[T, C]"]


def test_numbers_stand_right_and_words_left(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [("a", "a long word", "1.5"), ("b", "short", "-10.25")]
    console.show(Result({}, columns=("name", "word", "number"), rows=rows))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].rstrip() == "a     a long word     1.5"
    assert lines[2].rstrip() == "b     short        -10.25"


def test_a_long_error_stays_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    console.fail("word " * 100)
    assert capsys.readouterr().err.count("\n") == 1


def test_outside_a_terminal_progress_is_a_line_per_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with console.progress_bar("training", total=20, done=10) as bar:
        for step in range(10):
            bar.advance(note=f"loss {step}")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 5
    assert lines[-1] == "training: 20/20 loss 9"

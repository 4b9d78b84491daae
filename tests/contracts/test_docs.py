"""The docs cannot drift: generated pages are fresh, quoted commands parse, links lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from upsctl.cli import VERBS, build_app
from upsctl.health import required_packages
from upsctl.profile_reader import load_profile
from upsctl.reference.pages import PAGES
from upsctl.reference.profile_page import cheat_sheet

ROOT = Path(__file__).parents[2]
DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
TOY_RUN = "datasets: {burgers1d_subset_v1: {}}\nmodel: nano\nstages: {operator: {num_steps: 1}}\n"


def quoted_commands() -> Iterator[tuple[str, str]]:
    """File and command of every `upsctl ...` line in a block of shell, and of every example of a verb."""
    for path in DOCS:
        name = str(path.relative_to(ROOT))
        text = path.read_text(encoding="utf-8")
        if name.removeprefix("docs/") in PAGES:
            continue
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            yield from ((name, re.sub(r"\s+#.*", "", line)) for line in re.findall(r"^upsctl .*$", block, re.MULTILINE))
    for verb, function in VERBS.items():
        for example in re.findall(r"Example: (upsctl .*)", function.__doc__ or ""):
            yield verb, example


def mentioned_commands() -> Iterator[tuple[str, str]]:
    """File and command of every `upsctl ...` in backticks within a sentence, which may be a verb alone."""
    for path in DOCS:
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        yield from ((str(path.relative_to(ROOT)), command) for command in re.findall(r"`(upsctl [^`]*)`", text))


def parse(command: str, is_mention: bool = False) -> None:
    """Parse one command line as the program does, without running it; a mention may be a verb alone.

    Raises:
        TyperException: where a verb, an option or an argument is unknown or missing.
    """
    node: Any = typer.main.get_command(build_app())
    words = shlex.split(command)[1:]
    context = node.make_context("upsctl", [], resilient_parsing=True)
    context.resilient_parsing = False
    while hasattr(node, "commands") and words and not words[0].startswith("-"):
        name, node, words = node.resolve_command(context, words)
    if "--help" not in words and not hasattr(node, "commands") and (words or not is_mention):
        node.make_context(name, words, parent=context)


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_program_says(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == PAGES[name](), "next: make docs"


@pytest.mark.parametrize(("place", "command"), sorted(set(quoted_commands())))
def test_a_quoted_command_parses(place: str, command: str) -> None:
    parse(command)


@pytest.mark.parametrize(("place", "command"), sorted(set(mentioned_commands())))
def test_a_mentioned_command_exists(place: str, command: str) -> None:
    parse(command, is_mention=True)


@pytest.mark.parametrize("command", ["upsctl profle list", "upsctl profile list --jsno", "upsctl predict"])
def test_a_wrong_command_would_be_noticed(command: str) -> None:
    with pytest.raises(typer.TyperException):
        parse(command)


@pytest.mark.parametrize("path", DOCS, ids=[str(path.relative_to(ROOT)) for path in DOCS])
def test_links_lead_to_files(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    missing = [t for t in targets if t and not t.startswith("http") and not (path.parent / t).exists()]
    assert missing == []


def test_every_line_of_the_cheat_sheet_resolves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles" / "runs").mkdir(parents=True)
    (tmp_path / "profiles" / "runs" / "toy.yaml").write_text(TOY_RUN)
    assert len(cheat_sheet()) > 15
    for override in cheat_sheet():
        resolved = load_profile("runs", "toy", [override])
        assert "--set" in {origin for _, _, origin in resolved.values()} or override == "model=nano"


def test_every_key_of_a_profile_has_its_meaning() -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| (.*)\|$", PAGES["reference/profiles.md"](), re.MULTILINE)
    assert len(rows) > 180
    assert [key for key, meaning in rows if not meaning.strip()] == []


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "docs" / "explanation" / "dependencies.md").read_text(encoding="utf-8")
    told = {name.replace(".", "-") for name in re.findall(r"^\| ([a-z][\w.-]*) \|", text, re.MULTILINE)}
    assert told - {"package"} == set(required_packages())


def test_make_prints_every_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", text, re.MULTILINE)
    assert {"quickstart", "test", "test-slow", "check-install", "lint", "docs", "bench-grids", "setup"} <= set(targets)
    assert [name for name in targets if not re.search(rf"^{name}:.*## ", text, re.MULTILINE)] == []

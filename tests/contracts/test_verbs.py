"""What every verb keeps, found by listing `upsctl/commands/`."""

import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ups_models.registry import list_parts
from upsctl.cli import GROUPS, VERBS, build_app, run
from upsctl.errors import ExitCode

COMMANDS = Path(inspect.getfile(build_app)).parent / "commands"
WRITES_OR_COSTS = {
    "data fetch", "data convert", "data pack", "data push", "data prune", "train", "eval", "predict", "bench run",
    "bench show", "viz draw", "profile copy",
}  # fmt: skip
RESOLVES_A_PROFILE = {"train", "eval", "bench run", "profile show"}
HEAVY = ("torch", "wandb", "matplotlib", "h5py", "numba", "scipy", "torch_geometric", "neuralop")


def help_of(name: str) -> str:
    result = CliRunner().invoke(build_app(), [*name.split(), "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.output


def test_every_file_of_commands_is_one_mounted_verb() -> None:
    assert sorted(name.replace(" ", "_") for name in VERBS) == list(list_parts("upsctl.commands"))
    assert {name.partition(" ")[0] for name in VERBS if " " in name} == set(GROUPS)


@pytest.mark.parametrize(("name", "function"), VERBS.items(), ids=list(VERBS))
def test_a_verb_lives_in_the_file_of_its_name(name: str, function: Callable[..., None]) -> None:
    assert Path(inspect.getfile(function)).name == f"{name.replace(' ', '_')}.py"


@pytest.mark.parametrize("name", VERBS)
def test_help_has_an_example_that_begins_with_the_verb(name: str) -> None:
    assert re.search(rf"Example: upsctl {name}\b", help_of(name))


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_prints_json(name: str) -> None:
    assert "--json" in help_of(name)


@pytest.mark.parametrize("name", sorted(WRITES_OR_COSTS & set(VERBS)))
def test_a_verb_that_writes_or_costs_has_a_dry_run(name: str) -> None:
    assert "--dry-run" in help_of(name)


@pytest.mark.parametrize("name", sorted(RESOLVES_A_PROFILE & set(VERBS)))
def test_a_verb_that_resolves_a_profile_takes_overrides(name: str) -> None:
    assert "--set" in help_of(name)


@pytest.mark.parametrize("name", VERBS)
def test_an_unknown_option_is_one_line_and_a_usage_error(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run([*name.split(), "--jsno"]) == ExitCode.USAGE
    printed = capfd.readouterr()
    assert printed.out == ""
    assert re.fullmatch(rf"error: No such option.*--json.*; next: `upsctl {name} --help`\n", printed.err)


@pytest.mark.parametrize(
    ("words", "meant"),
    [(["profle", "list"], "'profile'"), (["profile", "lst"], "'list'"), (["docto"], "'doctor'")],
)
def test_a_misspelt_verb_names_the_nearest(words: list[str], meant: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(words) == ExitCode.USAGE
    assert meant in capfd.readouterr().err


@pytest.mark.parametrize(("words", "known"), [
    (["bench", "show", "--horizon", "rolout"], "'rolout' is not one of 'rollout', 'one_step', 'tokens'"),
    (["eval", "x", "--split", "train"], "'train' is not one of 'valid', 'test'"),
])  # fmt: skip
def test_a_misspelt_choice_names_all(words: list[str], known: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(words) == ExitCode.USAGE
    assert f"{words[-2]}': {known}; next: `upsctl " in capfd.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["profile", "list"], ["profile", "show", "stores/home"]])
def test_light_verbs_load_nothing_heavy(words: list[str]) -> None:
    check = (
        f"import sys, json, upsctl.cli; code = upsctl.cli.run({words!r})\n"
        f"print(json.dumps([code, [name for name in {HEAVY!r} if name in sys.modules]]))"
    )
    printed = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout
    assert json.loads(printed.splitlines()[-1]) == [0, []]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("upsctl profile show stores/h", "stores/home"),
        ("upsctl data fetch burgers1d_t", "burgers1d_tiny_v1"),
        ("upsctl bench run qu", "quickstart"),
        ("upsctl train --profile qu", "quickstart"),
        ("upsctl train --stage oper", "operator"),
        ("upsctl data push burgers1d_tiny_v1 --store ho", "home"),
    ],
)
def test_completion_offers_names(words: str, offered: str) -> None:
    count = str(len(words.split()) - 1)
    environment = {"_UPSCTL_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": count}
    result = CliRunner().invoke(build_app(), [], env=environment, prog_name="upsctl")
    assert result.output.split() == [offered]

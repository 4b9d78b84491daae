"""Mounts every verb and ends every command with a named exit code. No logic."""

import importlib.metadata
import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NoReturn

import typer

from upsctl import console, stop_signals
from upsctl.commands.bench_run import bench_run
from upsctl.commands.bench_show import bench_show
from upsctl.commands.data_convert import data_convert
from upsctl.commands.data_fetch import data_fetch
from upsctl.commands.data_list import data_list
from upsctl.commands.data_pack import data_pack
from upsctl.commands.data_prune import data_prune
from upsctl.commands.data_push import data_push
from upsctl.commands.data_show import data_show
from upsctl.commands.data_verify import data_verify
from upsctl.commands.doctor import doctor
from upsctl.commands.eval import evaluate
from upsctl.commands.predict import predict
from upsctl.commands.profile_check import profile_check
from upsctl.commands.profile_copy import profile_copy
from upsctl.commands.profile_list import profile_list
from upsctl.commands.profile_show import profile_show
from upsctl.commands.runs_list import runs_list
from upsctl.commands.runs_show import runs_show
from upsctl.commands.train import train
from upsctl.commands.viz_draw import viz_draw
from upsctl.errors import ExitCode
from upsctl.failure import Failure, failure_of
from upsctl.stop_signals import Preempted

GROUPS = {
    "data": "Datasets: make, check, pack, push and fetch artifacts.",
    "runs": "Trainings on this machine.",
    "bench": "Comparisons: train, evaluate and rank the emulators of a suite.",
    "viz": "Pictures of predictions and trainings.",
    "profile": "Profiles: what can be chosen, and what each value is.",
}
VERBS: dict[str, Callable[..., None]] = {
    "data list": data_list,
    "data show": data_show,
    "data fetch": data_fetch,
    "data convert": data_convert,
    "data pack": data_pack,
    "data push": data_push,
    "data verify": data_verify,
    "data prune": data_prune,
    "train": train,
    "runs list": runs_list,
    "runs show": runs_show,
    "eval": evaluate,
    "predict": predict,
    "bench run": bench_run,
    "bench show": bench_show,
    "viz draw": viz_draw,
    "profile list": profile_list,
    "profile show": profile_show,
    "profile copy": profile_copy,
    "profile check": profile_check,
    "doctor": doctor,
}


def build_app() -> typer.Typer:
    """The Typer application with every group and verb."""
    app = typer.Typer(callback=upsctl, rich_markup_mode=None, pretty_exceptions_enable=False)
    groups = {name: typer.Typer(help=text, rich_markup_mode=None) for name, text in GROUPS.items()}
    for name, group in groups.items():
        app.add_typer(group, name=name)
    for name, function in VERBS.items():
        group, _, verb = name.rpartition(" ")
        (groups[group] if group else app).command(verb, help=_help(function))(function)
    return app


def _help(function: Callable[..., None]) -> str:
    """The docstring; its example stays one line that can be copied (`\\b` tells Typer not to wrap a paragraph)."""
    return inspect.cleandoc(function.__doc__ or "").replace("\n\nExample:", "\n\n\b\nExample:")


def _show_version(is_asked: bool) -> None:
    if is_asked:
        version = importlib.metadata.version("upsctl")
        console.show(console.Result({"upsctl": version}, lines=[f"upsctl {version}"]))
        raise typer.Exit


def upsctl(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train, evaluate and compare surrogates of partial differential equations.

    Begin with `upsctl doctor`, then `upsctl bench run quickstart`.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; an error is one line on standard error."""
    try:
        code = build_app()(args=list(arguments) or ["--help"], prog_name="upsctl", standalone_mode=False)
    except typer.TyperException as error:
        return _fail(_usage_failure(error))
    except BrokenPipeError:  # the reader of a pipe has seen enough
        return ExitCode.DONE
    except (Exception, KeyboardInterrupt, Preempted) as error:  # noqa: BLE001  the outermost frame, nothing is above
        return _fail(failure_of(error))
    return _fail(failure_of(KeyboardInterrupt())) if code == ExitCode.INTERRUPTED else int(code or 0)


def _usage_failure(error: Any) -> Failure:
    """Typer's own message, which names the nearest verb or option, and the command whose help says more."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "upsctl"
    message = " ".join(error.format_message().split()).rstrip(".").replace("Value error, ", "")
    return Failure(f"{message}; next: `{command} --help`", ExitCode.USAGE)


def _fail(failure: Failure) -> int:
    console.fail(failure.line)
    return int(failure.exit_code)


def main() -> NoReturn:
    """The program `upsctl`."""
    stop_signals.stop_between_imports()
    try:
        code = _flushed(run(sys.argv[1:]))
    except (KeyboardInterrupt, Preempted) as error:  # the second, while the first is being told
        code = int(failure_of(error).exit_code)
    stop_signals.leave_with(code)
    sys.exit(code)


def _flushed(code: int) -> int:
    """The exit code, once all that was printed has left."""
    try:
        sys.stdout.flush()
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else the interpreter tries again and complains
        is_reader_gone = isinstance(error, BrokenPipeError)
        return code if code or is_reader_gone else _fail(failure_of(error))
    return code

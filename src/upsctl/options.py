"""The options that several verbs share, with their shell completion. Loads nothing heavy."""

from typing import Annotated, Literal

import typer

from ups_models.registry import list_parts
from upsctl.profile_kinds import PROFILE_KINDS
from upsctl.profile_reader import list_profiles


def complete_dataset(incomplete: str) -> list[str]:
    """Names of dataset cards that start with what was typed."""
    return [name for name in list_profiles("datasets") if name.startswith(incomplete)]


def complete_run_profile(incomplete: str) -> list[str]:
    """Names of run profiles that start with what was typed."""
    return [name for name in list_profiles("runs") if name.startswith(incomplete)]


def complete_suite(incomplete: str) -> list[str]:
    """Names of suites that start with what was typed."""
    return [name for name in list_profiles("suites") if name.startswith(incomplete)]


def complete_store(incomplete: str) -> list[str]:
    """Names of stores that start with what was typed."""
    return [name for name in list_profiles("stores") if name.startswith(incomplete)]


def complete_stage(incomplete: str) -> list[str]:
    """Names of stages that start with what was typed."""
    return [name for name in list_parts("ups_models.stages") if name.startswith(incomplete)]


def complete_profile(incomplete: str) -> list[str]:
    """KIND/NAME of all profiles that start with what was typed."""
    known = [f"{kind}/{name}" for kind in PROFILE_KINDS for name in list_profiles(kind)]
    return [name for name in known if name.startswith(incomplete)]


def complete_profile_kind(incomplete: str) -> list[str]:
    """Kinds of profiles that start with what was typed."""
    return [kind for kind in PROFILE_KINDS if kind.startswith(incomplete)]


Device = Annotated[Literal["cpu", "cuda"], typer.Option("--device", help="Where to run it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print versioned JSON instead of text.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done and what it would cost; do nothing.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one value of the profile; may be given again."),
]
PartMegabytes = Annotated[float, typer.Option("--part-mb", min=0.001, max=1e9, help="A part's largest size in MB.")]
DatasetName = Annotated[str, typer.Argument(help="A dataset's name.", autocompletion=complete_dataset)]
DatasetReference = Annotated[
    str,
    typer.Argument(metavar="NAME|PATH", help="A dataset's name or an artifact.", autocompletion=complete_dataset),
]
ProfileReference = Annotated[
    str, typer.Argument(metavar="KIND/NAME", help="Such as runs/quickstart.", autocompletion=complete_profile)
]

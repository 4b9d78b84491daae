"""`upsctl profile copy`: a profile of one's own."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from upsctl.options import AsJson, DryRun, ProfileReference


def profile_copy(
    reference: ProfileReference,
    to: Annotated[Path | None, typer.Option("--to", help="The new file; else ./profiles/KIND/NAME.yaml.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Copy a profile to a file of your own, which is then found before the shipped one; never overwrites.

    Example: upsctl profile copy runs/quickstart --to profiles/runs/mine.yaml
    """
    from upsctl import console
    from upsctl.errors import UsageError
    from upsctl.profile_kinds import PROFILE_KINDS
    from upsctl.profile_reader import find_profile, parse_reference
    from upsctl.whole_file import whole_file

    kind, name = parse_reference(reference)
    source = find_profile(kind, name)
    target = to if to is not None else Path("profiles") / kind / source.name
    if target.exists():
        raise UsageError(f"{target}: exists", expected="a new file", next_step="give another with --to")
    if not dry_run:
        with whole_file(target) as partial:
            shutil.copyfile(source, partial)
    values = {"source": str(source), "target": str(target), "is_dry_run": dry_run}
    has_kind = target.parent.name in PROFILE_KINDS
    next_step = f"upsctl profile check {target}" if has_kind else f"in profiles/{kind}/ it would be found by name"
    line = f"{'would copy' if dry_run else 'copied'} {source} to {target}"
    console.show(console.Result(values, lines=[line], next_step=next_step), as_json)

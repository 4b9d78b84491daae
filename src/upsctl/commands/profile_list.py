"""`upsctl profile list`: what can be chosen."""

from typing import Annotated

import typer

from upsctl.options import AsJson, complete_profile_kind


def profile_list(
    kind: Annotated[
        str | None,
        typer.Argument(help="Only one kind: datasets, models, ...", autocompletion=complete_profile_kind),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the profiles that are found, and where each is from; ./profiles comes before the shipped ones.

    Example: upsctl profile list datasets
    """
    from upsctl import console
    from upsctl.errors import UsageError
    from upsctl.nearest_name import nearest
    from upsctl.profile_kinds import PROFILE_KINDS
    from upsctl.profile_reader import list_profiles, shipped_profiles

    if kind is not None and kind not in PROFILE_KINDS:
        raise UsageError(f"no kind of profile `{kind}`", expected=nearest(kind, PROFILE_KINDS))
    found = {one: list_profiles(one) for one in ([kind] if kind else PROFILE_KINDS)}
    values = {one: {name: str(path) for name, path in names.items()} for one, names in found.items()}
    shipped = shipped_profiles().resolve()
    rows = [
        (f"{one}/{name}", "shipped" if path.resolve().is_relative_to(shipped) else str(path))
        for one, names in found.items()
        for name, path in names.items()
    ]
    next_step = f"upsctl profile show {rows[0][0]}" if rows else ""
    result = console.Result({"profiles": values}, columns=("profile", "from"), rows=rows, next_step=next_step)
    console.show(result, as_json)

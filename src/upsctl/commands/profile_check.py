"""`upsctl profile check`: profiles that would work."""

from typing import Annotated

import typer

from upsctl.options import AsJson, complete_profile


def profile_check(
    references: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH|KIND/NAME]...", help="Else all.", autocompletion=complete_profile),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check profiles: every key, every value, and every name of a dataset, emulator, metric, ... that they use.

    Example: upsctl profile check profiles/runs/mine.yaml
    """
    from upsctl import console
    from upsctl.errors import ProfileError
    from upsctl.profile_check import all_references, problems_of

    checked = references or all_references()
    problems = {reference: found for reference in checked if (found := problems_of(reference))}
    lines = [f"{reference}: {problem}" for reference, found in problems.items() for problem in found]
    right = f"{len(checked) - len(problems)} of {len(checked)} profiles are right"
    console.show(console.Result({"checked": checked, "problems": problems}, lines=[*lines, right]), as_json)
    if problems:
        raise ProfileError(f"{len(problems)} of {len(checked)} profiles are wrong", got=", ".join(problems))

"""The campaign that a person means."""

from collections.abc import Sequence
from pathlib import Path

from upsctl.campaign.choices import tuned_before
from upsctl.campaign.run_campaign import Campaign
from upsctl.console import warn
from upsctl.profile_check import refuse_problems
from upsctl.profile_reader import load_profile
from upsctl.sample import SplitName
from upsctl.suite_profile import SuiteProfile
from upsctl.training.run_folder import runs_root
from upsctl.typed_command import typed_command


def open_campaign(suite: str, overrides: Sequence[str], output: Path | None, *, is_final: bool) -> Campaign:
    """A suite's campaign in its folder.

    Args:
        suite: a suite's name or path.
        overrides: `key=value` each.
        output: folder of everything; None: runs/bench/<suite>, and the record where the suite says.
        is_final: evaluate the test split too, whatever the suite says.

    Raises:
        ProfileError: where the suite names something that does not exist, or the sweep that tuned it lacks a setting.
    """
    resolved = load_profile("suites", suite, overrides)
    refuse_problems(resolved)
    profile: SuiteProfile = resolved.profile
    if profile.tuned_by is not None:
        _warn_of_other_sources(profile)
    folder = output if output is not None else runs_root() / "bench" / resolved.name
    record = Path(profile.record) if profile.record is not None and output is None else folder
    splits: list[SplitName] = [profile.split, "test"] if is_final and profile.split != "test" else [profile.split]
    command = _command(suite, overrides, output, is_final=is_final)
    return Campaign(resolved.name, profile, tuple(splits), folder, record, command)


def _warn_of_other_sources(profile: SuiteProfile) -> None:
    """One line for all; that the sweep lacks a setting is an error now, not after the first training."""
    if labels := tuned_before(profile):
        warn(f"sweeps/{profile.tuned_by} chose the settings of {', '.join(labels)} for other sources than the present")


def _command(suite: str, overrides: Sequence[str], output: Path | None, *, is_final: bool) -> str:
    """What makes the same rows again."""
    words = ["upsctl", "bench", "run", suite, *(["--final"] if is_final else [])]
    words += ["--output", str(output)] if output is not None else []
    return typed_command([*words, *(word for override in overrides for word in ("--set", override))])

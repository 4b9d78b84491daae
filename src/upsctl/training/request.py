"""Which run and which of its stages a person means: a new run, or one that goes on."""

from collections.abc import Sequence
from dataclasses import dataclass

from ups_models.checkpoint import read_lineage
from upsctl.console import Result, say
from upsctl.errors import RunError, UsageError
from upsctl.nearest_name import nearest
from upsctl.profile_check import refuse_problems
from upsctl.profile_reader import Resolved, leaves, load_profile
from upsctl.profiles import RunProfile
from upsctl.training.resumption import refuse_other_weights
from upsctl.training.run_folder import RunFolder, create_run, runs_root
from upsctl.training.run_summary import summarise_runs
from upsctl.training.trained_run import choose_device


@dataclass(frozen=True)
class TrainRequest:
    """What was asked for.

    Attributes:
        profile: a run profile's name or path.
        stage: one stage, or None for all that the profile lists.
        overrides: `key=value` each.
        num_epochs: the length of each stage asked for, in epochs of the profile; None: as the profile says.
    """

    profile: str
    stage: str | None
    overrides: Sequence[str]
    num_epochs: int | None

    def resolve(self, profile: str) -> Resolved[RunProfile]:
        """A profile, by name or path, with this request's overrides."""
        resolved: Resolved[RunProfile] = load_profile("runs", profile, self.overrides)
        if self.num_epochs is None:
            return resolved
        steps = self.num_epochs * resolved.profile.steps_per_epoch
        lengths = [f"stages.{name}.num_steps={steps}" for name in self.stages(resolved.profile)]
        return load_profile("runs", profile, [*self.overrides, *lengths])

    def resolve_new(self) -> Resolved[RunProfile]:
        """The profile of a run that would begin.

        Raises:
            ProfileError, ResourcesError: where it could not be trained: a name in it does not exist, or its device.
        """
        resolved = self.resolve(self.profile)
        refuse_problems(resolved)
        choose_device(resolved.profile)
        return resolved

    def stages(self, profile: RunProfile) -> list[str]:
        """The stages asked for.

        Raises:
            UsageError: when the profile does not list the stage.
        """
        if self.stage is None:
            return list(profile.stages)
        if self.stage not in profile.stages:
            raise UsageError(f"no stage `{self.stage}` in this profile", expected=nearest(self.stage, profile.stages))
        return [self.stage]


def begin_run(request: TrainRequest, command: str) -> tuple[RunFolder, list[str]]:
    """A new run folder, and the stages to train in it."""
    resolved = request.resolve_new()
    stages = request.stages(resolved.profile)
    return create_run(resolved.profile, resolved.name, runs_root(), {"command": command}), stages


def resume_run(request: TrainRequest, command: str) -> tuple[RunFolder, list[str]]:
    """The last run of the profile, and those of the stages asked for that are not finished.

    The run keeps its own resolved profile; options given again are changes, and are told.

    Raises:
        RunError: when there is no such run, or options are given again while another process trains it.
        ProfileError, ResourcesError: when the run cannot go on with the options given again; it stays as it was.
    """
    run = find_run_to_resume(request)
    own = str(run.path / "profile.yaml")
    resolved = request.resolve(own)
    refuse_problems(resolved)
    refuse_other_weights(run, resolved.profile)
    changed, changes = resolved.profile, _differences(run.profile, resolved)
    for change in changes:
        say(f"{run.name}: changed {change}")
    if changes:
        run.refuse_if_trained()
        run.write_profile(changed)
        run.append_event("change", changes=changes, command=command)
    stages = request.stages(changed)
    return run, [name for name in stages if not run.is_finished(name, changed.stages[name].num_steps)]


def describe_request(request: TrainRequest, is_resume: bool) -> Result:
    """What would be trained, and how much of it is left."""
    if is_resume:
        run = find_run_to_resume(request)
        profile, name = request.resolve(str(run.path / "profile.yaml")).profile, run.name
    else:
        profile, name, run = request.resolve_new().profile, f"a new run in {runs_root()}", None
    left = [(stage, _steps_made(run, stage), profile.stages[stage].num_steps) for stage in request.stages(profile)]
    lines = [f"would train {profile.model.emulator} on {', '.join(profile.datasets)} in {name}"]
    values = {"is_dry_run": True, "run": run.name if run else None, "profile": profile.model_dump(mode="json"),
              "stages": [dict(zip(("stage", "done", "num_steps"), one, strict=True)) for one in left]}
    rows = [[str(value) for value in one] for one in left]
    return Result(values, lines, ("stage", "updates made", "updates in all"), rows)


def _steps_made(run: RunFolder | None, stage: str) -> int:
    checkpoint = run.checkpoint(stage) if run else None
    return read_lineage(checkpoint).num_steps if checkpoint else 0


def find_run_to_resume(request: TrainRequest) -> RunFolder:
    """The last run of the profile whose model is the profile's and whose own profile lists the stage.

    Raises:
        RunError: when there is none.
        UsageError: when no run and not the profile itself has the stage.
    """
    asked = load_profile("runs", request.profile)
    name, emulator = asked.name, asked.profile.model.emulator
    readable, _ = summarise_runs(runs_root())
    for run in (RunFolder(summary.path) for summary in reversed(readable)):
        profile = run.profile
        has_stage = request.stage is None or request.stage in profile.stages
        if run.profile_name == name and profile.model.emulator == emulator and has_stage:
            return run
    request.stages(asked.profile)  # a stage that there is not even in the profile is a typo
    stage = f" with a stage {request.stage}" if request.stage else ""
    words = f" --stage {request.stage}" if request.stage else ""
    raise RunError(f"no run of {name}{stage} in {runs_root()}", next_step=f"upsctl train --profile {name}{words}")


def _differences(before: RunProfile, after: Resolved[RunProfile]) -> list[str]:
    old = dict(leaves(before.model_dump(mode="json")))
    return [f"{key}: {old.get(key)} -> {value}" for key, value, _ in after.values() if old.get(key) != value]

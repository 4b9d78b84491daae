"""Profiles: layers and their precedence, where each value is from, and errors that name file, line and nearest key."""

from pathlib import Path
from typing import Any

import pytest

from upsctl.errors import ProfileError
from upsctl.profile_reader import Resolved, load_profile, shipped_profiles

MINI = "emulator: universal\nsettings:\n  width: 8\n  depth: 2\n"
BIG = "extends: mini\nsettings:\n  width: 80\n"
RUN = "datasets:\n  burgers1d_tiny_v1: {weight: 2}\nmodel: mini\nstages:\n  operator: {num_steps: 3}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for kind in ("models", "runs"):
        (tmp_path / "profiles" / kind).mkdir(parents=True)
    write("models/mini", MINI)
    write("models/big", BIG)
    write("runs/short", RUN)
    return tmp_path


def write(name: str, text: str) -> None:
    Path(f"profiles/{name}.yaml").write_text(text)


def load(name: str, *overrides: str) -> Resolved[Any]:
    return load_profile("runs", name, overrides)


def origins(resolved: Resolved[Any]) -> dict[str, str]:
    return {key: origin for key, _, origin in resolved.values()}


def message(*overrides: str, name: str = "short") -> str:
    with pytest.raises(ProfileError) as caught:
        load(name, *overrides)
    return caught.value.line


def test_a_control_character_is_named() -> None:
    write("models/mini", MINI.replace("8", "\x18"))
    assert "profiles/models/mini.yaml: not YAML (a control character at position" in message()


def test_a_value_has_its_file_and_line_or_default() -> None:
    found = origins(load("short"))
    assert found["datasets.burgers1d_tiny_v1.weight"] == "profiles/runs/short.yaml:2"
    assert found["stages.operator.num_steps"] == "profiles/runs/short.yaml:5"
    assert found["datasets.burgers1d_tiny_v1.batch_size"] == found["seed"] == "default"


def test_command_line_wins_over_environment_over_file_over_default(monkeypatch: pytest.MonkeyPatch) -> None:
    write("runs/rates", RUN + "optimiser: {learning_rate: 1e-3, clip_norm: 2}\n")
    assert load("short").profile.optimiser.learning_rate == 4e-3
    assert load("rates").profile.optimiser.learning_rate == 1e-3
    monkeypatch.setenv("UPSCTL_SET__RUNS__OPTIMISER__LEARNING_RATE", "2e-3")
    resolved = load("rates")
    assert resolved.profile.optimiser.learning_rate == 2e-3
    assert origins(resolved)["optimiser.learning_rate"] == "UPSCTL_SET__RUNS__OPTIMISER__LEARNING_RATE"
    resolved = load("rates", "optimiser.learning_rate=3e-3")
    assert (resolved.profile.optimiser.learning_rate, resolved.profile.optimiser.clip_norm) == (3e-3, 2.0)
    assert origins(resolved)["optimiser.learning_rate"] == "--set"


def test_a_variable_of_another_kind_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSCTL_SET__SUITES__SEED", "7")
    assert load("short").profile.seed == 0


def test_a_variable_of_no_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSCTL_SET__RUN__SEED", "7")
    with pytest.raises(ProfileError, match=r"UPSCTL_SET__RUN__SEED: no kind of profile `run`; expected `runs`"):
        load("short")


def test_a_named_model_lies_below_the_runs_own_values() -> None:
    write("runs/child", "extends: short\nmodel:\n  settings: {width: 9}\n")
    resolved = load("child")
    assert resolved.profile.model.settings == {"width": 9, "depth": 2}
    assert origins(resolved)["model.settings.width"] == "profiles/runs/child.yaml:3"
    assert origins(resolved)["model.settings.depth"] == "profiles/models/mini.yaml:4"


def test_a_model_may_be_named_and_changed_in_one_place() -> None:
    write("runs/child", "extends: short\nmodel: {extends: big, prediction: direct}\n")
    model = load("child").profile.model
    assert (model.prediction, model.settings) == ("direct", {"width": 80, "depth": 2})


def test_a_model_named_on_the_command_line_replaces_what_lies_below() -> None:
    write("runs/child", "extends: short\nmodel:\n  settings: {width: 9}\n")
    settings = load("child", "model=big", "model.settings.depth=7").profile.model.settings
    assert settings == {"width": 80, "depth": 7}
    assert load("child", "model.settings.depth=7", "model=big").profile.model.settings["depth"] == 2


def test_an_override_reaches_into_a_list() -> None:
    assert load("short", "optimiser.betas=[0.8, 0.9]", "optimiser.betas.0=0.5").profile.optimiser.betas == (0.5, 0.9)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("optimiser.learning_rat=1", "--set: unknown key `optimiser.learning_rat`; expected `learning_rate`"),
        ("datasets.burgers.wight=1", "--set: unknown key `datasets.burgers.wight`; expected `weight`"),
        ("optimiser.clip_norm=-1", "--set: `optimiser.clip_norm`; expected greater than 0; got -1"),
        ("model=bigg", "no profile `bigg` in models/; expected `big`"),
        ("seed", "--set seed; expected key.subkey=value"),
    ],
)
def test_a_wrong_override_is_named(override: str, expected: str) -> None:
    assert message(override).startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RUN + "optimizer: {}\n", "profiles/runs/wrong.yaml:6: unknown key `optimizer`; expected `optimiser`"),
        (RUN + "a: [\n", "profiles/runs/wrong.yaml:7: not YAML"),
        ("- 1\n", "profiles/runs/wrong.yaml: not a mapping"),
        ("extends: child\n", "profiles/runs/wrong.yaml:1: extends `child`, which extends another"),
        (RUN.replace("model: mini\n", ""), "profiles/runs/wrong.yaml: no `model`"),
        ("extends: shor\n", "no profile `shor` in runs/; expected `short`"),
    ],
)
def test_a_wrong_file_is_named_with_its_line(text: str, expected: str) -> None:
    write("runs/child", "extends: short\n")
    write("runs/wrong", text)
    assert message(name="wrong").startswith(expected)


@pytest.mark.parametrize("key", ["transported: [u]", "conserved_means: [u]", "dissipated: [u]", "velocity: u"])
def test_a_frame_that_names_a_field_the_card_lacks_is_refused(key: str) -> None:
    text = (shipped_profiles() / "datasets" / "burgers1d_subset_v1.yaml").read_text()
    Path("card.yaml").write_text(text.replace(key, key.replace("u]", "w]").replace(": u", ": w")))
    with pytest.raises(ProfileError, match="names fields the card lacks: w"):
        load_profile("datasets", "card.yaml")


@pytest.mark.parametrize(
    ("name", "key"), [("burgers1d_subset_v1", "is_galilean_invariant"), ("navier_stokes2d_subset_v1", "vorticity")])
def test_a_frame_that_needs_periodic_axes_is_refused_between_walls(name: str, key: str) -> None:
    text = (shipped_profiles() / "datasets" / f"{name}.yaml").read_text()
    Path("card.yaml").write_text(text.replace("[periodic, periodic]", "[wall, wall]"))
    with pytest.raises(ProfileError, match=rf"`frame\.{key}`"):
        load_profile("datasets", "card.yaml")


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("num_cells: 256,", "num_cell: 256,", "unknown key `axes.0.num_cell`; expected `num_cells`"),
        ("units: m/s,", "unit: m/s,", "unknown key `fields.u.unit`; expected `units`"),
        ("velocity: u", "velocit: u", "unknown key `frame.velocit`; expected `velocity`"),
        ("recipe: burgers", "recip: burgers", "unknown key `source.recip`; expected `recipe`"),
        ("licence: CC", "license: CC", "unknown key `license`; expected `licence`"),
    ],
)
def test_a_typo_deep_in_a_card_is_named_with_its_line(right: str, wrong: str, expected: str) -> None:
    lines = (shipped_profiles() / "datasets" / "burgers1d_subset_v1.yaml").read_text().splitlines()
    number = next(index for index, line in enumerate(lines) if right in line)
    lines[number] = lines[number].replace(right, wrong)
    Path("card.yaml").write_text("\n".join(lines))
    with pytest.raises(ProfileError, match="unknown key") as caught:
        load_profile("datasets", "card.yaml")
    assert caught.value.line == f"card.yaml:{number + 1}: {expected}"

"""A dataset's physics and where its values stand: units as powers, constant and variable fields, cells."""

import pytest

from contracts.small_problems import PROBLEMS
from ups_models.errors import ModelError
from ups_models.geometry import GridGeometry
from ups_models.problem import Problem, unit_powers
from upsctl.data.problems import problem_of
from upsctl.profile_reader import list_profiles, load_profile


@pytest.mark.parametrize(
    ("units", "powers"),
    [("m2/s", (2, -1)), ("1/s", (0, -1)), ("m/s2", (1, -2)), ("1", (0, 0)), ("m s-1", (1, -1)), ("m", (1, 0)),
     ("s/m2", (-2, 1)), ("m/s/s", (1, -2)), ("kg/m3", None), ("K", None)],
)  # fmt: skip
def test_units_are_powers_of_length_and_time(units: str, powers: tuple[int, int] | None) -> None:
    assert unit_powers(units) == powers


@pytest.mark.parametrize("units", ["m^2", "m**2/s", "2 m"])
def test_units_that_are_no_product_are_refused(units: str) -> None:
    with pytest.raises(ModelError, match="expected a product"):
        unit_powers(units)


def test_fields_are_variable_or_constant_in_the_cards_order() -> None:
    problem = PROBLEMS["navier_stokes2d"]
    assert list(problem.variable_fields) == ["velocity", "vorticity", "tracer"]
    assert list(problem.constant_fields) == ["force"]


@pytest.mark.parametrize("name", list_profiles("datasets"))
def test_every_card_is_a_problem_that_a_checkpoint_can_carry(name: str) -> None:
    problem = problem_of(load_profile("datasets", name).profile)
    assert Problem.model_validate_json(problem.model_dump_json()) == problem
    if problem.frame is None:
        return
    named = {problem.frame.velocity, *problem.frame.conserved_means, *problem.frame.linear}
    assert named <= set(problem.variable_fields)
    assert problem.frame.forcing is None or problem.frame.forcing in problem.constant_fields
    assert problem.fields[problem.frame.velocity].powers == (1, -1)


def test_cell_centres_and_scaling_of_a_grid() -> None:
    grid = GridGeometry((4, 2), ((0.0, 2.0), (-1.0, 1.0)), (("periodic", "periodic"), ("wall", "open")))
    assert grid.coordinates(0).tolist() == [0.25, 0.75, 1.25, 1.75]
    assert grid.scaled(2.0).cell_size == (1.0, 2.0)
    assert grid.is_periodic == (True, False)

"""Errors as lines: where, what, what to do; of many mistakes the first."""

import pytest

from tuner.errors import MOST_SHOWN, InvalidInput, Problem, StoreError


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (Problem("train.max_steps", "is 0", "expected more"), "train.max_steps: is 0 (expected more)"),
        (Problem("", "is 0"), "is 0"),
        (Problem("train", "is 0"), "train: is 0"),
    ],
)
def test_a_problem_is_a_line(problem, line):
    assert str(problem) == line


def test_all_mistakes_are_said_at_once_each_with_its_source_and_of_many_the_first():
    error = InvalidInput("space.yaml", [Problem("train", "is 0"), Problem("search", "is 1")])
    assert str(error).splitlines()[:2] == ["space.yaml: train: is 0", "space.yaml: search: is 1"]
    many = InvalidInput("space.yaml", [Problem("", f"mistake {n}") for n in range(MOST_SHOWN + 3)])
    assert len(many.problems) == MOST_SHOWN + 3
    assert str(many).splitlines()[-1] == "space.yaml: 3 more mistakes"
    one_more = InvalidInput("", [Problem("", f"mistake {n}") for n in range(MOST_SHOWN + 1)])
    assert str(one_more).splitlines()[-1] == "1 more mistake"


def test_what_a_user_can_mend_ends_a_command_with_2():
    assert (InvalidInput("", "x").exit_status, StoreError("x").exit_status) == (2, 2)

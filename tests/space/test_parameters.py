"""Parameters as values: what is equal, what a range holds, what a space refuses."""

import pytest

from tuner.space import Categorical, Float, Int, Range, Space
from tuner.space.parameters import identity


@pytest.mark.parametrize(
    ("one", "other", "same", "loosely"),
    [
        (1, 1.0, False, True),
        (1, True, False, False),
        (0.0, -0.0, True, True),
        ([1, [2]], [1.0, [2.0]], False, True),
        ("1", 1, False, False),
        (2**53 + 1, float(2**53), False, False),
        (None, None, True, True),
    ],
)
def test_choices_are_told_apart_by_type_and_value(one, other, same, loosely):
    assert (identity(one) == identity(other)) is same
    assert (identity(one, loose=True) == identity(other, loose=True)) is loosely


@pytest.mark.parametrize(
    ("there", "inside", "outside", "said"),
    [
        (Range(2, 4), (2, 3.5, 4), (1.9, 5, True, "3", None), "from 2 to 4"),
        (Range(min=0.5), (0.5, 99), (0.4, False), "at least 0.5"),
        (Range(max=3), (3, -1), (3.1,), "at most 3"),
    ],
)
def test_a_range_holds_numbers_up_to_both_bounds(there, inside, outside, said):
    assert all(value in there for value in inside)
    assert not any(value in there for value in outside)
    assert str(there) == said


def test_a_choice_that_equals_a_number_is_found_unless_another_choice_is_that_number():
    assert Categorical("x", (64, "b")).by_identity[identity(64.0, loose=True)] == 64
    both = Categorical("x", (64, 64.0)).by_identity
    assert type(both[identity(64)]) is int and type(both[identity(64.0)]) is float


def test_a_space_lists_parameters_before_constants_and_refuses_a_name_that_is_there_twice():
    space = Space((Float("b", 0.0, 1.0), Int("a", 1, 2)), {"c": 1})
    assert space.names == ("b", "a", "c")
    assert space.by_name["a"] == Int("a", 1, 2)
    with pytest.raises(ValueError, match="defined twice: a, b"):
        Space((Float("b", 0.0, 1.0), Float("b", 0.0, 1.0), Int("a", 1, 2)), {"a": 1})

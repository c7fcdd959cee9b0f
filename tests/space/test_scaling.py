"""Where a value stands between the bounds of its parameter."""

import pytest

from tuner.space import Categorical, Discrete, Float, Int
from tuner.space.scaling import place


@pytest.mark.parametrize(
    ("parameter", "value", "expected"),
    [
        (Float("x", 0.0, 4.0), 1.0, 0.25),
        (Int("x", 16, 64, step=16), 64, 1.0),
        (Float("x", 0.001, 0.1, log=True), 0.01, 0.5),
        (Float("x", 0.01, 0.99, log=True, reverse=True), 0.99, 1.0),
        (Float("x", 0.01, 0.99, log=True, reverse=True), 0.01, 0.0),
        (Float("x", 0.01, 0.99, log=True, reverse=True), 1.0 - (0.01 * 0.99) ** 0.5, 0.5),
        (Float("x", 2.0, 2.0), 2.0, 0.5),
        (Discrete("x", (16, 32, 100)), 32, 0.5),
        (Discrete("x", (16,)), 16, 0.0),
    ],
)
def test_a_place_is_a_share_on_the_scale_on_which_the_value_is_drawn(parameter, value, expected):
    assert place(parameter, value) == pytest.approx(expected)


def test_a_choice_has_no_place():
    with pytest.raises(TypeError, match="kind is no number"):
        place(Categorical("kind", ("a", "b")), "a")

"""A curve in a line of text."""

import math

import pytest

from tuner.cli.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], "▁▂▃▄▅▆▇█"),
        ([3.0, 3.0], "▅▅"),
        ([1.0, math.nan, 2.0, math.inf], "▁ █ "),
        ([math.nan], " "),
        ([1.0, 10.0, 100.0], "▁▅█"),  # on a logarithmic scale
        ([0.0, 10.0, 100.0], "▁▁█"),  # that there is none of
    ],
)
def test_each_value_is_a_bar_between_the_smallest_and_the_largest(values, line):
    assert sparkline(values) == line


def test_of_many_values_each_stretch_is_the_bar_of_its_middle_one():
    assert sparkline([0.0, 0.0, 9.0, 7.0, 7.0, 0.0], width=2) == "▁█"
    assert len(sparkline([float(n) for n in range(1000)], width=60)) == 60

"""Starting points: fitted to the space's own values, or with why they cannot be."""

from tuner.space import Categorical, Float, Int, Space
from tuner.space.points import fitted_point

SPACE = Space(
    (
        Float("rate", 0.001, 0.1, log=True),
        Int("units", 16, 64, step=16),
        Categorical("kind", ("a", "b")),
        Float("momentum", 0.0, 1.0, when={"kind": ("b",)}),
    ),
    {"batch": 8},
)


def test_values_become_those_of_the_space_and_what_is_left_out_is_left_to_the_sampler():
    fitted, wrong = fitted_point({"rate": 0.01, "units": 32}, SPACE)
    assert (fitted, wrong) == ({"rate": 0.01, "units": 32}, {})
    assert type(fitted["units"]) is int


def test_a_constant_an_unknown_name_and_a_value_outside_are_said_each():
    fitted, wrong = fitted_point({"batch": 8, "rates": 0.1, "units": 17, "kind": "a", "rate": 0.02}, SPACE)
    assert fitted == {"kind": "a", "rate": 0.02}
    assert wrong["batch"] == "is a constant, expected a parameter (remove it)"
    assert wrong["rates"] == "names the unknown parameter 'rates'"
    assert set(wrong) == {"batch", "rates", "units"}


def test_a_child_whose_parent_has_another_value_is_left_out_and_one_without_a_parent_is_kept():
    fitted, wrong = fitted_point({"kind": "a", "momentum": 0.5}, SPACE)
    assert fitted == {"kind": "a"}
    assert wrong["momentum"].startswith("is there if kind is ") and "(leave one out)" in wrong["momentum"]
    assert fitted_point({"momentum": 0.5}, SPACE) == ({"momentum": 0.5}, {})
    assert fitted_point({"kind": "b", "momentum": 0.5}, SPACE)[1] == {}

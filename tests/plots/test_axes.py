"""Axes of parameters: which are drawn, where a value stands."""

from dataclasses import replace

from tests.plots.sweeps import named, trials
from tuner.plots import make_charts
from tuner.plots.axes import ABSENT, Scale, varying


def test_only_parameters_that_vary_are_drawn(one):
    assert varying(trials(one)) == ["learning_rate", "layers", "optimizer", "momentum"]
    found = [replace(t, params={**t.params, "layers": 2}) for t in trials(one)]
    titles = [dimension.title for dimension in named(make_charts(one, found))["parallel_coordinates"].dimensions]
    assert titles == ["learning_rate", "optimizer", "momentum", "rmse"]


def test_a_trial_without_a_conditional_parameter_stands_below_its_axis(one):
    charts = named(make_charts(one, trials(one)))
    momentum = charts["parallel_coordinates"].dimensions[3]
    assert momentum.ticks[0][1] == "absent"
    assert momentum.positions.count(momentum.low) == 10  # the complete trials with adam


def test_choices_of_any_type_have_places_of_their_own(one):
    scale = Scale.of("batch_size", [True, 1, "1", [1, 2]], one.space)
    assert [scale.place(value) for value in (True, 1, "1", [1, 2])] == [0, 1, 2, 3]
    dimension = scale.dimension("x", ["1", ABSENT])
    assert dimension.positions[1] < dimension.positions[0]

"""What is said of a file that a sweep is made from."""

from tuner.sweep.source_file import read_source_file


def test_how_is_searched_is_said_if_the_file_does_not_say_it(space_file):
    train = "{max_steps: 300, evaluate_every: 10}"
    assert notes(space_file(train=train, search="{sampler: random}")) == ()
    assert notes(space_file(train=train, search="{scheduler: none}")) == ()
    (said,) = notes(space_file(train=train, search="{trials: 4}"))
    assert "tpe draws parameters" in said and said.endswith("takes a fraction of the steps")
    (said,) = notes(space_file(train="{max_steps: 10, evaluate_every: 10}", search="{trials: 4}"))
    assert said.endswith("which goes with any model")  # nothing to pause


def notes(file):
    return read_source_file(file).notes

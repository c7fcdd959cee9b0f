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


def test_an_override_of_a_whole_section_says_what_sets_a_part_of_it(space_file):
    file = space_file(search="{sampler: random, scheduler: asha, trials: 4}")
    replaced, _ = notes(file, "search={trials: 2}")
    assert replaced == "--set search replaces all of it; to set a part: --set search.trials=2"
    assert notes(file, "search.trials=2") == ()


def test_a_method_on_the_command_line_takes_the_place_of_the_files_sampler_and_scheduler(space_file):
    file = space_file(train="{max_steps: 300, evaluate_every: 10}", search="{sampler: tpe, scheduler: asha, trials: 4}")
    found = read_source_file(file, ["search.method=freeze_thaw"])
    assert found.notes == ("--set search.method stands in the place of search.sampler and search.scheduler",)
    assert (found.spec.search.sampler.name, found.spec.search.scheduler.name) == ("freeze_thaw", "freeze_thaw")


def notes(file, *overrides):
    return read_source_file(file, overrides).notes

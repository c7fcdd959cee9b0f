"""Which folder's evaluations of an objective count."""

from tuner.domain.trial import Evaluation
from tuner.script.objective_folders import ObjectiveFolders, folders_of


def at(folder):
    return Evaluation(10, 0.0, folder, {"rmse": 1.0})


def test_of_a_command_the_folder_counts_that_was_there_first_and_that_is_said():
    folders = ObjectiveFolders({})
    assert folders.counts("rmse", at("validation"))
    assert not folders.counts("rmse", at("test"))
    assert folders.counts("mae", at("test"))
    assert folders_of(folders.tags) == {"rmse": "validation", "mae": "test"}
    (line,) = folders.choices
    assert line.startswith("'rmse' is written in test, validation: what validation has counts")
    assert folders.elsewhere("mae") == ""


def test_a_folder_that_is_wanted_counts_alone_and_it_is_said_where_the_objective_is_else():
    folders = ObjectiveFolders({"rmse": "test"})
    assert not folders.counts("rmse", at("validation"))
    said = "the objective 'rmse' never came in the folder 'test' that objective.folder names; folders that have it: "
    assert folders.elsewhere("rmse") == f"{said}validation"
    assert folders.choices == []
    assert folders.counts("rmse", at("test"))


def test_tags_of_a_trial_without_a_choice_hold_none():
    assert folders_of({}) == {}

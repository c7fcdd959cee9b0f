"""The text of a search space file: read, overridden, written, and its values in words."""

import os
from datetime import date

import pytest

from tuner.config.yaml_text import (
    apply,
    describe,
    dump,
    hint_at_bool,
    hint_at_number,
    near,
    parse,
    read_text,
    space_files,
)
from tuner.errors import InvalidInput

KNOWN = ("train", "search", "model", "parameters")


def test_text_is_yaml_1_2_so_that_yes_and_on_are_words():
    assert parse("a: yes\nb: on\nc: 1e-3\nd: 010\ne: true", "f.yaml") == {
        "a": "yes",
        "b": "on",
        "c": 0.001,
        "d": 10,
        "e": True,
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1\n- 2", "f.yaml: holds a list [1, 2], expected a mapping"),
        ("", "f.yaml: holds nothing, expected a mapping"),
        ("a: 1\na: 2", "the key a stands twice"),
        ("a:\n\tb: 1", "a tab"),
        ("a: !!python/object:os.system {}", "f.yaml"),
    ],
)
def test_what_is_no_mapping_is_refused(text, said):
    with pytest.raises(InvalidInput) as caught:
        parse(text, "f.yaml")
    assert said in str(caught.value)


def test_overrides_are_read_as_yaml_and_make_the_mappings_that_are_missing():
    values = apply(
        {"train": {"max_steps": 1}, "search": None},
        ["train.max_steps=300", "search.sampler={name: tpe}"],
        KNOWN,
        lambda k: "",
    )
    assert values == {"train": {"max_steps": 300}, "search": {"sampler": {"name": "tpe"}}}


def test_options_are_set_beside_a_name_that_stands_alone():
    values = {"search": {"scheduler": "asha", "sampler": {"name": "tpe", "multivariate": True}}}
    apply(values, ["search.scheduler.eta=4", "search.sampler.group=true"], KNOWN, lambda key: "")
    assert values["search"] == {
        "scheduler": {"name": "asha", "eta": 4},
        "sampler": {"name": "tpe", "multivariate": True, "group": True},
    }


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.max_steps", "expected KEY=VALUE as in train.max_steps=300"),
        ("trian.max_steps=3", "unknown key 'trian' (did you mean 'train'?)"),
        ("rate=3", "unknown key 'rate' (it is a parameter: --set parameters.rate=...)"),
        ("max_steps=3", "unknown key 'max_steps' (it is in train)"),
        (
            "train.max_steps.x=3",
            "train.max_steps is the whole number 1, which has no keys (as a whole: --set train.max_steps=...)",
        ),
    ],
)
def test_an_override_that_leads_nowhere_is_refused(override, said):
    values = {"train": {"max_steps": 1}, "parameters": {"rate": 1}}
    with pytest.raises(InvalidInput) as caught:
        apply(values, [override], KNOWN, lambda key: "it is in train" if key == "max_steps" else "")
    assert said in str(caught.value)


def test_a_file_in_an_override_counts_from_where_it_is_typed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    values = apply({}, ["model=task.py:build"], KNOWN, lambda key: "")
    assert values["model"] == f"{tmp_path}/task.py:build"
    assert apply({}, ["model=package.task"], KNOWN, lambda key: "")["model"] == "package.task"


def test_what_is_written_is_read_back_in_its_order():
    values = {"b": {"z": 1, "a": [1, 2.5, None]}, "a": "yes: no"}
    assert parse(dump(values), "x") == values
    assert list(parse(dump(values), "x")["b"]) == ["z", "a"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "nothing"),
        (True, "True"),
        ("x", "text 'x'"),
        (3, "the whole number 3"),
        (0.5, "the number 0.5"),
        (date(2020, 1, 2), "the date 2020-01-02 without quotes"),
        ("x" * 99, f"text '{'x' * 56}..."),
    ],
)
def test_a_value_in_words(value, said):
    assert describe(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("300", "write 300 without quotes"),
        ("\u22120.5", "write -0.5, with the plain minus -"),
        ("3k", "write 3000"),
        ("1.5M", "write 1500000"),
        ("k", ""),
        ("2m", ""),
        ("1,000", "write 1000"),
        ("1,00", ""),
        (1000.0, "write 1000"),
        (0.5, ""),
        (float("inf"), ""),
        (1e300, ""),
        ("nank", ""),
        ("nan", ""),
        ("inf", ""),
        ("-infM", ""),
        ("many", ""),
        (300, ""),
    ],
)
def test_a_number_that_is_text_is_shown_as_one(value, said):
    assert hint_at_number(value) == said


def test_a_word_is_answered_by_the_nearest_or_by_all_if_they_are_few():
    assert near("trian", KNOWN) == "did you mean 'train'?"
    assert near("qqqq", ("b", "a")) == "expected one of: a, b"
    assert near("qqqq", [f"name_{n}" for n in range(21)]) == ""


@pytest.mark.parametrize(("name", "said"), [("none.yaml", "no such file"), (".", "is a folder"), ("m.py", "names it")])
def test_what_is_no_search_space_file_is_refused(tmp_path, name, said):
    (tmp_path / "m.py").write_text("")
    with pytest.raises(InvalidInput) as caught:
        read_text(tmp_path / name)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("value", "said"), [("yes", "write true"), ("Off", "write false"), ("maybe", ""), (1, ""), (None, "")]
)
def test_a_truth_value_of_yaml_1_1_is_shown_as_one_of_1_2(value, said):
    assert hint_at_bool(value) == said


def test_the_search_space_files_of_a_folder_are_those_that_name_an_objective(tmp_path):
    (tmp_path / "spaces").mkdir()
    texts = {
        "mkdocs.yml": "site_name: x",
        ".hidden.yaml": "objective: {metric: rmse}",
        "spaces/b.yaml": "name: b\nobjective: {metric: rmse}",
        "spaces/a.yml": "trainingInput:\n  hyperparameters:\n    hyperparameterMetricTag: rmse",
        "spaces/c.yaml": "parameters: {}",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    os.mkfifo(tmp_path / "pipe.yaml")  # to read it would wait without end
    assert space_files(tmp_path) == [tmp_path / "spaces/a.yml", tmp_path / "spaces/b.yaml"]
    (tmp_path / "mine.yaml").write_text("objectives:\n- {metric: rmse}\n")
    assert space_files(tmp_path) == [tmp_path / "mine.yaml"]

"""Files that would take minutes, or that no record could keep: refused at once, with the place."""

import json
import os
import time
from pathlib import Path

import pytest

from tuner.config import from_json, load_spec, parse_spec, to_json
from tuner.errors import InvalidInput
from tuner.importers import import_text

GOOD = {
    "objective": "{metric: rmse}",
    "parameters": "{x: {type: float, low: 0, high: 1}}",
    "train": "{max_steps: 300, evaluate_every: 100}",
    "search": "{trials: 2}",
}
MANY = "9" * 399


def parse(text):
    return parse_spec(text, "space.yaml", Path("/nowhere"), "stem", command=["true"])


def file(**changed):
    return "\n".join(f"{key}: {value}" for key, value in {**GOOD, **changed}.items())


def refusal(text):
    with pytest.raises(InvalidInput) as caught:
        parse(text)
    assert len(str(caught.value)) < 12_000
    str(caught.value).encode()
    return str(caught.value)


def chain(kind, wide=9):
    first = {"alias": "a0: &a0 [x]", "merge": "a0: &a0 {x: 1}"}[kind]
    more = (
        {"alias": "a{}: &a{} [{}]", "merge": "a{}: &a{} {{{{<<: [{}], y{}: 1}}}}"}[kind]
        .replace("{{{{", "{{")
        .replace("}}}}", "}}")
    )
    lines = [more.format(i, i, ", ".join([f"*a{i - 1}"] * wide), i) for i in range(1, 10)]
    return "\n".join([first, *lines, file()])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (chain("alias"), "more than 20000 values, aliases written out"),
        (chain("merge"), "more than 20000 values, aliases written out"),
        (chain("merge", 6), "begins a mapping of 1"),
        (file(search="{timeout: " + "9" * 40_000 + "}"), "line 4, column 19: has a number of 40000 characters"),
        (file(parameters="{x: [" + "1, " * 99_000 + "]}"), "more than 20000 values"),
        (file(parameters="{x: {choices: [" + "1, " * 10_001 + "]}}"), "parameters.x.choices: has 10001 entries, expected at most 10000"),
        (file() + "\n" + "\n".join(f"k{i}: 1" for i in range(20_000)), "more than 20000 values"),
        (file(parameters="{x: {type: int, " + ", ".join(f"k{i}: 1" for i in range(900)) + "}}"), "space.yaml: 882 more mistakes"),
        (file(description="\n" + "\n".join(f"  - &b{i} x" for i in range(40_000))), "more than 20000 values"),
        (file(description="&a [*a]"), "stands in itself, by an alias"),
        ("[" * 1_000_000, "line 1, column 51: is nested more than 50 deep"),
        (file(description="x" * 200_000), "description: found the text 'xxx"),
        (file(parameters="{x: !!set {a}}"), "has the tag tag:yaml.org,2002:set, expected plain values"),
        (file(parameters="{x: {type: [float], low: 0, high: 1}}"), "parameters.x.type: unknown type ['float']"),
        (file(parameters=f"{{x: {{type: float, low: 0, high: {MANY}}}}}"), "parameters.x.high: found a whole number of about 400 digits"),
        (file(parameters=f"{{x: {MANY}}}"), "parameters.x: found a whole number of about 400 digits"),
        (file(parameters='{x: "a\\uD800"}'), "has half a character in it (\\ud800)"),
        (file(parameters='{"a\\0b": 1}'), "parameters: has the key 'a\\x00b', which has a NUL character in it"),
        (file(parameters="{x: {type: float, low: -1.7e308, high: 1.7e308}}"), "wider than the largest number"),
        (file(parameters="{x: {type: float, low: 0, high: 1, step: 1e-300}}"), "has more than 9007199254740992 steps"),
        (file(search=f"{{timeout: {MANY}}}"), "search.timeout: found a whole number of about"),
        (file(search="{timeout: 99999999999h}"), "search.timeout: expected a duration above zero and of at most 100 years"),
        (file(search=f"{{max_checkpoint_bytes: {MANY}GB}}"), "expected a size above zero and below 2**63 bytes"),
        (file(search="{budget: 800}"), "search.budget: found the whole number 800, expected a mapping like {steps: 20000}, with"),
        (file(search="{budget: {target: .nan}}"), "search.budget.target: found the number nan, expected a finite number"),
        (file(resources="{cpus: .inf}"), "resources.cpus: found the number inf"),
        (file(objective="{met#ric: x}"), "objective.met#ric: unknown key"),
        (file(objective="[{metric: a}, null]"), "objective.1: found nothing"),
        (file(simulation=f"{{curves: {'a' * 5000}}}"), "simulation.curves: no such file"),
        (file(ray=f"{{working_dir: {'a' * 5000}}}"), "ray.working_dir: no such folder"),
    ],
    ids=range(30),
)  # fmt: skip
def test_what_is_beyond_measure_is_refused_with_its_place(text, expected):
    assert expected in refusal(text)


def test_the_work_for_a_file_grows_with_its_length_and_not_faster():
    """A chain of conditions, choices and starting points as long as they may be: counted in seconds of the processor."""
    begun = time.process_time()
    parameters = ["  p0: {type: int, low: 0, high: 9}"]
    parameters += [f"  p{i}: {{type: int, low: 0, high: 9, when: {{p{i - 1}: 1}}}}" for i in range(1, 1000)]
    parse(file(parameters="\n" + "\n".join(parameters)))
    points = ", ".join(["{x: 5999.0}"] * 4000)
    choices = ", ".join(map(str, range(6000)))
    spec = parse(file(parameters=f"{{x: {{choices: [{choices}]}}}}", search=f"{{enqueue: [{points}]}}"))
    assert repr(spec.search.enqueue[-1]["x"]) == "5999"
    assert time.process_time() - begun < 20


def test_devices_and_pipes_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for place in (Path("/dev/zero"), tmp_path / "pipe.yaml"):
        with pytest.raises(InvalidInput, match="is a device or a pipe"):
            load_spec(place)
    with pytest.raises(InvalidInput, match="cannot be read: File name too long"):
        load_spec(tmp_path / ("a" * 5000))


def test_values_at_the_bounds_are_kept():
    text = file(parameters=f"{{x: {2**63 - 1}, y: {'a' * 10_000}, z: {{type: float, low: -8e307, high: 8e307}}}}")
    spec = parse(text)
    assert from_json(json.loads(json.dumps(to_json(spec)))) == spec


def test_an_importer_refuses_numbers_that_ours_cannot_hold_and_says_what_a_scheduler_needs():
    sweep = {
        "method": "random",
        "metric": {"name": "loss", "goal": "minimize"},
        "parameters": {"x": {"values": [1, 2]}},
    }
    with pytest.raises(InvalidInput, match="about 401 digits"):
        import_text(json.dumps({**sweep, "run_cap": 10**400}), "w.json", "w")
    stopped = import_text(json.dumps({**sweep, "early_terminate": {"type": "hyperband", "min_iter": 3}}), "w.json", "w")
    needed = "give it train.max_steps and train.evaluate_every"
    assert any(needed in note for note in stopped.notes) and needed in stopped.text
    overrides = ["train.max_steps=90", "train.evaluate_every=10"]
    assert parse_spec(stopped.text, "w", Path("/"), "w", overrides, ["true"]).search.scheduler.name == "asha_stopping"

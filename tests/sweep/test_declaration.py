"""A sweep declared in Python: from a mapping, keywords, dataclasses; its model a module, a path or functions."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tuner
from tuner.config import parse_spec
from tuner.errors import InvalidInput

PARAMETERS = {
    "learning_rate": tuner.Float(1e-4, 1e-1, log=True),
    "units": tuner.Int(16, 256, step=16),
    "width": tuner.Discrete([8, 16, 64]),
    "optimizer": tuner.Categorical(["adam", "sgd"]),
    "momentum": tuner.when(tuner.Float(0.5, 0.99, scale="reverse_log"), optimizer="sgd", units={"min": 32}),
    "batch_size": np.int64(128),
}


FILE = """
name: mine
objective: {metric: rmse, goal: minimize}
parameters:
  learning_rate: {type: float, low: 1e-4, high: 1e-1, log: true}
  units: {type: int, low: 16, high: 256, step: 16}
  width: {type: discrete, values: [8, 16, 64]}
  optimizer: {type: categorical, choices: [adam, sgd]}
  momentum: {type: float, low: 0.5, high: 0.99, scale: reverse_log, when: {optimizer: sgd, units: {min: 32}}}
  batch_size: 128
train: {max_steps: 90, evaluate_every: 30}
search: {sampler: random, trials: 3, seed: 1}
simulation: {task: surface, record: false}
"""


KEYWORDS = {
    "name": "mine",
    "objective": "rmse",
    "goal": "minimize",
    "parameters": PARAMETERS,
    "max_steps": 90,
    "evaluate_every": 30,
    "sampler": "random",
    "trials": 3,
    "seed": 1,
    "simulation": {"task": "surface", "record": False},
}


def test_keywords_a_mapping_and_a_file_are_one_sweep(tmp_path):
    from dataclasses import replace

    by_file = replace(parse_spec(FILE, "mine.yaml", Path.cwd()), source="")  # as one in the current folder
    assert replace(tuner.Sweep(root=tmp_path, **KEYWORDS).spec, source="") == by_file
    whole = {
        **{key: KEYWORDS[key] for key in ("name", "parameters", "simulation")},
        "objective": {"metric": "rmse", "goal": "minimize"},
        "train": {"max_steps": 90, "evaluate_every": 30},
        "search": {"sampler": "random", "trials": 3},
    }
    assert replace(tuner.Sweep(whole, root=tmp_path, seed=1).spec, source="") == by_file


def test_a_declared_sweep_runs_is_opened_again_and_continued(tmp_path):
    result = tuner.Sweep(root=tmp_path, **KEYWORDS).run(backend="simulated")
    assert len(result.trials) == 3
    again = tuner.Sweep(root=tmp_path, **{**KEYWORDS, "trials": 5}).run(backend="simulated")
    assert [trial.params for trial in again.trials[:3]] == [trial.params for trial in result.trials]
    assert repr(again.trials[0]).startswith("<Trial 0: COMPLETE at step 90, rmse ")
    assert repr(tuner.Sweep.open("mine", tmp_path)).startswith(
        "<Sweep 'mine': 5 parameters, 5 trials, random, none, in "
    )


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"name": None}, 'Sweep: name: is missing (as in tuner.Sweep(name="mine", ...))'),
        ({"paramters": {}}, "unknown keyword 'paramters' (did you mean 'parameters'?)"),
        ({"n_trials": 3}, "unknown keyword 'n_trials' (did you mean 'trials'?)"),
        ({"goal": "minimise"}, "objective.goal: found text 'minimise', expected minimize or maximize"),
        ({"search": {"trials": 4}}, "trials: stands in search, too (remove one)"),
        ({"parameters": {"rate": tuner.Float(1.0, 0.1)}}, "parameters.rate: low (1.0) is above high (0.1)"),
        ({"parameters": {"rate": lambda trial: 1}}, "parameters.rate: found function <function"),
        ({"parameters": {"rate": tuner.when(tuner.Int(1, 3), optimiser="sgd")}}, "unknown parameter 'optimiser'"),
        ({"model": "nothing.py"}, "no such file"),
        ({"model": "a.b", "model_fn": print}, "model: stands beside functions, expected one of the two"),
    ],
)
def test_mistakes_are_answered_as_those_of_a_file_are(changed, expected, tmp_path):
    with pytest.raises(InvalidInput) as error:
        tuner.Sweep(root=tmp_path, **{**KEYWORDS, **changed})
    assert expected in str(error.value)
    assert not list(tmp_path.iterdir())


def test_a_path_in_place_of_a_mapping_is_told_where_files_go():
    with pytest.raises(InvalidInput, match=r"found 'mine.yaml', expected a mapping or keywords \(a file: tuner.Sweep"):
        tuner.Sweep("mine.yaml")


def test_public_names_are_listed():
    assert dir(tuner) == sorted(tuner.__all__)
    assert {"Float", "Int", "Categorical", "Discrete", "when", "Sweep"} <= set(dir(tuner))


NOTEBOOK = """
import numpy as np
import tuner
from tuner.testing import tiny_model

scale = np.float32(2.0)  # what a cell refers to goes along

def model_fn(features, labels, mode, params):
    return tiny_model.model_fn(features * scale, labels, mode, params)

def build(**more):
    return tuner.Sweep(
        name="cell", objective="rmse", parameters={{"learning_rate": tuner.Float(0.01, 0.1)}}, sampler="random",
        max_steps=40, evaluate_every=20, trials=1, record={{"plots": False}}, root={root!r}, model_fn=model_fn,
        train_input_fn=tiny_model.train_input_fn, eval_input_fn=tiny_model.eval_input_fn, **more)

first = build().run()
more = build().run(trials=2)
assert more.trials[0].value == first.trials[0].value, more
assert [trial.state.value for trial in more.trials] == ["COMPLETE"] * 2, more
print(more)
"""


@pytest.mark.slow
def test_functions_of_a_cell_reach_the_processes_of_trials_and_stay_with_the_sweep(root):
    code = NOTEBOOK.format(root=str(root))
    done = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, timeout=300, cwd=root)
    assert done.returncode == 0, done.stderr
    assert "2 COMPLETE" in done.stdout
    more = subprocess.run(
        [sys.executable, "-m", "tuner", "resume", "cell", "--trials", "3", "--root", str(root)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert more.returncode == 0, more.stderr
    assert len(tuner.Sweep.open("cell", root).result().trials) == 3

"""Parameters whose names MLflow alters: each has its own value there, the same name in each run, and verify compares them."""

import mlflow
import pytest

import tuner
from tuner.driver.progress import NullDisplay
from tuner.files.run_ids import parent_run_id
from tuner.operations.verify import verify_sweep
from tuner.recorders.mlflow.naming import ValidNames
from tuner.sweep import RunOptions

SPACE = """
name: names
objective: {metric: rmse}
parameters:
  kind: {type: categorical, choices: [a, b]}
  "a=b": {type: float, low: 1, high: 2, when: {kind: a}}
  "a+b": {type: float, low: 3, high: 4}
  a_b: 5
  "a//b": {type: int, low: 6, high: 60}
  "a/./b": {type: int, low: 70, high: 700}
train: {max_steps: 30, evaluate_every: 10}
search: {sampler: random, trials: 4, workers: 1, enqueue: [{kind: b}, {kind: a}]}
simulation: {task: surface}
"""
NAMES = {"kind": "kind", "a=b": "a_b_3", "a+b": "a_b_2", "a//b": "a/_/b", "a/./b": "a/_/b_2", "a_b": "a_b"}


@pytest.mark.slow
def test_parameters_that_mlflow_would_call_alike_are_kept_apart_and_verified(tmp_path):
    (tmp_path / "names.yaml").write_text(SPACE)
    sweep = tuner.Sweep.from_file(tmp_path / "names.yaml", tmp_path)
    result = sweep.session(RunOptions(backend="simulated"), NullDisplay()).run().result
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    for trial in result.trials:
        held = client.get_run(trial.run_id).data.params
        assert held == {NAMES[name]: str(value) for name, value in trial.params.items()}
    tags = client.get_run(parent_run_id(sweep.dir)).data.tags
    held = {key.removeprefix("tuner.best."): value for key, value in tags.items() if key.startswith("tuner.best.")}
    assert {name: held[NAMES[name]] for name in result.best.params} == {
        n: str(v) for n, v in result.best.params.items()
    }
    assert verify_sweep(sweep.dir, result).differences == []
    client.log_param(result.trials[0].run_id, "stranger", 1)
    assert verify_sweep(sweep.dir, result).differences == ["trial 0: MLflow: parameter stranger is '1', study: None"]


def test_names_are_those_of_the_first_that_had_them_and_short_enough():
    names = ValidNames(["a=b", "a+b"])
    names.add(["a_b", "a=b"])
    assert [names[name] for name in ("a=b", "a+b", "a_b")] == ["a_b", "a_b_2", "a_b_3"]
    long = ValidNames(["x" * 300, "x" * 301])
    assert len({long["x" * 300], long["x" * 301]}) == 2 and max(len(long["x" * n]) for n in (300, 301)) == 250

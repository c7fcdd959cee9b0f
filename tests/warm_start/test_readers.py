"""Results folders of Ray Tune and Keras Tuner as finished trials."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

import tuner
from tests.warm_start.folders import RMSE
from tuner.files.paths import Root
from tuner.warm_start import read_results
from tuner.warm_start.sources import read_source


def test_another_folder_is_neither_tools(tmp_path):
    assert read_results(tmp_path, RMSE) is None
    assert read_results(tmp_path / "nowhere", RMSE) is None


KERAS_TUNER = """
import keras_tuner
class Tuner(keras_tuner.RandomSearch):
    def run_trial(self, trial):
        rate = trial.hyperparameters.Float("lr", 1e-4, 1e-1, sampling="log")
        kind = trial.hyperparameters.Choice("kind", ["a", "b"])
        return {"rmse": rate * (2 if kind == "a" else 1)}
Tuner(objective=keras_tuner.Objective("rmse", "min"), max_trials=4, directory=".", project_name="demo", seed=1).search()
"""


RAY = """
import ray
from ray import tune
ray.init(num_cpus=1, include_dashboard=False, configure_logging=False)
def train(config):
    for step in range(3):
        tune.report({"rmse": config["lr"] * (2 if config["kind"] == "a" else 1) * (3 - step)})
space = {"lr": tune.loguniform(1e-4, 1e-1), "kind": tune.choice(["a", "b"])}
tune.Tuner(train, param_space=space, tune_config=tune.TuneConfig(num_samples=4),
    run_config=tune.RunConfig(name="demo", storage_path=STORAGE)).fit()
"""


@pytest.mark.slow
@pytest.mark.service
@pytest.mark.parametrize(("package", "program"), [("keras_tuner", KERAS_TUNER), ("ray", RAY)])
def test_folders_that_the_tools_themselves_wrote_are_read(package, program, tmp_path):
    pytest.importorskip(package)
    program = program.replace("STORAGE", repr(str(tmp_path)))
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True, timeout=240)
    found = read_results(tmp_path / "demo", RMSE)
    assert len(found.trials) == 4 and found.notes == ()
    for params, values in found.trials:
        assert values["rmse"] == pytest.approx(params["lr"] * (2 if params["kind"] == "a" else 1))


@pytest.mark.parametrize("given", ["nosuchdir/x", "nosuchdir/curves.jsonl", "a,b"])
def test_what_is_no_file_no_folder_and_no_name_is_answered_with_what_is_taken(tmp_path, given):
    with pytest.raises(tuner.InvalidInput) as refused:
        read_source(given, Root(tmp_path), None)
    assert f"--from: found no file or folder {given!r}, nor can it name a sweep (it takes the name of" in str(
        refused.value
    )


@pytest.mark.parametrize("given", ["old/trails.csv", "old/trails.jsonl"])
def test_a_file_that_is_not_there_is_answered_with_the_near_one(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old").mkdir()
    (tmp_path / "old/trials.csv").touch()
    with pytest.raises(tuner.InvalidInput, match=r"\(did you mean 'trials\.csv'\?\)"):
        read_source(given, Root(tmp_path), SimpleNamespace(objectives=()))

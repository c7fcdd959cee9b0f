"""The housing example's error on test rows: of which trial at which checkpoint, and what is said of a wrong folder."""

import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.sweep import RunOptions

pytestmark = pytest.mark.tf

OF_HOUSING = (
    "parameters: {layers: {type: int, low: 1, high: 2}, units: {type: int, low: 1, high: 4}, "
    "optimizer: {type: categorical, choices: [adam, sgd]}}"
)


@pytest.fixture(scope="module")
def sweeps(tmp_path_factory):
    """A sweep with the example's parameters and one with others, both simulated."""
    root = tmp_path_factory.mktemp("root")
    other = next(line for line in SIMULATED.splitlines() if line.startswith("parameters"))
    for name, text in (
        ("sim", SIMULATED),
        ("houses", SIMULATED.replace(other, OF_HOUSING).replace("sim", "houses", 1)),
    ):
        (root / f"{name}.yaml").write_text(text)
        sweep = tuner.Sweep.from_file(root / f"{name}.yaml", root)
        sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    return root / "mlruns" / "sweeps"


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "found 0 arguments, expected the folder of a sweep, or of one of its trials"),
        (["houses", "sim"], "found 2 arguments"),
        (["nowhere"], "found no folder nowhere, expected the folder of a sweep"),
        (["."], "found no sweep in ., expected the folder of a sweep"),
        (["houses/trials/0099"], "found no trial 99 in the sweep houses"),
        (["sim"], "found the parameters rate, units, expected those of tuner.examples.housing"),
        (["houses/trials/0001"], "trial 1 is COMPLETE and has no checkpoint that was evaluated"),
    ],
)
def test_what_cannot_be_scored_is_said_in_a_line_with_status_2(sweeps, monkeypatch, capsys, arguments, said):
    from tuner.examples import housing_score

    monkeypatch.chdir(sweeps)
    with pytest.raises(SystemExit) as ended:
        housing_score.main(arguments)
    line = capsys.readouterr().err
    assert ended.value.code == 2
    assert line.startswith(said) and "tuner run search_spaces/housing.yaml" in line and line.count("\n") == 1


def test_of_a_sweep_the_best_trial_counts_of_a_trial_itself_and_of_both_the_checkpoint_that_is_exported(
    sweeps, tmp_path, monkeypatch
):
    from tuner.examples.housing_score import exported

    shutil.copytree(sweeps / "houses", tmp_path / "mlruns" / "sweeps" / "houses")
    folder = tmp_path / "mlruns" / "sweeps" / "houses"
    trials = tuner.Sweep.open("houses", tmp_path).result()
    for trial in trials.trials:
        (folder / "trials" / f"{trial.number:04d}").mkdir(parents=True, exist_ok=True)
        (folder / "trials" / f"{trial.number:04d}" / "model.ckpt-90.index").touch()
        trial, step = exported(folder / "trials" / f"{trial.number:04d}")
        assert (trial.number, step) == (trial.number, 90)
    trial, step = exported(folder)
    assert (trial.number, step) == (trials.best.number, 90)
    (folder / "best_model.json").write_text(json.dumps({"trial": trial.number, "step": 90}))
    assert exported(folder)[1] == 90


TRAIN = """
import sys
import tuner
tuner.install_estimator()
import tensorflow as tf
from tuner.examples import housing
params = {"learning_rate": 0.01, "layers": 1, "units": 8, "optimizer": "adam", "batch_size": 64}
config = tf.estimator.RunConfig(sys.argv[1], save_checkpoints_steps=10)
estimator = tf.estimator.Estimator(housing.model_fn, config=config, params=params)
estimator.train(lambda: housing.train_input_fn(params), max_steps=20)
"""


def test_a_score_is_of_the_given_checkpoint_and_leaves_the_trials_folder_as_it_was(tmp_path, monkeypatch):
    from tuner.examples import housing_score

    done = subprocess.run([sys.executable, "-c", TRAIN, str(tmp_path)], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    params = {"learning_rate": 0.01, "layers": 1, "units": 8, "optimizer": "adam", "batch_size": 64}
    trial = SimpleNamespace(number=7, trial_dir=str(tmp_path), params=params)
    before = sorted(tmp_path.rglob("*"))
    said = []
    for step in (10, 20):
        monkeypatch.setattr(housing_score, "exported", lambda folder, step=step: (trial, step))
        said.append(housing_score.score(tmp_path))
    assert [line.split(": rmse")[0] for line in said] == [f"trial 7 at step {step}: test rows" for step in (10, 20)]
    assert said[0].split("rows")[1] != said[1].split("rows")[1]
    assert sorted(tmp_path.rglob("*")) == before

"""Whole exports: from a sweep to a SavedModel, to MLflow, to a server that answers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

import tuner
from tuner.export import export
from tuner.files.run_ids import parent_run_id
from tuner.sweep.run_options import RunOptions

pytestmark = [pytest.mark.slow, pytest.mark.tf]

HERE = Path(__file__).parent
MODELS = HERE.parent / "data" / "models"
SPACES = HERE.parents[1] / "search_spaces"
BIN = Path(sys.executable).parent
PREDICTION = "tf.squeeze(tf.matmul(columns, weights), 1)"


def command(*arguments, **kwargs):
    line = [sys.executable, "-m", "tuner", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=300, **kwargs)


def client(root):
    import mlflow

    return mlflow.MlflowClient(f"sqlite:///{root / 'mlflow.db'}")


def models_of(root, run_id):
    found = client(root)
    experiment = found.get_run(run_id).info.experiment_id
    return found.search_logged_models([experiment], filter_string=f"source_run_id = '{run_id}'")


@pytest.fixture(scope="module")
def served(tmp_path_factory, database):
    """A finished sweep whose trials are best in their middle."""
    import shutil

    folder = tmp_path_factory.mktemp("served")
    shutil.copy(database, folder / "mlflow.db")
    (folder / "space.yaml").write_text(
        f"name: served\nmodel: {MODELS / 'served.py'}\nobjective: {{metric: rmse, goal: minimize}}\n"
        "parameters: {learning_rate: {type: float, low: 0.02, high: 0.1}, worse_from: 40}\n"
        "train: {max_steps: 80, evaluate_every: 20}\nsearch: {sampler: random, trials: 2}\n"
    )
    done = command("run", folder / "space.yaml", "--root", folder)
    assert done.returncode == 0, done.stderr
    return folder, done.stderr


def test_the_parent_of_a_finished_sweep_carries_its_best_model_from_the_best_step_once(served):
    root, said = served
    best = tuner.Sweep.open("served", root).result().best
    assert f"exporting the best model: trial {best.number} at step 40" in said
    assert "equal to the last bit" in said
    parent = parent_run_id(tuner.Sweep.open("served", root).dir)
    (model,) = models_of(root, parent)
    assert (model.tags["tuner.trial"], model.tags["tuner.step"]) == (str(best.number), "40")
    run = client(root).get_run(parent)
    assert [(output.model_id, output.step) for output in run.outputs.model_outputs] == [(model.model_id, 40)]
    assert run.data.tags["tuner.export"].startswith(f"trial {best.number} at step 40: ")
    again = command("run", root / "space.yaml", "--root", root)
    assert again.returncode == 0
    assert "nothing to do" in again.stderr and "exporting" not in again.stderr
    assert len(models_of(root, parent)) == 1
    assert command("verify", "served", "--root", root).returncode == 0


def test_an_export_that_is_interrupted_is_said_last_and_done_by_resuming(served, monkeypatch, capsys):
    from tuner.backends.local import LocalBackend
    from tuner.cli import display
    from tuner.cli.run import run_session

    class Interrupts(display.PlainLines):
        def line(self, line):
            super().line(line)
            if line.startswith("exporting"):
                sweep.dir.stop_file.touch()

    sweep = tuner.Sweep.open("served", served[0])
    sweep.dir.best_model_file.unlink()  # as if it had not been exported yet
    monkeypatch.setattr(display, "open_display", Interrupts)
    assert run_session(sweep, RunOptions()) == 130
    lines = capsys.readouterr().err.splitlines()
    assert "finished: 2 of 2 trials" in lines
    assert lines[-1].startswith("interrupted: the best model was not exported; do it with: tuner resume served")
    monkeypatch.undo()
    monkeypatch.setattr(LocalBackend, "open", lambda self: pytest.fail("a fork server was started"))
    assert run_session(tuner.Sweep.open("served", served[0]), RunOptions()) == 0
    assert "exporting the best model" in capsys.readouterr().err
    assert sweep.dir.best_model_file.exists()


def test_an_export_has_the_models_signatures_and_says_which_step_and_leaves_nothing_else(served, tmp_path):
    root, _ = served
    best = tuner.Sweep.open("served", root).result().best
    before = sorted(p.name for p in Path(best.trial_dir).rglob("*"))
    done = command("export", "served", tmp_path / "out", "--root", root)
    assert done.returncode == 0, done.stderr
    assert f"exporting trial {best.number} at step 40 ..." in done.stderr
    assert f"exported trial {best.number} at step 40" in done.stdout
    assert "its last is at step 80" in done.stdout
    assert "signatures: only_text, serving_default" in done.stdout
    assert (tmp_path / "out" / "saved_model.pb").is_file()
    assert [p.name for p in tmp_path.iterdir()] == ["out"]
    assert json.loads((tmp_path / "out" / "assets.extra" / "tuner.json").read_text())["step"] == 40
    assert sorted(p.name for p in Path(best.trial_dir).rglob("*")) == before
    again = command("export", "served", tmp_path / "out", "--root", root)
    assert again.returncode == 2
    assert "is not empty" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--trial", "9"], "has no trial 9"),
        (["--alias", "x"], "add --register MODEL"),
        (["--register", "a/b"], "--register: Invalid model name"),
        (["--register", "a", "--alias", "latest"], "--alias: 'latest' alias name"),
    ],
)
def test_an_export_that_cannot_be_is_refused_before_any_work(served, tmp_path, arguments, expected):
    done = command("export", "served", tmp_path / "out", "--root", served[0], *arguments)
    assert done.returncode == 2
    assert expected in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_model_that_predicts_at_random_is_not_exported_and_the_sweep_has_not_failed(space_file, root, tmp_path):
    parameters = "learning_rate: 0.01\nrandom: true"
    file = space_file(parameters=parameters, search="{trials: 1}", name="random", model=MODELS / "served.py")
    done = command("run", file, "--root", root)
    assert done.returncode == 0, done.stderr
    assert "the best model was not exported: the export does not do what the Estimator does" in done.stderr
    parent = parent_run_id(tuner.Sweep.open("random", root).dir)
    assert client(root).get_run(parent).data.tags["tuner.export"].startswith("not exported: ")
    out = tmp_path / "exports" / "out"
    done = command("export", "random", out, "--root", root)
    assert done.returncode == 1
    assert "draw random numbers in PREDICT" in done.stderr
    assert list(out.parent.iterdir()) == []


def test_a_model_that_does_not_say_what_a_server_is_given_is_told_how(space_file, root, tmp_path):
    done = command("run", space_file(search="{trials: 1}"), "--root", root)
    assert done.returncode == 0, done.stderr
    assert "export" not in done.stderr
    done = command("export", "tiny", tmp_path / "out", "--root", root)
    assert done.returncode == 2
    assert "has no serving_input_receiver_fn" in done.stderr
    assert '"x": tf.compat.v1.placeholder(tf.float32, [None, 4], "x"),' in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "signatures"), [("housing_wide_deep", {"predict"}), ("housing_keras", {"serving_default"})]
)
def test_canned_and_keras_estimators_are_exported_and_checked_too(name, signatures, root):
    few = ["--trials", "1", "--set", "train.max_steps=40", "--set", "train.evaluate_every=20"]
    done = command("run", SPACES / f"{name}.yaml", "--root", root, *few)
    assert done.returncode == 0, done.stderr
    assert "exported: 1024 held-out rows" in done.stderr
    parent = parent_run_id(tuner.Sweep.open(name, root).dir)
    (model,) = models_of(root, parent)
    folder = Path(model.artifact_location.removeprefix("file://"))
    saved = folder / "artifacts" / "saved_model"
    from tensorflow.python.saved_model import loader_impl

    (graph,) = loader_impl.parse_saved_model(str(saved)).meta_graphs
    assert signatures <= set(graph.signature_def)


@pytest.mark.parametrize("says_shape", [True, False])
def test_strings_beside_a_feature_of_several_dimensions_are_exported_and_checked_too(
    says_shape, space_file, root, tmp_path
):
    file = space_file(
        f"says_shape: {str(says_shape).lower()}", "{metric: loss}", search="{trials: 1}", model=MODELS / "mixed.py"
    )
    done = command("run", file, "--root", root)
    assert done.returncode == 0, done.stderr
    assert "exported: 64 held-out rows" in done.stderr
    done = command("export", "tiny", tmp_path / "out", "--root", root)
    assert done.returncode == 0, done.stderr
    assert "note:" not in done.stderr
    assert (tmp_path / "out" / "saved_model.pb").is_file()
    parent = parent_run_id(tuner.Sweep.open("tiny", root).dir)
    (model,) = models_of(root, parent)
    folder = model.artifact_location.removeprefix("file://")
    asked = [sys.executable, "-c", ASK_SERVED, folder]
    answer = subprocess.run(asked, capture_output=True, text=True, input=json.dumps({"inputs": MIXED_ROWS}))
    assert answer.returncode == 0, answer.stderr
    status, said = json.loads(answer.stdout.splitlines()[-1])
    assert status == 200, said
    assert [row["kind"] for row in json.loads(said)["predictions"]] == ["u!", "w\u00e9!"]


MIXED_ROWS = {"pixels": [[[0.0, 1.0, 2.0]] * 2, [[2.0, 1.0, 0.0]] * 2], "kind": ["u", "w\u00e9"]}
ASK_SERVED = """
import json, sys
import mlflow.pyfunc
from mlflow.pyfunc.scoring_server import invocations
model = mlflow.pyfunc.load_model(sys.argv[1])
answer = invocations(sys.stdin.read(), "application/json", model, model.metadata.get_input_schema())
print(json.dumps([answer.status, answer.response]))
"""


@pytest.mark.parametrize(
    ("program", "status"),
    [(export.SAVING, 0), (export.CHECKING, 0)],  # nothing to save, or to check
)
def test_a_signal_to_all_processes_leaves_the_end_of_an_export_to_who_started_it(program, status, tmp_path):
    with (tmp_path / "log.txt").open("ab") as log:
        process = export._start(program, tmp_path, log)
    process.terminate()
    process.stdin.close()
    assert process.wait(120) == status


ESTIMATOR = """
import json, sys
from pathlib import Path
import tuner
tuner.install_estimator()
import tensorflow as tf
from tuner.examples import housing
folder, step, rows = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
params = json.loads((folder / "job.json").read_text())["params"]
estimator = tf.estimator.Estimator(housing.model_fn, model_dir=str(folder), params=params)
columns = {key: [float(row[key]) for row in rows] for key in rows[0]}
found = estimator.predict(
    lambda: tf.data.Dataset.from_tensor_slices(columns).batch(10), checkpoint_path=str(folder / f"model.ckpt-{step}"))
print("RESULT", json.dumps([float(one["value"]) for one in found]))
"""


@pytest.mark.service
def test_a_registered_model_answers_http_as_the_estimator_does_and_survives_nonsense(root, tmp_path):
    from tuner.examples.housing_data import FEATURES, load_housing

    few = ["--trials", "1", "--set", "train.max_steps=100", "--set", "train.evaluate_every=50", "--no-export"]
    done = command("run", SPACES / "housing.yaml", "--root", root, *few)
    assert done.returncode == 0, done.stderr
    assert not (root / "sweeps" / "housing" / "best_model.json").exists()
    done = command("export", "housing", tmp_path / "out", "--root", root, "--register", "houses", "--alias", "champion")
    assert done.returncode == 0, done.stderr
    assert "models:/houses@champion" in done.stdout
    step = json.loads((tmp_path / "out" / "assets.extra" / "tuner.json").read_text())["step"]
    test = load_housing().test.features[:10]
    rows = [{name: float(value) for name, value in zip(FEATURES, row, strict=True)} for row in test]
    trial = root / "mlruns" / "sweeps" / "housing" / "trials" / "0000"
    predicted = subprocess.run(
        [sys.executable, "-c", ESTIMATOR, str(trial), str(step), json.dumps(rows)], capture_output=True, text=True
    )
    expected = json.loads(predicted.stdout.split("RESULT ")[1])
    with serving("models:/houses@champion", root) as ask:
        status, answer = ask({"dataframe_records": rows})
        assert status == 200, answer
        found = [row["value"] for row in answer["predictions"]]
        assert found == pytest.approx(expected, abs=1e-5)
        assert [row["text"] for row in answer["predictions"]] == [f"${round(value * 1e5):.0f}" for value in found]
        for nonsense in (
            "nonsense",
            {"dataframe_records": [{"MedInc": 1.0}]},
            {"dataframe_records": [{**rows[0], "MedInc": "rich"}]},
        ):
            status, answer = ask(nonsense)
            assert 400 <= status < 500, answer
            assert answer["message"]
        assert ask({"dataframe_records": rows})[0] == 200


class serving:
    """A server of MLflow's own on loopback, asked by HTTP."""

    def __init__(self, uri, root):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        environment = {
            **os.environ,
            "MLFLOW_TRACKING_URI": f"sqlite:///{root / 'mlflow.db'}",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PATH": f"{BIN}:{os.environ['PATH']}",
        }
        self.log = (root / "serve.log").open("w+")
        line = [str(BIN / "mlflow"), "models", "serve", "-m", uri, "--env-manager", "local", "--port", str(self.port)]
        self.process = subprocess.Popen(
            line, env=environment, stdout=self.log, stderr=self.log, start_new_session=True, cwd=root
        )

    def __enter__(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=5)
                return self.ask
            except OSError:
                time.sleep(0.2)
        self.__exit__()
        raise AssertionError(Path(self.log.name).read_text())

    def ask(self, body):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        url = f"http://127.0.0.1:{self.port}/invocations"
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(30)
        self.log.close()


def test_a_checkpoint_is_exported_by_another_text_of_its_model_only_if_it_comes_to_what_was_recorded(
    tmp_path, database
):
    import shutil

    shutil.copy(database, tmp_path / "mlflow.db")
    text = (MODELS / "served.py").read_text()
    model, space = tmp_path / "model.py", tmp_path / "space.yaml"
    model.write_text(text)
    space.write_text(
        "name: edited\nmodel: model.py\nobjective: {metric: rmse, goal: minimize}\n"
        "parameters: {learning_rate: {type: float, low: 0.02, high: 0.1}, worse_from: 40}\n"
        "train: {max_steps: 40, evaluate_every: 20}\nsearch: {sampler: random, trials: 1}\nrecord: {plots: false}\n"
    )
    assert command("run", space, "--root", tmp_path, "--no-export").returncode == 0
    (trial,) = tuner.Sweep.open("edited", tmp_path).result().trials

    model.write_text(text.replace(PREDICTION, f"2.0 * ({PREDICTION})"))
    done = command("export", "edited", tmp_path / "wrong", "--root", tmp_path)
    assert done.returncode == 2 and not (tmp_path / "wrong").exists()
    assert "its text was changed since trial 0 was trained" in done.stderr
    assert f"recorded is {trial.value:.6g}" in done.stderr
    resumed = command("resume", "edited", "--trials", "2", "--root", tmp_path)
    assert "its text; the trials that are there were trained by what it was before" in resumed.stderr
    assert command("export", "edited:0", tmp_path / "wrong", "--root", tmp_path).returncode == 2
    assert command("export", "edited:1", tmp_path / "right", "--root", tmp_path).returncode == 0

    model.write_text(f"{text}\n# a remark\n")
    done = command("export", "edited:0", tmp_path / "same", "--root", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "its checkpoint evaluates to what was recorded" in done.stderr
    model.write_text(text)
    done = command("export", "edited:0", tmp_path / "back", "--root", tmp_path)
    assert done.returncode == 0 and "was changed" not in done.stderr
    assert len(models_of(tmp_path, trial.run_id)) == 2  # what another text made is a model of its own

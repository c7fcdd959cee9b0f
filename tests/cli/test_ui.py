"""What ``tuner ui`` refuses and prints; its pages are looked at in ``tests/browser``."""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.command import call, tuner
from tuner import Float, Sweep
from tuner.cli.dashboards import optuna_dashboard, tensorboard
from tuner.cli.ui import _not_there_yet
from tuner.files.paths import Root
from tuner.recorders.mlflow.ui import MlflowUi


def test_a_port_that_is_taken_is_refused_and_a_free_one_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = tuner("ui", "--port", port, "--root", tmp_path)
    assert done.returncode == 2
    near = int(done.stderr.split("--port ")[-1].rstrip(")\n"))
    assert f"--port: {port} is taken (a free one: --port {near})" in done.stderr
    assert port < near <= port + 200


def test_no_records_are_made_in_a_folder_that_has_none_below_one_that_has_some(named, monkeypatch):
    monkeypatch.setattr("tuner.recorders.mlflow.ui.MlflowUi", lambda *_: pytest.fail("it has begun"))
    monkeypatch.chdir(named / "mlruns")
    done = call("ui")
    assert (done.exit_code, done.output) == (
        2,
        f"tuner: no records under {named}/mlruns; there are some with --root ..\n",
    )


def test_a_sweep_that_is_not_there_is_refused(tmp_path):
    done = tuner("ui", "nothing", "--root", tmp_path)
    assert done.returncode == 2
    assert "no sweep 'nothing'" in done.stderr


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """An environment of its own, beside whose interpreter programs are."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.chdir(tmp_path)
    for name in ("tensorboard", "optuna-dashboard"):
        (folder / name).touch(0o755)
    return folder


def test_commands_work_in_this_shell(programs, monkeypatch, tmp_path):
    sweep = Root(tmp_path).sweep("housing")
    assert tensorboard(sweep.trials_dir) == "bin/tensorboard --logdir mlruns/sweeps/housing/trials"
    assert optuna_dashboard(sweep) == "bin/optuna-dashboard mlruns/sweeps/housing/study.journal"
    monkeypatch.setenv("PATH", str(programs))
    assert tensorboard(sweep.trials_dir) == "tensorboard --logdir mlruns/sweeps/housing/trials"
    (programs / "optuna-dashboard").unlink()
    assert optuna_dashboard(sweep) == "pip install optuna-dashboard, which is not here"


def test_a_password_of_a_storage_is_not_shown(programs, tmp_path):
    shown = optuna_dashboard(Root(tmp_path).sweep("x"), "postgresql://me:secret@host/db")
    assert "secret" not in shown
    assert "postgresql://me:PASSWORD@host/db" in shown
    assert Path(shown.split()[0]).name == "optuna-dashboard"


class Healthy(BaseHTTPRequestHandler):
    """Answer as MLflow's server does when it is ready."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_proxy_for_the_world_is_not_asked_for_this_machine(tmp_path, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{closed.getsockname()[1]}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        MlflowUi(Root(tmp_path), "sqlite:///unused", server.server_port).wait_ready(timeout_s=3)
        server.shutdown()


def test_it_says_of_how_many_trials_mlflow_has_runs_while_the_others_are_on_their_way(tmp_path):
    space = {"parameters": {"rate": Float(0, 1)}, "objective": {"metric": "rmse"}, "name": "sent"}
    space |= {"train": {"max_steps": 30, "evaluate_every": 10}, "simulation": {"task": "surface"}}
    sweep = Sweep({**space, "search": {"sampler": "random", "trials": 3}}, root=tmp_path)
    sweep.run(backend="simulated", export=False)
    assert _not_there_yet(sweep) == ""
    lines = sweep.dir.runs_file.read_text().splitlines(keepends=True)
    sweep.dir.runs_file.write_text("".join(line for line in lines if '"trial":2' not in line.replace(" ", "")))
    assert _not_there_yet(sweep) == "MLflow has 2 of 3 trials so far; send the rest with: tuner resume sent"
    sweep.dir.sent_file.write_text("10\n")
    assert _not_there_yet(sweep).startswith("MLflow has 2 of 3 trials so far, and not all of their records; ")

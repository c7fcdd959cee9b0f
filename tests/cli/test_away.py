"""Commands that read MLflow where it does not answer, or was never written to."""

import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

import tuner
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.files.paths import Root
from tuner.files.run_ids import RunIds
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.sweep import RunOptions


def made(root, recorded):
    """Make a sweep; where it is to look recorded, it says so and has a run, which nobody wrote."""
    (root / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(root / "sim.yaml", root)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    if recorded:
        text = sweep.dir.spec_file.read_text()
        assert '"record": false' in text
        sweep.dir.spec_file.write_text(text.replace('"record": false', '"record": true'))
        RunIds(sweep.dir.runs_file).remember("a" * 32)
    return sweep


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("away")
    made(folder, recorded=True)
    return folder


@pytest.fixture
def away(monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        uri = f"http://127.0.0.1:{closed.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return uri


@pytest.mark.parametrize(
    "arguments",
    [["verify", "sim"], ["ui", "sim"], ["delete", "sim"], ["export", "sim:0", "{out}", "--register", "model"]],
    ids=lambda arguments: arguments[0],
)
def test_a_server_that_is_away_is_a_line_and_status_2(arguments, root, away, tmp_path):
    from tuner.cli import delete, export, ui, verify  # noqa: F401
    from tuner.cli.app import app

    arguments = [argument.format(out=tmp_path / "out") for argument in arguments]
    done = CliRunner().invoke(app, [*arguments, "--root", str(root)])
    assert done.exit_code == 2
    first, hint = done.output.splitlines()
    assert first == f"tuner: MLflow at {away} does not answer: connection refused"
    assert hint.startswith("  ")
    assert Root(root).sweep("sim").spec_file.exists()


def test_while_a_sweep_runs_that_it_is_away_is_said_in_a_few_words(tmp_path, away):
    with pytest.raises(ConnectionError) as caught:
        MlflowRecorder(Root(tmp_path).sweep("sweep"), away).open()
    assert str(caught.value) == f"{away}: connection refused"


class Overloaded(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        self.end_headers()
        self.wfile.write(b"<html>" + b"much text " * 100)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("retries", ["0", "1"])
def test_a_server_that_answers_that_it_cannot_is_said_in_whole_words(tmp_path, monkeypatch, retries):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", retries)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR", "0")
    with ThreadingHTTPServer(("127.0.0.1", 0), Overloaded) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(ConnectionError) as caught:
            MlflowRecorder(Root(tmp_path).sweep("sweep"), uri).open()
        server.shutdown()
    assert str(caught.value).startswith(f"{uri}: ")
    assert "503" in str(caught.value)
    assert len(str(caught.value)) < 240


@pytest.mark.parametrize(("recorded", "status"), [(True, 1), (False, 0)], ids=["recorded", "record: false"])
def test_verify_makes_no_database_where_there_is_none(tmp_path, recorded, status):
    made(tmp_path, recorded)
    before = sorted(tmp_path.rglob("*"))
    command = [sys.executable, "-m", "tuner", "verify", "sim", "--root", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == status
    assert (done.stdout == "MLflow: there are no records, its database is not there\n") == recorded
    assert "alembic" not in done.stderr
    assert sorted(tmp_path.rglob("*")) == before

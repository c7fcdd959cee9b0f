"""Every command block of README.md runs as it stands there; only the sweep's steps are fewer."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (REPOSITORY / "README.md").read_text(encoding="utf-8"), re.M | re.S)
SERVERS = (" ui ", "/tensorboard ", " models serve ")  # go on until they are stopped
SET_UP = ("-m venv", "pip install", "-m pytest")  # what the tests themselves run in


def commands():
    """Return the lines of all shell blocks but the set-up."""
    lines = [line for language, text in BLOCKS if language == "sh" for line in text.splitlines()]
    parts = [" && ".join(p for p in line.split(" && ") if not any(word in p for word in SET_UP)) for line in lines]
    return [part for part in parts if part]


def test_the_readme_has_commands_and_the_set_up_is_left_out():
    found = commands()
    assert found[0] == ".venv/bin/tuner run search_spaces/housing.yaml"
    assert len(found) > 8
    assert not any("pip" in line or "venv .venv" in line for line in found)


def test_the_tests_are_run_as_ci_runs_them():
    line = next(line for language, text in BLOCKS if language == "sh" for line in text.splitlines() if "pytest" in line)
    runs = re.findall(r"python (-m pytest[^&]*)", line)
    assert len(runs) == 2
    steps = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    steps = [step.removesuffix(" --cov --cov-report=") for step in steps]  # CI counts lines, too, of the same tests
    for run in runs:
        assert any(step.startswith("step ") and step.endswith(f"$bin/python {run.strip()}") for step in steps), run


def test_the_numbers_are_those_of_runs_of_the_first_command():
    numbers = json.loads((REPOSITORY / "docs" / "readme_numbers.json").read_text(encoding="utf-8"))
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert numbers["command"] == commands()[0].removeprefix(".venv/bin/")
    assert "\n".join([*numbers["ends"], *numbers["last"]]) in text
    assert f"in {numbers['minutes']:g} minutes on {numbers['cores']}" in " ".join(text.split())
    score = f"{float(numbers['test'].split('rmse ')[1].split(',')[0]):.2f}"
    flat = " ".join(text.split())
    assert f"the best trial of the run above has {score} at the checkpoint that was exported" in flat
    assert numbers["test"].startswith(f"trial {numbers['best_trial']} at step ")
    mean = numbers["mean_predicted"]
    assert f"predicting the mean of the training rows gives {mean:.2f} there" in flat


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A folder that looks like a clone with its environment, in which sweeps take seconds."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / ".venv" / "bin").mkdir(parents=True)
    programs = Path(sys.executable).parent
    for name in ("python", "mlflow", "tensorboard", "uvicorn", "tuner"):
        start = f"{sys.executable} -m tuner" if name == "tuner" else str(programs / name)
        script = folder / ".venv" / "bin" / name
        script.write_text(f'#!/bin/sh\nexec {start} "$@"\n')
        script.chmod(0o755)
    shutil.copytree(REPOSITORY / "search_spaces", folder / "search_spaces")
    space = folder / "search_spaces" / "housing.yaml"
    text = space.read_text().replace("max_steps: 3000", "max_steps: 30").replace("every: 300", "every: 15")
    assert text != space.read_text()
    space.write_text(text)
    shutil.copytree(REPOSITORY / "tests" / "data" / "trainers" / "csv_trainer", folder, dirs_exist_ok=True)
    rows = [f"{x / 50},{1 - x / 50},{'red' if x % 3 else 'blue'},{x / 50}" for x in range(50)]
    (folder / "rows.csv").write_text("\n".join(["width,height,colour,weight", *rows, ""]))
    return folder


def environment():
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])}


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.service
def test_every_command_of_the_readme_runs(clone):
    lines = commands()
    asks = [line for line in lines if line.startswith("curl ")]  # of what the line before it serves
    for line in [line for line in lines if line not in asks]:
        if any(word in line for word in SERVERS):
            assert answers(line.split(" #")[0], clone, asks if "models serve" in line else ()), line
            continue
        done = subprocess.run(
            ["bash", "-c", line], cwd=clone, env=environment(), capture_output=True, text=True, timeout=500
        )
        assert done.returncode == 0, (line, done.stdout[-500:], done.stderr[-2000:])
    python = next(text for language, text in BLOCKS if language == "python" and "from_file" in text)
    done = subprocess.run(
        [sys.executable, "-c", python], cwd=clone, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "learning_rate" in done.stdout


def answers(line, clone, asks=()):
    """Whether a server that the line starts answers HTTP, and what is asked by other lines; it is stopped then."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (clone / "server.log").open("w")
    server = subprocess.Popen(
        ["bash", "-c", f"exec env {line} --port {port}"],
        cwd=clone,
        env=environment(),
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and server.poll() is None:
            try:
                path = "ping" if "models serve" in line else ""
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
                    return answer.status == 200 and all(is_answered(ask, line, port) for ask in asks)
            except OSError:
                time.sleep(0.3)
        raise AssertionError((clone / "server.log").read_text()[-2000:])
    finally:
        os.killpg(server.pid, signal.SIGINT if " ui " in line else signal.SIGTERM)
        server.wait(60)
        log.close()


def is_answered(ask, line, port):
    """Whether a line that asks the server of another line for a prediction gets one."""
    written = re.search(r"--port (\d+)", line)[1]
    done = subprocess.run(["bash", "-c", ask.replace(written, str(port))], capture_output=True, text=True, timeout=120)
    (prediction,) = json.loads(done.stdout)["predictions"]
    return 0.0 <= prediction["value"] < 5.1 and prediction["text"].startswith("$")


@pytest.mark.slow
@pytest.mark.tf
def test_the_model_and_the_search_space_of_the_readme_are_good(tmp_path):
    model = next(text for language, text in BLOCKS if language == "python" and "def model_fn" in text)
    (tmp_path / "model.py").write_text(model)
    (tmp_path / "space.yaml").write_text(next(text for language, text in BLOCKS if language == "yaml"))
    line = [sys.executable, "-m", "tuner", "check", str(tmp_path / "space.yaml")]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "ok"

"""No secret of a sweep stands anywhere that others can read: files, databases, pages, logs, the list of processes."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.services.postgres import free_port, postgres

pytestmark = [pytest.mark.slow, pytest.mark.service]

HERE = Path(__file__).parents[1]
SECRETS = {
    "of the storage": "s70rage-pa55word",
    "of mlflow": "ml-f10w-pa55word",
    "of a flag": "k3y-0f-a-flag",
    "of the next word": "t0k3n-0f-the-next-word",
    "of a constant": "c0nstant-pa55word",
    "of an exception": "3xception-pa55word",
}
TRAINER = """
import sys, time
from pathlib import Path
flags = sys.argv[1:]
assert "--api-key=k3y-0f-a-flag" in flags and "t0k3n-0f-the-next-word" in flags, flags
assert "--db_password=c0nstant-pa55word" in flags, flags
print("called with", flags)
sys.argv = ["write", flags[0] + "/eval", "rmse", "1=1", "2=0.5"]
exec(compile(Path("WRITE").read_text(), "write", "exec"))
time.sleep(0.3)
if "--number=1" in flags:
    raise ValueError("http://me:3xception-pa55word@host/x refused k3y-0f-a-flag")
"""


class Processes(threading.Thread):
    """Collects the arguments of every process that there is meanwhile; the driver's when it has begun."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen = set()
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            for process in psutil.process_iter(["pid", "create_time", "cmdline"]):
                line, age_s = " ".join(process.info["cmdline"] or []), time.time() - process.info["create_time"]
                if age_s > 3.0 or "-m tuner run" not in line:  # what was typed stands there until it was read
                    self.seen.add(line)
            time.sleep(0.1)


def found(text):
    return [name for name, secret in SECRETS.items() if secret in text]


def readable_by_others(folder, given):
    """Yield each file below a folder that its owner is not alone to read, with its text; not those that were given."""
    for file in folder.rglob("*"):
        if file.is_file() and file.stat().st_mode & 0o077 and file.name not in given:
            yield str(file.relative_to(folder)), file.read_bytes().decode("latin-1")


def contents(url):
    """Return all rows of all tables of a database, as text."""
    from sqlalchemy import MetaData, create_engine

    engine, tables = create_engine(url), MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        return {name: str(connection.execute(table.select()).all()) for name, table in tables.tables.items()}


def test_six_secrets_of_a_sweep_stand_in_no_file_database_page_log_or_argument(tmp_path, root):
    (tmp_path / "trainer.py").write_text(TRAINER.replace("WRITE", str(HERE / "script" / "write_events.py")))
    (tmp_path / "given.yaml").write_text(
        "name: hiding\nobjective: {metric: rmse}\n"
        "parameters: {rate: {type: categorical, choices: [1, 2]}, db_password: c0nstant-pa55word}\n"
        "search: {sampler: random, trials: 2}\n"
    )
    with postgres() as url:
        # The server trusts whoever connects, with a password or without.
        storage = url.replace("tuner@", f"tuner:{SECRETS['of the storage']}@")
        mlflow = url.replace("tuner@", f"tuner:{SECRETS['of mlflow']}@").removesuffix("/tuner") + "/mlflow"
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "MLFLOW_TRACKING_URI": mlflow}
        said = []

        def tuner(*arguments):
            command = [sys.executable, "-m", "tuner", *map(str, arguments[:1]), "--root", str(root), *arguments[1:]]
            done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
            said.append((arguments[0], done.stdout + done.stderr))
            return done

        processes = Processes()
        processes.start()
        command = [
            "{trial_dir}",
            "--number={trial}",
            "--api-key=" + SECRETS["of a flag"],
            "--token",
            SECRETS["of the next word"],
        ]
        options = ["--storage", storage, "--tag", f"api_token={SECRETS['of a flag']}"]
        ran = tuner("run", "given.yaml", *options, "--", "python", "trainer.py", *command)
        assert ran.returncode == 0, ran.stderr
        assert "trial 1: FAIL" in ran.stderr
        assert tuner("resume", "hiding", "--trials", "3").returncode == 0  # the trainer looks whether it is told all
        for arguments in (("show", "hiding"), ("logs", "hiding:1")):
            tuner(*arguments)
        tuner("report", "hiding", str(tmp_path / "report.html"))
        port = free_port()
        with subprocess.Popen(
            [sys.executable, "-m", "tuner", "ui", "hiding", "--root", str(root), "--port", str(port)],
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        ) as ui:
            lines = [ui.stdout.readline() for _ in range(5)]
            time.sleep(1.2)
            ui.terminate()
        said.append(("ui", "".join(lines)))
        processes.over.set()
        processes.join()
        tables = {**contents(storage), **{f"mlflow {name}": text for name, text in contents(mlflow).items()}}

    assert not {name: found(text) for name, text in said if found(text)}
    assert not {
        name: found(text) for name, text in readable_by_others(tmp_path, {"trainer.py", "given.yaml"}) if found(text)
    }
    assert not {name: found(text) for name, text in tables.items() if found(text)}
    assert not found((tmp_path / "report.html").read_text())
    assert any("tuner.recorders.child" in line for line in processes.seen)
    assert not {line: found(line) for line in processes.seen if found(line)}
    private = root / "mlruns/sweeps/hiding/private.json"
    assert private.stat().st_mode & 0o777 == 0o600
    assert found(private.read_text()) == ["of a flag", "of the next word", "of a constant"]

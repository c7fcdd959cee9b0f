"""Records that this user may not write, or not even read."""

import os
import shutil
import subprocess
import sys

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.recorders.mlflow.store import is_there
from tuner.sweep import RunOptions

WITHOUT_RIGHTS = ["setpriv", "--inh-caps=-all", "--bounding-set=-all"] if os.getuid() == 0 else []
DENIED = "its owner, mode or file system forbids it"


def call(root, *arguments):
    """Run a command as one whom the rights of files bind, root too."""
    if WITHOUT_RIGHTS and shutil.which("setpriv") is None:
        pytest.skip("rights are not tested: run the tests as another user than root, or install setpriv (util-linux)")
    command = [*WITHOUT_RIGHTS, sys.executable, "-m", "tuner", *arguments, "--root", str(root)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def change(folder, mode):
    subprocess.run(["chmod", "-R", mode, str(folder)], check=True)


@pytest.fixture
def root(tmp_path):
    """Two simulated sweeps, ``sim`` and ``other``, of which trial 0 of the first has a log."""
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    for name in ("sim", "other"):
        sweep = tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path, name)
        sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    log = tmp_path / "mlruns/sweeps/sim/trials/0000/log.txt"
    log.parent.mkdir()
    log.write_text("a line\n")
    yield tmp_path
    change(tmp_path, "u+rwX")


def test_records_that_may_only_be_read_are_read_and_what_cannot_be_written_is_said(root):
    change(root, "a-w")
    looks = ["list", "show sim", "show sim:0", "best sim", "compare sim other", "importance sim", "logs sim:0 -f"]
    for line in [*looks, "watch sim", "verify sim", "delete sim --dry-run"]:
        done = call(root, *line.split())
        assert (done.returncode, "tuner: " in done.stderr) == (0, False), (line, done)
    done = call(root, "delete", "sim")
    assert done.returncode == 2
    assert f"cannot write to {root}/mlruns/sweeps/sim/driver.lock: {DENIED}\n  change its owner" in done.stderr


def test_a_sweep_that_may_not_be_read_hides_no_other_and_is_not_called_damaged(root):
    file = root / "mlruns/sweeps/sim/sweep.json"
    for hidden in (file, file.parent):
        hidden.chmod(0)
        listed = call(root, "list", "--format", "csv")
        assert listed.returncode == 0
        assert f"cannot read {file}: {DENIED}" in listed.stdout and "other,finished" in listed.stdout
        done = call(root, "show", "sim")
        assert done.returncode == 2 and f"tuner: cannot read {file}: {DENIED}\n" in done.stderr
        assert call(root, "show", "othr").stderr.endswith("(did you mean 'other'? sweeps here: other, sim)\n")
        hidden.chmod(0o700)


def test_a_database_that_may_not_be_read_is_refused_rather_than_tried_again(tmp_path, monkeypatch):
    assert not is_there(f"sqlite:///{tmp_path}/mlflow.db")

    def refuses(*_, **__):
        raise PermissionError

    (tmp_path / "mlflow.db").touch()
    assert is_there(f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr("pathlib.Path.open", refuses)
    with pytest.raises(PermissionError):
        is_there(f"sqlite:///{tmp_path}/mlflow.db")

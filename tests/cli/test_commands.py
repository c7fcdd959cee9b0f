"""The command line as people and scripts use it."""

import csv
import io
import json
import subprocess
import sys

import pytest

from tests.cli.command import tuner


def test_help_loads_neither_tensorflow_nor_mlflow_nor_optuna():
    code = (
        "import sys; sys.argv = ['tuner', '--help']\nfrom tuner.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = ('tensorflow', 'mlflow', 'optuna', 'pandas', 'numpy', 'pydantic', 'ruamel')\n"
        "print([name for name in heavy if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "[]"
    for name in ("run", "resume", "stop", "list", "show", "logs", "best", "check", "verify", "init"):
        assert name in done.stdout


def test_the_version_is_shown():
    from tuner._version import __version__

    assert tuner("--version").stdout == f"tuner {__version__}\n"


def test_public_names_and_all_agree():
    import tuner as package

    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package._HOMES) | {"__version__"} == set(package.__all__)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["show", "nothing"], "no sweep 'nothing'"),
        (["logs", "housing:7"], "no sweep 'housing'"),
        (["verify", "housing:7"], "found the trial 'housing:7', expected a sweep (type: tuner verify housing;"),
        (["best", "../x"], "cannot name a sweep"),
        (["run", "{space}", "--set", "train.max_stepz=3"], "unknown key 'max_stepz' (did you mean 'max_steps'?)"),
        (["run", "{space}", "--timeout", "soon"], "--timeout: expected a duration"),
        (["run", "{space}", "--tag", "tuner.x=1"], "begins with a name that is taken"),
        (["run", "{space}", "--tag", "x"], "expected KEY=VALUE"),
        (
            ["run", "{space}", "--tag", "a@b=1"],
            "--tag: MLflow takes no tag with the key 'a@b', expected letters, digits",
        ),
        (["run", "{space}", "--backend", "moon"], "unknown backend 'moon'"),
        (["run", __file__], "is a Python file, expected a search space file (YAML)"),
    ],
)
def test_a_mistake_is_a_line_without_a_traceback_and_status_2(arguments, expected, space_file, tmp_path):
    done = tuner(*[str(a).format(space=space_file()) for a in arguments], cwd=tmp_path)
    assert done.returncode == 2
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_run_show_best_list_logs_and_verify_agree(space_file, root):
    done = tuner("run", space_file(), "--root", root, "--trials", 2, "--workers", 1, "--seed", 4)
    assert done.returncode == 0, done.stderr
    rows = json.loads(tuner("show", "tiny", "--root", root, "--format", "json").stdout)
    assert [set(row) for row in rows] == [
        {"trial", "state", "reason", "params", "values", "step", "seconds", "run_id", "trial_dir"}
    ] * 2
    best = json.loads(tuner("best", "tiny", "--root", root, "--format", "json").stdout)
    wanted = min(rows, key=lambda row: row["values"]["rmse"])
    assert best == {**wanted, "exported_step": best["exported_step"]}
    assert best["exported_step"] in (20, 40, 60)
    table = list(csv.DictReader(io.StringIO(tuner("show", "tiny", "--root", root, "--format", "csv").stdout)))
    assert [float(row["values.rmse"]) for row in table] == [row["values"]["rmse"] for row in rows]
    (sweep,) = json.loads(tuner("list", "--root", root, "--format", "json").stdout)
    assert (sweep["sweep"], sweep["state"], sweep["complete"]) == ("tiny", "finished", 2)
    assert "Saving dict for global step 60" in tuner("logs", "tiny:1", "--root", root).stdout
    verified = tuner("verify", "tiny", "--root", root)
    assert (verified.returncode, verified.stderr) == (0, "")

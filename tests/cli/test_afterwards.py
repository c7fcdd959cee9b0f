"""A sweep as people read it afterwards: MLflow's pages, plots, report, comparison."""

import csv
import io
import json
import subprocess
import sys

import pytest

from tuner.files.paths import Root
from tuner.files.run_ids import parent_run_id, run_ids

pytestmark = pytest.mark.slow


def tuner(*arguments, status=0):
    command = [sys.executable, "-m", "tuner", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == status, done.stderr
    return done


def test_a_sweep_leaves_pages_plots_and_files_and_commands_draw_and_compare_it(space_file, root, tmp_path):
    import mlflow
    import pandas

    parameters = "learning_rate: {type: float, low: 0.001, high: 0.1, log: true}\nunits: {type: int, low: 1, high: 9}"
    file = space_file(parameters, search="{sampler: random, trials: 5}", record="{training: [loss]}")
    file.write_text(file.read_text() + "description: Which **rate** is best?\n")
    tuner("run", file, "--root", root, "--tag", "team=houses")
    sweep_dir = Root(root).sweep("tiny")
    client = mlflow.MlflowClient(f"sqlite:///{root}/mlflow.db")
    parent = client.get_run(parent_run_id(sweep_dir))
    assert "Which **rate** is best?" in parent.data.tags["mlflow.note.content"]
    assert "5 complete" in parent.data.tags["mlflow.note.content"]
    assert parent.data.tags["team"] == "houses"
    files = {entry.path for entry in client.list_artifacts(parent.info.run_id)}
    assert files == {"search_space.yaml", "trials.csv", "trials.parquet", "report.html", "plots"}
    plots = {entry.path for entry in client.list_artifacts(parent.info.run_id, "plots")}
    names = ("history", "learning_curves", "importance", "slices", "parallel_coordinates")
    assert plots == {f"plots/{name}.{ending}" for name in names for ending in ("png", "html")}
    folder = root / "mlruns" / parent.info.run_id / "artifacts"
    assert len(pandas.read_parquet(folder / "trials.parquet")) == len(pandas.read_csv(folder / "trials.csv")) == 5
    for run_id in run_ids(sweep_dir).values():
        run = client.get_run(run_id)
        assert {"eval/rmse", "best/rmse", "train/loss", "objective"} <= set(run.data.metrics)
        assert set(run.data.params) == {"learning_rate", "units"}
        assert run.data.tags["team"] == "houses"
        assert {f.path for f in client.list_artifacts(run_id)} >= {"evaluations.csv", "job.json", "log.txt"}
    assert tuner("verify", "tiny", "--root", root).stderr == ""

    written = tuner("plot", "tiny", tmp_path / "plots", "--root", root).stdout.split()
    assert len(written) == 10
    tuner("report", "tiny", tmp_path / "tiny.html", "--root", root)
    assert "https://" not in (tmp_path / "tiny.html").read_text()
    rows = json.loads(tuner("compare", "tiny:0", "tiny:3", "--root", root, "--format", "json").stdout)
    assert [row["name"] for row in rows] == ["tiny:0", "tiny:3"]
    assert rows[0]["metrics"]["rmse"] == rows[0]["values"]["rmse"]
    page = tmp_path / "compared.html"
    shown = tuner("compare", "tiny:0", "tiny:3", "tiny", "--root", root, "--html", page).stdout
    assert "learning_rate" in shown and "objective rmse" in shown
    assert "learning_rate" in page.read_text()
    table = csv.DictReader(io.StringIO(tuner("compare", "tiny", "--root", root, "--format", "csv").stdout))
    assert next(table)["settings.sampler"] == "random"
    assert "has no trial '9'" in tuner("compare", "tiny:9", "--root", root, status=2).stderr
    assert "no sweep 'other'" in tuner("plot", "other", tmp_path, "--root", root, status=2).stderr

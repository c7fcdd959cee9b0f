"""Metrics of the machine."""

from dataclasses import replace

from tests.recorders.mlflow.sending import OPENED, read, trial, write
from tuner.files.run_ids import RunIds


def test_metrics_of_the_machine_are_on_the_sweep_where_they_are_asked_for(sweep_dir, client):
    write(sweep_dir, [replace(OPENED, options={"system_metrics": True, "plots": False}), *trial(0, [1.0])])
    metrics = client.get_run(RunIds(sweep_dir.runs_file).parent).data.metrics
    assert "system/cpu_utilization_percentage" in metrics
    assert not any(name.startswith("system/") for name in read(sweep_dir).metrics)

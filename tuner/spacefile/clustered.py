"""Trials that are TensorFlow clusters: what the file says of their tasks, and what does not go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tuner.errors import Problem
from tuner.spec import ClusterSettings, TrainSettings


def read_cluster(
    values: Mapping[str, Any], train: TrainSettings | None, scripted: bool, problems: list[Problem]
) -> ClusterSettings | None:
    """Return the tasks that each trial has, or None where a trial is one process; adds what contradicts itself."""
    value = values.get("cluster")
    if value is None:
        return None
    cluster = ClusterSettings(**value)
    if scripted:
        message = "makes clusters of trials of a model, and there is a command"
        hint = "leave it out and let the command start its own tasks, or give a model"
        problems.append(Problem("cluster", message, hint))
    if cluster.workers and not cluster.ps:
        message = f"is 0, and the workers beside the chief ({cluster.workers}) share their variables through a ps"
        hint = "expected at least 1; several GPUs of one host without a ps: MirroredStrategy, see docs/clusters.md"
        problems.append(Problem("cluster.ps", message, hint))
    if not cluster.evaluator:
        message = "is false, and in a cluster train_and_evaluate leaves evaluations to the evaluator: nothing would"
        problems.append(Problem("cluster.evaluator", f"{message} be reported", "leave it out, or set it to true"))
    if train is not None and train.checkpoint_input is True:
        message = "is true, and the tasks of a cluster read their inputs at a pace of their own"
        problems.append(Problem("train.checkpoint_input", message, "leave it out"))
    return cluster

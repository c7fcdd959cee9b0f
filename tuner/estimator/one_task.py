"""A TF_CONFIG whose cluster is this process alone: Estimators take it for what it is, one machine.

AI Platform told a trainer on one machine that it is the ``master`` of a cluster of one, and trainers that
export or save in one task only look for that (or for ``chief``, which some of them make of it). An
Estimator of such a cluster has no result of ``train_and_evaluate``, or, as chief, no evaluations at all, and
refuses distribution strategies. So its RunConfig is that of one machine, with the task's type as it was told.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tuner.estimator.patch import patched

_NAME = "TF_CONFIG"
_TRAINS = ("master", "chief", "worker")


def tf_config(trial: int) -> str:
    """Return the TF_CONFIG of AI Platform for a job on one machine; its trials are counted from 1."""
    said = {
        "cluster": {"master": ["127.0.0.1:2222"]},
        "environment": "cloud",
        "job": {},
        "task": {"type": "master", "index": 0, "trial": str(trial + 1)},
    }
    return json.dumps(said)


def sole_task(config: str) -> str:
    """Return the type of the task that a TF_CONFIG's cluster consists of; empty if there are others, or none."""
    try:
        said = json.loads(config or "{}")
        (nodes,) = said["cluster"].values()
        kind = said["task"]["type"]
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""
    return kind if len(nodes) == 1 and kind in _TRAINS and kind in said["cluster"] else ""


@contextmanager
def run_configs_of_one_machine() -> Iterator[None]:
    """Let the RunConfigs that are made meanwhile be those of one machine if the cluster is this process alone."""

    def make(original: Callable[..., None], config: Any, *args: Any, **kwargs: Any) -> None:
        told = os.environ.get(_NAME, "")
        kind = sole_task(told)
        if not kind:
            original(config, *args, **kwargs)
            return
        alone = {key: value for key, value in json.loads(told).items() if key not in ("cluster", "task")}
        os.environ[_NAME] = json.dumps(alone)
        try:
            original(config, *args, **kwargs)
        finally:
            os.environ[_NAME] = told
        config._task_type = kind

    with patched("tensorflow_estimator.python.estimator.run_config:RunConfig.__init__", "one_task", make):
        yield

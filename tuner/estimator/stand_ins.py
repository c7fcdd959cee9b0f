"""The modules that stand for what the Estimator package imports and TensorFlow from 2.16 on does not have.

``STAND_INS`` in ``patch.py`` says of each why it is enough.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any, TypeVar

from tuner.estimator.patch import STAND_INS

T = TypeVar("T")


def put_in_place() -> None:
    """Let the Estimator package find what it imports; what is there already stays."""
    made = {"estimator_training": _estimator_training, "estimator_export": _export_decorator}
    for entry in STAND_INS:
        if not entry.refuses:
            sys.modules.setdefault(entry.module, made[entry.module.rpartition(".")[2]](entry.module))
        elif entry.module not in sys.modules and importlib.util.find_spec(entry.module) is None:
            sys.modules[entry.module] = _RefusingModule(entry.module)


def _estimator_training(name: str) -> ModuleType:
    """Make the distribute coordinator's module: it never has anything to do."""
    module = ModuleType(name)

    def init_run_config(config: Any, tf_config: Any) -> None:
        """Set up a RunConfig that has distribution strategies, for one machine or between-graph clusters."""
        experimental = config._experimental_distribute
        for role in ("train_distribute", "eval_distribute"):
            strategy = getattr(experimental, role, None)
            if strategy and getattr(config, f"_{role}"):
                raise ValueError(f"{role} and experimental_distribute.{role} are both set, expected one of them")
            if strategy:
                setattr(config, f"_{role}", strategy)
        # A cluster with a master never had the coordinator: each task's strategy is that of its own machine.
        jobs = (tf_config or {}).get("cluster") or {}
        coordinated = (jobs and "master" not in jobs) or getattr(experimental, "remote_cluster", None)
        if config._train_distribute and coordinated:
            raise ValueError(
                "train_distribute over a TF_CONFIG cluster needs TensorFlow 2.15, which has the distribute "
                "coordinator; leave train_distribute out (workers and ps then train asynchronously), or use one machine"
            )
        config._distribute_coordinator_mode = None
        config._init_distributed_setting_from_environment_var(tf_config)
        config._maybe_overwrite_session_config_for_distributed_training()

    def should_run_distribute_coordinator(config: Any) -> bool:
        """Say no: train_and_evaluate's own executor runs all tasks."""
        del config
        return False

    module.init_run_config = init_run_config  # type: ignore[attr-defined]
    module.should_run_distribute_coordinator = should_run_distribute_coordinator  # type: ignore[attr-defined]
    return module


def _export_decorator(name: str) -> ModuleType:
    """Make the module of ``estimator_export``, a decorator that returns what it is given."""

    class estimator_export:  # noqa: N801 - the package's name
        """Take names of the API and do nothing with them."""

        def __init__(self, *names: str, v1: Sequence[str] | None = None) -> None:
            del names, v1

        def __call__(self, subject: T) -> T:
            return subject

        def export_constant(self, module_name: str, name: str) -> None:
            """Do nothing."""

    module = ModuleType(name)
    module.estimator_export = estimator_export  # type: ignore[attr-defined]
    return module


class _RefusingModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Refusing(name, (), {"__doc__": "Not supported: TensorFlow 2.16 and later do not have it."})


class _Refusing(type):
    """The type of what stands for a TPU name: it may be imported, but neither called nor looked into."""

    def __call__(cls, *_args: Any, **_kwargs: Any) -> Any:
        raise NotImplementedError(cls._refusal())

    def __getattr__(cls, name: str) -> Any:
        raise AttributeError(name if name.startswith("_") else cls._refusal())

    def _refusal(cls) -> str:
        return (
            f"{cls.__name__}: TPUs and their embeddings are not supported, they need TensorFlow 2.15 or older; "
            "TPUEstimator(use_tpu=False) trains on CPUs and GPUs"
        )

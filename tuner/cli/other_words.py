"""What people type who know other tools, and what it is called here."""

from __future__ import annotations

from collections.abc import Mapping

KEYS: Mapping[str, str] = {
    "sampler": "search.sampler",
    "algorithm": "search.sampler",
    "method": "search.method",
    "scheduler": "search.scheduler",
    "pruner": "search.scheduler",
    "max-steps": "train.max_steps",
    "steps": "train.max_steps",
    "train-steps": "train.max_steps",
    "num-steps": "train.max_steps",
    "evaluate-every": "train.evaluate_every",
    "eval-every": "train.evaluate_every",
    "eval-steps": "train.evaluate_every",
    "save-checkpoints-steps": "train.evaluate_every",
    "metric": "objective.metric",
    "objective": "objective.metric",
    "goal": "objective.goal",
    "direction": "objective.goal",
    "mode": "objective.goal",
    "retries": "search.retries",
    "max-retries": "search.retries",
    "repeats": "search.repeats",
    "nan": "search.nan",
    "max-failed-trials": "search.max_failed_trials",
    "model": "model",
}
"""Options that people try, and the key of the search space file that they mean."""

OPTIONS: Mapping[str, str] = {
    "n-trials": "--trials",
    "num-trials": "--trials",
    "max-trials": "--trials",
    "num-samples": "--trials",
    "count": "--trials",
    "jobs": "--workers",
    "n-jobs": "--workers",
    "parallel": "--workers",
    "concurrency": "--workers",
    "max-parallel-trials": "--workers",
    "parallel-trials": "--workers",
    "experiment": "--name",
    "experiment-name": "--name",
    "study-name": "--name",
    "study": "--name",
    "project": "--name",
    "random-seed": "--seed",
    "output-dir": "--root",
    "out-dir": "--root",
    "job-dir": "--root",
    "logdir": "--root",
    "dir": "--root",
    "model-dir": "--root",
    "db": "--storage",
    "database": "--storage",
    "time": "--timeout",
    "max-time": "--timeout",
    "max-duration": "--timeout",
    "warm-start": "--from",
    "tags": "--tag",
    "executor": "--backend",
    "json": "--format json",
    "csv": "--format csv",
    "output": "--format",
    "order-by": "--sort",
    "sort-by": "--sort",
    "limit": "--top",
    "head": "--top",
    "filter": "--where",
    "query": "--where",
    "tail": "--follow",
    "v": "--version",
    "verbose": "--debug",
    "traceback": "--debug",
}
"""Options that people try, and what ours is called."""

BEGUN = ("tuner resume", "tuner retry")
"""Commands that go on with a sweep."""

ONE_NAME = tuple(
    f"tuner {name}"
    for name in (
        "delete",
        "resume",
        "stop",
        "logs",
        "retry",
        "importance",
        "ui",
        "rerun",
        "export",
        "plot",
        "report",
        "curves",
    )
)
"""Commands that take one sweep or trial, and are not of looking at several."""

OF_RUN = ("set", "seed", "name", "from", "tag", "storage")
"""Options of run alone: what a sweep is, is said when it begins."""

SHORT: Mapping[str, str] = {"n": "--trials", "j": "--workers", "p": "--workers", "o": "--root", "v": "--version"}
"""Letters that other tools have for what is written whole here."""

ANSWERS: Mapping[str, Mapping[str, str]] = {
    "tuner delete": dict.fromkeys(
        ("y", "yes", "f", "force", "r", "rf"), "it asks nothing, so leave that out; what would go is said by --dry-run"
    )
    | dict.fromkeys(("a", "all"), "it takes one NAME at a time; all of them: tuner list"),
    "tuner stop": dict.fromkeys(("a", "all"), "it takes one NAME at a time; all of them: tuner list"),
    "tuner run": dict.fromkeys(
        ("config", "c", "file", "f", "space", "search-space", "yaml"), "the file stands alone: tuner run SPACE.yaml"
    )
    | dict.fromkeys(
        ("load-if-exists", "skip-if-exists", "resume", "continue"),
        "leave it out: a sweep of that name that is there is continued",
    )
    | dict.fromkeys(("dry-run", "dryrun"), "what can be tried without a sweep: tuner check SPACE.yaml")
    | dict.fromkeys(
        ("simulate", "simulated", "simulation"),
        "with simulation: in the file, type: tuner run SPACE.yaml --backend simulated",
    ),
    "tuner ui": dict.fromkeys(
        ("host", "bind", "address"),
        "it listens on this machine alone; from another one: ssh -L 5000:127.0.0.1:5000 THIS_MACHINE",
    ),
    "tuner logs": dict.fromkeys(("n", "lines", "tail"), "the last lines: tuner logs NAME:N | tail -n 20"),
    "tuner check": dict.fromkeys(
        ("trials", "workers", "name", "seed", "timeout", "trial-timeout", "backend", "storage", "from", "tag"),
        "it tries one step and records nothing: leave that out",
    ),
    "tuner best": {
        "trial": "a trial: tuner show NAME:N",
        **dict.fromkeys(
            ("top", "n", "k", "limit", "sort", "where"), "several: tuner show NAME --sort METRIC --top N --where EXPR"
        ),
    },
    "tuner retry": {"trial": "one trial: tuner retry NAME:N"},
    "tuner list": {
        **dict.fromkeys(
            ("all", "a", "l", "long"), "it lists all sweeps under the root; of one, its trials: tuner show NAME"
        ),
        **dict.fromkeys(
            ("sort", "top", "where", "order-by", "sort-by", "limit", "filter", "query"),
            "that is of trials: tuner show NAME; to sort sweeps: tuner list --format csv",
        ),
    },
    "tuner verify": dict.fromkeys(("fix", "repair"), "it only looks, and says what to do about what it finds"),
    "tuner importance": dict.fromkeys(
        ("metric", "objective", "target"), "it is told for each objective; leave that out"
    ),
}
"""Of a command, options that people try, and what is said to them."""

COMMANDS: Mapping[str, str] = {
    "tune": "run",
    "start": "run",
    "train": "run",
    "fit": "run",
    "search": "run",
    "sweep": "run",
    "optimize": "run",
    "agent": "run",
    "continue": "resume",
    "restart": "resume",
    "ls": "list",
    "sweeps": "list",
    "ps": "list",
    "status": "list",
    "trials": "show",
    "results": "show",
    "result": "show",
    "describe": "show",
    "get": "show",
    "info": "show",
    "log": "logs",
    "tail": "logs",
    "rm": "delete",
    "remove": "delete",
    "clean": "delete",
    "purge": "delete",
    "kill": "stop",
    "cancel": "stop",
    "abort": "stop",
    "pause": "stop",
    "monitor": "watch",
    "follow": "watch",
    "attach": "watch",
    "serve": "export",
    "deploy": "export",
    "save": "export",
    "mlflow": "ui",
    "tensorboard": "ui",
    "dashboard": "ui",
    "open": "ui",
    "new": "init",
    "create": "init",
    "validate": "check",
    "lint": "check",
    "test": "check",
    "diff": "compare",
    "importances": "importance",
    "convert": "import",
    "graph": "plot",
    "charts": "plot",
    "create-study": "run",
    "studies": "list",
    "experiments": "list",
    "runs": "list",
    "history": "list",
    "jobs": "list",
    "delete-study": "delete",
    "best-trial": "best",
    "best-trials": "best",
    "compute-importance": "importance",
    "simulate": "run SPACE.yaml --backend simulated",
    "replay": "rerun",
    "reproduce": "rerun",
}
"""Commands that people try, and what ours is called."""

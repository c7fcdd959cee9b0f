"""Sweeps drawn at random: what their search space file says, how often they are interrupted, in what way."""

import random
from dataclasses import dataclass, replace
from importlib.util import find_spec

from ruamel.yaml import YAML

SAMPLERS = ("random", "random", "tpe", "tpe", "qmc", "nsgaii", "cmaes", "gp", "grid")
NEEDS = {"qmc": "scipy", "cmaes": "cmaes", "gp": "torch"}
SCHEDULERS = (
    "none",
    "{name: median, startup_trials: 2}",
    "{name: percentile, percentile: 40, startup_trials: 1, warmup_steps: 10}",
    "{name: patience, patience: 2}",
    "asha",
    "{name: asha, eta: 2}",
    "{name: asha_stopping, eta: 2}",
    "{name: hyperband, eta: 2}",
    "{name: pbt, population: 3, quantile: 0.4}",
)
STRIDE = 5  # real trials train fewer steps: each counts as so many of the formula's
PARAMETERS = """
  x: {type: float, low: 0.0, high: 1.0, step: 0.25}
  k: {type: int, low: 0, high: 3}
  c: {type: categorical, choices: [a, b]}
  m: {type: float, low: 0.0, high: 1.0, step: 0.5, when: {c: b}}
"""


@dataclass(frozen=True)
class Case:
    """A sweep.

    Attributes:
        text: Its search space file, without name and model.
        recorded: Whether MLflow holds it too.
        interruptions: How each call but the last ends: ``stop`` as by Ctrl-C, ``die`` as by kill -9; after how
            many lines.
        calm: Whether a sweep that is interrupted ends as one that is not, to the last bit.
        database: Whether its study is on a database, which drivers may share.
        joins: After how many lines of each call a second driver joins, and after how many of its own it dies; or None.
    """

    number: int
    text: str
    recorded: bool = False
    interruptions: tuple[tuple[str, int], ...] = ()
    calm: bool = True
    database: bool = False
    joins: tuple[int, int] | None = None


def draw(number, backend="simulated", mlflow_share=0.05):
    """Return the case of a number: a simulated sweep, or one whose trials train a real Estimator a few steps."""
    chance = random.Random(number)
    pick, real = chance.choice, backend == "inline"
    every = pick([3, 4]) if real else pick([5, 7, 10])
    steps = pick([8, 9, 12]) if real else pick([30, 41, 60])
    scheduler, sampler = pick(SCHEDULERS), pick(SAMPLERS)
    single = any(name in scheduler for name in ("asha}", "asha,", "hyperband", "pbt")) or scheduler == "asha"
    sampler = sampler if find_spec(NEEDS.get(sampler, "random")) else "random"
    several = sampler != "cmaes" and chance.random() < 0.2
    repeats = 1 if single or several else pick([1, 1, 1, 2, 3])
    workers = 1 if real else pick([1, 1, 1, 2, 5])
    odd = pick(["none", "none", "nan", "inf"])
    trials = chance.randint(3, 5) if real else chance.randint(3, 14)
    failures = 0.0 if real else pick([0.0, 0.0, 0.15])
    stragglers = 0.0 if real else pick([0.0, 0.0, 0.3])
    reaction = 0.0 if real else pick([0.0, 0.0, 0.2])
    freezes = not (several or real) and number % 6 == 5  # the method brings its own sampler and scheduler
    budget = pick([""] * 7 + ["target: 0.4", "plateau: 4", f"steps: {steps * 3}"])
    limit = "" if real else pick([""] * 9 + ["0.9s"])
    enqueued = pick([""] * 4 + ["[{x: 0.25, k: 1}, {c: b, m: 1.0}]"]) if sampler != "grid" else ""
    rank = ", rank: nondominated" if several and chance.random() < 0.5 and scheduler != "none" else ""
    if rank:
        scheduler = f"{scheduler[:-1]}{rank}}}" if scheduler.endswith("}") else f"{{name: {scheduler}{rank}}}"
    search = [
        *(["method: freeze_thaw"] if freezes else [f"sampler: {sampler}", f"scheduler: {scheduler}"]),
        f"trials: {trials}",
        f"seed: {chance.randint(0, 9)}",
        f"workers: {workers}",
        f"nan: {pick(['fail', 'worst'])}",
        f"repeats: {repeats}",
        "max_consecutive_failures: 100",
        f"retries: {pick([0, 1, 3])}",
        *([f"budget: {{{budget}}}"] if budget else []),
        *([f"trial_timeout: {limit}"] if limit else []),
        *([f"enqueue: {enqueued}"] if enqueued else []),
        *(["max_checkpoint_bytes: 1kB"] if real and chance.random() < 0.4 else []),
    ]
    text = (
        f"objective: {_objectives(chance, several)}\n"
        f"parameters:{PARAMETERS}  odd: {odd}\n"
        + f"  stride: {STRIDE}\n"
        * real
        + f"train: {{max_steps: {steps}, evaluate_every: {every}}}\n"
        f"search: {{{', '.join(search)}}}\n"
    )
    if not several and chance.random() < 0.25:
        bound = pick(["max: 1.5", "max: 2.5", "min: 1.5", "min: 2.5"])
        text += f"constraints: {{size: {{{bound}, of: {_of(chance)}}}}}\n"
    recorded = real or chance.random() < mlflow_share
    if not real:
        behaviour = f"failures: {failures}, stragglers: {{share: {stragglers}}}, event_files: {pick(['true', 'false'])}"
        behaviour += f", reaction: {reaction}s" if reaction else ""
        text += f"simulation: {{task: surface, {behaviour}, record: {str(recorded).lower()}}}\n"
    lines = trials * 2
    interruptions = [(pick(["stop", "die"]), chance.randint(1, lines)) for _ in range(pick([0, 0, 1, 2, 4]))]
    calm = workers == 1 and not failures and not (budget or limit)
    database = not real and number % 7 == 3
    joins = (chance.randint(1, lines), chance.randint(1, lines)) if database and chance.random() < 0.7 else None
    return Case(number, text, recorded, tuple(interruptions), calm and not joins, database, joins)


def draw_command(number):
    """Return the case of a number whose trials are commands without TensorFlow and without checkpoints."""
    case = draw(number, "inline")
    text = case.text.replace(
        "scheduler: {name: pbt, population: 3, quantile: 0.4}", "scheduler: asha"
    )  # no checkpoints
    train = YAML(typ="safe").load(text)["train"]
    flags = f"  steps: {train['max_steps']}\n  every: {train['evaluate_every']}\n"
    return replace(case, text=text.replace("  stride:", f"{flags}  stride:"), calm=False)


def _of(chance):
    return chance.choice(["last", "best", "best", f"{{mean: {chance.randint(1, 5)}}}"])


def _objectives(chance, several):
    first = f"{{metric: score, goal: {chance.choice(['minimize', 'minimize', 'maximize'])}, of: {_of(chance)}}}"
    second = f"{{metric: size, goal: {chance.choice(['minimize', 'maximize'])}, of: {_of(chance)}}}"
    return f"[{first}, {second}]" if several else first

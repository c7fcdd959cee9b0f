"""Ten thousand draws from an imported space, and what their distribution is compared with."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
from scipy import stats

from tuner.config import parse_spec
from tuner.importers import import_file
from tuner.space.conditions import walk
from tuner.study.encoding import suggest

FILES = Path(__file__).with_name("files")
DRAWS = 10_000
CHANCE = 1e-3  # seeds are fixed: a test that passes once passes always


def spec_of(name):
    imported = import_file(FILES / name)
    return parse_spec(f"{imported.text}train: {{max_steps: 300, evaluate_every: 100}}\n", name, FILES, command=["x"])


def draws(spec, seed=0):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trials = (study.ask() for _ in range(DRAWS))
    return [walk(spec.space, lambda parameter, trial=trial: suggest(trial, parameter, plain=False)) for trial in trials]


def column(rows, name):
    return [row[name] for row in rows if name in row]


def is_uniform(values, low, high):
    return _is(values, low, high, lambda x: (x - low) / (high - low))


def is_log_uniform(values, low, high):
    return _is(values, low, high, lambda x: np.log(x / low) / math.log(high / low))


def is_reverse_log_uniform(values, low, high):
    """Mirrored, it is log-uniform: values are dense near the top."""
    return _is(values, low, high, lambda x: 1 - np.log((low + high - x) / low) / math.log(high / low))


def _is(values, low, high, cdf):
    assert all(isinstance(value, float) for value in values)
    assert low <= min(values) and max(values) <= high
    return stats.kstest(values, cdf).pvalue > CHANCE


def is_equally_likely(values, expected):
    return has_shares(values, dict.fromkeys(expected, 1))


def has_shares(values, weights):
    """Whether values, of the types given, came as often as their weights say."""
    counts = Counter(values)
    assert {(type(v), v) for v in counts} <= {(type(v), v) for v in weights}
    total = sum(weights.values())
    expected = np.array([len(values) * weight / total for weight in weights.values()])
    observed = np.array([counts[value] for value in weights])
    # Where few are expected, neighbours are taken together.
    edges = np.flatnonzero(np.diff(np.floor(np.cumsum(expected) / 20), prepend=-1))
    observed, expected = np.add.reduceat(observed, edges), np.add.reduceat(expected, edges)
    return stats.chisquare(observed, expected).pvalue > CHANCE


def log_weights(low, high):
    """Each whole number with the share of the logarithmic scale that rounds to it."""
    return {k: math.log((k + 0.5) / (k - 0.5)) for k in range(low, high + 1)}

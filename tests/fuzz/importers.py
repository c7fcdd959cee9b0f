"""Search spaces of other tools with something odd in them: taken, of no known format, or refused in our words."""

import copy
import json
import time
from pathlib import Path

from tests.fuzz.part import Outcome, Part
from tests.fuzz.spaces import SECONDS, assert_clear, assert_whole
from tests.importers.draws import FILES
from tuner.config import parse_spec
from tuner.config.yaml_text import parse
from tuner.errors import InvalidInput
from tuner.importers import import_text

TEXTS = {path.name: path.read_text() for path in sorted(FILES.iterdir())} | {
    "wandb.json": '{"method": "random", "metric": {"name": "a", "goal": "minimize"}, "parameters": {"x": {"values": [1, 2]}}, "early_terminate": {"type": "hyperband"}}',
    "study.json": '{"studySpec": {"metrics": [{"metricId": "a", "goal": "MINIMIZE"}], "parameters": [{"parameterId": "x", "doubleValueSpec": {"minValue": 0, "maxValue": 1}}]}}',
    "training.json": '{"trainingInput": {"hyperparameters": {"goal": "MINIMIZE", "hyperparameterMetricTag": "a", "params": [{"parameterName": "x", "type": "DOUBLE", "minValue": 0, "maxValue": 1}]}}}',
}  # fmt: skip
VALUES = {name: parse(text, name) for name, text in TEXTS.items()}
ODD = [
    None, True, False, -3, -1, 0, 1, 3, 0.1, 0.5, 2.5, 10, 64, 1000, 10**400, 1e308, 1e-320, float("inf"), float("-inf"), float("nan"), "", "x", "0", "-1",
    "1e400", "nan", "\ud800", "a\0", "a", "b", "2", "0.01", "=1+1", "<!--<script>", "grid", "GRID_SEARCH", "normal", "INTEGER", "CATEGORICAL", "log_uniform_values",
    "UNIT_LOG_SCALE", [], {}, [[1]], ["a", 1, None, {}], ["a", "a"], [0, 0.0, False], {"min": 1}, {"values": 1}, {"name": 3}, {"minValue": 2},
    {"parameters": 0}, {"min": 0, "max": 1, "q": 0}, {"distribution": "normal", "mu": 0, "sigma": -1}, {"doubleValueSpec": {}},
]  # fmt: skip
LETTERS = "[]{},:&*!|>'\"%@`#-? \n\tab01.\\<\u2028\U0001f600e"


def places(value, path=()):
    """Yield the path of each value in a nested one."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


def with_odd_values(chance):
    """Return the name of a file, and its text with one to three values that are odd, gone or somebody else's."""
    name = chance.choice(list(VALUES))
    values = copy.deepcopy(VALUES[name])
    for _ in range(chance.choice((1, 1, 2, 3))):
        path = chance.choice([path for path in places(values) if path] or [("spec",)])
        target = values
        for key in path[:-1]:
            target = target[key]
        how = chance.randrange(4)
        if how == 0 and isinstance(target, dict):
            target.pop(path[-1], None)
        elif how == 1:
            target[path[-1]] = copy.deepcopy(chance.choice([_at(values, other) for other in places(values)]))
        else:
            target[path[-1]] = copy.deepcopy(chance.choice(ODD))
    return name, json.dumps(values, ensure_ascii=chance.random() < 0.5)


def with_odd_text(chance):
    """Return the name of a file, and its text with a piece taken out, put in or repeated in one to three places."""
    name = chance.choice(list(TEXTS))
    text = TEXTS[name]
    for _ in range(chance.choice((1, 1, 2, 3))):
        at, more = chance.randint(0, len(text)), chance.choice((0, 0, 1, 2, 20))
        put = (
            "".join(chance.choices(LETTERS, k=chance.choice((0, 1, 1, 2, 10))))
            if chance.random() < 0.7
            else text[at : at + 60]
        )
        text = text[:at] + put + text[at + more :]
    return name, text


def outcome(name, text, chance):
    """Return what becomes of a file; raises if it is anything but taken whole or refused in our words.

    What an importer takes, the reader of our own files takes too.
    """
    begun = time.process_time()
    try:
        imported = import_text(text, name, "stem")
    except InvalidInput as error:
        assert_clear(error)
        return Outcome.REFUSED
    if imported is None:
        return Outcome.REFUSED  # of no known format: it is read as one of ours, and refused there
    train = "train: {max_steps: 300, evaluate_every: 100}\n"
    spec = parse_spec(imported.text + train, name, Path("/nowhere"), command=["true"])
    assert time.process_time() - begun < SECONDS, f"took {time.process_time() - begun:.1f} s"
    assert_whole(spec, chance)
    return Outcome.ACCEPTED


def _at(values, path):
    for key in path:
        values = values[key]
    return values


class Importers(Part):
    """Search spaces of AI Platform, Vertex AI, Katib and Weights & Biases."""

    name = "importers"

    def made_up(self, chance):
        return chance.choice((with_odd_values, with_odd_text))(chance)

    def check(self, made, chance):
        return outcome(*made, chance)

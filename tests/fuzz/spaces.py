"""Search space files made to break the reader: each is taken whole, or refused in our words, within seconds."""

import json
import shutil
import time
from pathlib import Path

import tuner
from tests.fuzz.part import Outcome, Part
from tuner.config import diff, from_json, parse_spec, to_json
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.errors import InvalidInput
from tuner.operations.verify import verify_sweep
from tuner.space.conditions import holds, walk
from tuner.space.drawing import drawn as draw
from tuner.study.encoding import stored, stored_distribution, value_of
from tuner.sweep import RunOptions

KEYS = [
    "name",
    "description",
    "model",
    "objective",
    "constraints",
    "parameters",
    "train",
    "search",
    "record",
    "simulation",
    "resources",
    "ray",
    "cluster",
    "metric",
    "goal",
    "of",
    "mean",
    "folder",
    "min",
    "max",
    "type",
    "low",
    "high",
    "log",
    "scale",
    "step",
    "when",
    "choices",
    "values",
    "sampler",
    "scheduler",
    "trials",
    "seed",
    "workers",
    "timeout",
    "trial_timeout",
    "retries",
    "max_failed_trials",
    "nan",
    "repeats",
    "budget",
    "steps",
    "target",
    "plateau",
    "max_checkpoint_bytes",
    "enqueue",
    "method",
    "max_steps",
    "evaluate_every",
    "checkpoint_input",
    "plots",
    "training",
    "curves",
    "task",
    "noise",
    "startup",
    "stragglers",
    "share",
    "factor",
    "cpus",
    "gpus",
    "custom",
    "address",
    "storage",
    "working_dir",
    "ps",
    "evaluator",
    "eta",
    "min_steps",
    "population",
    "every",
    "rank",
    "percentile",
    "<<",
    "x",
    "y",
    "k",
    "size",
]
WORDS = [
    "rmse",
    "minimize",
    "maximize",
    "last",
    "best",
    "float",
    "int",
    "discrete",
    "categorical",
    "linear",
    "log",
    "reverse_log",
    "tpe",
    "random",
    "grid",
    "qmc",
    "cmaes",
    "nsgaii",
    "none",
    "median",
    "percentile",
    "patience",
    "asha",
    "asha_stopping",
    "hyperband",
    "pbt",
    "surface",
    "auto",
    "fail",
    "worst",
    "nondominated",
    "90s",
    "2h",
    "5GB",
    "a.b",
    "m.py",
    "x",
    "y",
    "k",
]
ODD = [
    "null", "true", "~", "''", "0", "-0.0", "1", "2", "-1", "0.3", "1e-320", "1e308", "-1.7e308", "1e400", ".inf", "-.inf", ".nan",
    str(2**53), str(2**53 + 1), str(2**63), "9" * 400, "9" * 5000, "0x1F", "0o17", "1_000", "64.0", "2024-01-01", "12:30:45",
    '"\\uD800"', '"a\\0b"', '"\\x1b[31m"', "'<!--<script>'", "'=1+1'", "'../../x'", "'a=b'", "'a//b'", "'${x}'", "'%s{0}'", "x" * 3000,
    "!!set {a}", "!!binary aGVsbG8=", "!!python/object:os.system a", "!foo a", "&a [*a]", "*a", "[]", "{}", "[[[[1]]]]", "{? [a] : 1}",
    "[" * 60 + "]" * 60, "|\n  text\n", "# comment", "'unclosed", "[1, 2", "{a: 1", "\t", "- x", ": :", "%YAML 1.1", "---", "...", "\u2028",
]  # fmt: skip
GOOD = {
    "objective": "{metric: rmse}",
    "parameters": "{x: {type: float, low: 0, high: 1}, k: {type: int, low: 1, high: 9}, y: {choices: [a, b], when: {k: {min: 4}}}}",
    "train": "{max_steps: 300, evaluate_every: 100}",
    "search": "{trials: 2}",
}
SECONDS = 5.0  # of the processor, for one file


class SpaceFile:
    """Write one file."""

    def __init__(self, chance):
        self.chance = chance

    def written(self):
        return self.chance.choice((*[self.parameters] * 4, self.sections, self.mutated, self.noise, self.long))()

    def value(self, depth=0):
        draw = self.chance.random()
        if depth > 3 or draw < 0.35:
            return (
                self.chance.choice(WORDS)
                if self.chance.random() < 0.4
                else self.number()
                if self.chance.random() < 0.5
                else self.chance.choice(ODD)
            )
        inner = [self.value(depth + 1) for _ in range(self.chance.randint(0, 3))]
        if draw < 0.65:
            return f"[{', '.join(inner)}]"
        return f"{{{', '.join(f'{self.key()}: {one}' for one in inner)}}}"

    def key(self):
        return self.chance.choice(KEYS) if self.chance.random() < 0.9 else self.chance.choice(ODD)

    def number(self):
        exponent = self.chance.choice((0, 0, 0, 1, 3, 17, 300))
        return repr(
            self.chance.choice((1, -1))
            * self.chance.choice((self.chance.randint(0, 9), round(self.chance.random(), 2)))
            * 10**exponent
        )

    def entry(self, names):
        kind = self.chance.choice(("float", "int", "discrete", "categorical"))
        low, high = sorted((self.chance.randint(-5, 9), self.chance.randint(0, 20)))
        words = {
            "float": f"low: {low}, high: {high}",
            "int": f"low: {low}, high: {high}",
            "discrete": f"values: {sorted({self.chance.randint(-9, 9) / self.chance.choice((1, 2)) for _ in range(3)})}",
            "categorical": f"choices: [{', '.join([self.value(3)] * self.chance.randint(0, 1))}, 1, 0.5]".replace(
                "[, ", "["
            ),
        }[kind]
        if self.chance.random() < 0.3:
            words += f", step: {self.chance.choice(('1', '2', '0.1', '0.5', self.value(3)))}"
        if self.chance.random() < 0.2:
            words += self.chance.choice(
                (", log: true", ", scale: reverse_log", ", scale: log", f", scale: {self.value(3)}")
            )
        if names and self.chance.random() < 0.6:
            allowed = self.chance.choice(
                (
                    self.number(),
                    "[1, 2, 0.5]",
                    f"{{min: {self.number()}}}",
                    f"{{max: {self.number()}}}",
                    "{min: 0, max: 1}",
                    self.value(2),
                )
            )
            words += f", when: {{{self.chance.choice(names)}: {allowed}}}"
        return f"{{type: {kind}, {words}}}"

    def parameters(self):
        names = []
        entries = []
        for index in range(self.chance.choice((1, 1, 2, 2, 3, 6))):
            name = f"p{index}"
            entries.append(f"{name}: {self.entry(names) if self.chance.random() < 0.9 else self.value(1)}")
            names.append(name)
        point = ", ".join(
            f"{name}: {self.number() if self.chance.random() < 0.8 else self.value(3)}"
            for name in names
            if self.chance.random() < 0.3
        )
        search = f"{{trials: 2, enqueue: [{{{point}}}]}}" if self.chance.random() < 0.3 else GOOD["search"]
        return self.text({**GOOD, "parameters": f"{{{', '.join(entries)}}}", "search": search})

    def sections(self):
        changed = dict(GOOD)
        for _ in range(self.chance.randint(1, 3)):
            changed[self.chance.choice(KEYS[:13])] = self.value()
        return self.text(changed)

    def mutated(self):
        text = self.chance.choice((self.parameters, self.sections))()
        for _ in range(self.chance.randint(1, 4)):
            at, more = self.chance.randint(0, len(text)), self.chance.randint(0, 6)
            text = text[:at] + self.chance.choice(("", *ODD, *"[]{},:&*!|>'\"%@`#-?\n\t ")) + text[at + more :]
        return text

    def noise(self):
        letters = "[]{},:&*!|>'\"%@`#-? \n\tab01.\\<\u2028\U0001f600"
        return "".join(self.chance.choices(letters, k=self.chance.randint(0, 300)))

    def long(self):
        piece = self.chance.choice(
            (
                "[",
                "{a: ",
                "- ",
                "? a\n",
                "&a x\n",
                "1, ",
                "!!str a, ",
                "a: b\n",
                "'a', ",
                "x",
                "\n",
                "# c\n",
                "\\x41",
                "- 'a\n",
                "a:b:",
                "<<: *a\n",
            )
        )
        head = self.chance.choice(
            ("", self.text(GOOD) + "\n", "description: [", 'description: "', "parameters: {x: {choices: [")
        )
        return head + piece * (self.chance.randint(1_000, 200_000) // len(piece))

    def text(self, sections):
        order = list(sections)
        self.chance.shuffle(order)
        return "\n".join(f"{key}: {sections[key]}" for key in order)


def outcome(text, chance):
    """Return what becomes of a file; raises if it is anything but taken whole or refused in our words."""
    begun = time.process_time()
    try:
        spec = parse_spec(text, "space.yaml", Path("/nowhere"), "stem", command=["true"])
    except InvalidInput as error:
        assert_clear(error)
        return Outcome.REFUSED
    finally:
        assert time.process_time() - begun < SECONDS, f"took {time.process_time() - begun:.1f} s"
    assert_whole(spec, chance)
    return Outcome.ACCEPTED


def assert_clear(error):
    """Make sure that an error says something, in our words, and not too much."""
    said = str(error)
    said.encode()
    assert error.problems and all(problem.message for problem in error.problems) and len(said) < 50_000
    assert not any(word in said for word in ("Traceback", "object at 0x", "pydantic"))


def assert_whole(spec, chance):
    """Make sure that a sweep is read again as it was frozen, and that what it draws is stored as it was drawn."""
    data = json.dumps(to_json(spec), allow_nan=False)
    data.encode()
    again = from_json(json.loads(data))
    assert again == spec and diff(spec, again) == ([], [])
    for _ in range(3):
        drawn = walk(spec.space, lambda parameter: draw(parameter, chance))
        for parameter in spec.space.parameters:
            assert (parameter.name in drawn) == holds(parameter, drawn)
            if parameter.name in drawn:
                kind, held = stored_distribution(parameter), stored(drawn[parameter.name], parameter)
                assert kind._contains(kind.to_internal_repr(held)), (parameter, held)
                assert repr(value_of(held, parameter, kind)) == repr(drawn[parameter.name])


def assert_runs(text, root):
    """Make sure that a space which is accepted has its two trials, simulated, and that what is recorded of them is right."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir()
    (root / "space.yaml").write_text(f"{text}\nsimulation: {{task: surface, record: false}}\n")
    try:
        sweep = tuner.Sweep.from_file(root / "space.yaml", root)
    except InvalidInput:
        return  # without a command it is another file
    result = sweep.session(RunOptions(backend="simulated"), NullDisplay()).run().result
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETE] * 2
    assert verify_sweep(sweep.dir, result).differences == []


class Spaces(Part):
    """Search space files."""

    name = "spaces"

    def made_up(self, chance):
        return SpaceFile(chance).written()

    def check(self, made, chance):
        found = outcome(made, chance)
        if found is Outcome.ACCEPTED and GOOD["train"] in made and "trials: 2" in made and chance.random() < 0.2:
            assert_runs(made, self.folder / "root")
        return found

"""Random sweeps whose true scores are a formula: study, record log, MLflow, show, best, verify and export say the same.

Each case is a number; ``TUNER_TRUTH=300`` runs that many simulated ones, a twentieth as many whose MLflow records are
compared too, and a twentieth as many that train Estimators. ``TUNER_TRUTH_ONLY=17`` runs one.
"""

import contextlib
import io
import json
import math
import os
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import tuner
from tests.conftest import MODELS
from tests.truth import cases
from tests.truth.formula import FormulaCurves
from tests.truth.oracle import Oracle, same
from tuner.domain.seeds import derive
from tuner.driver.progress import NullDisplay
from tuner.export import choose_checkpoint
from tuner.files.run_ids import parent_run_id
from tuner.operations.verify import verify_sweep
from tuner.recorders.mlflow.reader import MlflowReader
from tuner.records.log import read_records
from tuner.records.record import Evaluated
from tuner.sweep import RunOptions

MANY = int(os.environ.get("TUNER_TRUTH", "30"))
REPOSITORY = Path(__file__).parents[2]
TRAINERS = REPOSITORY / "tests/data/trainers"
ONLY = os.environ.get("TUNER_TRUTH_ONLY")
NUMBERS = [int(ONLY)] if ONLY else range(MANY)


class Died(BaseException):
    """The driver was killed: nothing that it meant to do is done any more."""


class Interrupts(NullDisplay):
    """End a call after so many lines."""

    def __init__(self, how, lines, stop_file):
        self.how, self.lines, self.stop_file = how, lines, stop_file

    def line(self, text):
        if self.lines <= 0:
            return
        self.lines -= text.startswith("trial ")
        if self.lines == 0 and self.how == "stop":
            self.stop_file.touch()
        elif self.lines == 0:
            raise Died


class Joined(Interrupts):
    """Let a second driver join after so many lines; it dies while this one has trials that run."""

    def __init__(self, display, lines, join):
        self.display, self.left, self.join = display, lines, join

    def line(self, text):
        self.display.line(text)
        started = text.startswith("trial ") and ": running" in text  # the study is not locked then
        self.left -= text.startswith("trial ")
        if started and self.left <= 0 and self.join is not None:
            join, self.join = self.join, None
            join()


class DiesSoon(Interrupts):
    """Die after so many lines, or when there is nothing left but what the other driver runs."""

    def update(self, progress):
        if not progress.running:
            raise Died


def run(case, text, root, backend, command=()):
    """Run a case to its end, through its interruptions."""
    file = root / "truth.yaml"
    root.mkdir(exist_ok=True)
    file.write_text(f"name: truth\n{text}")
    storage = f"sqlite:///{root}/study.db" if case.database else ""
    options = RunOptions(backend=backend, export=False)

    def call(how="", lines=0):
        sweep = tuner.Sweep.from_file(file, root, command=command, storage_url=storage)

        def join():
            with contextlib.suppress(Died):
                other = tuner.Sweep.from_file(file, root, command=command, storage_url=storage)
                other.session(options, DiesSoon("die", case.joins[1], None)).run()

        display = Interrupts(how, lines, sweep.dir.stop_file)
        with contextlib.suppress(Died):
            sweep.session(options, Joined(display, case.joins[0], join) if case.joins else display).run()
        return sweep

    for how, lines in case.interruptions:
        call(how, lines)
    return call()


class Checked:
    """A sweep that ended, compared with what the oracle says of it."""

    def __init__(self, sweep, text):
        self.sweep = sweep
        self.result = sweep.result()
        spec = sweep.spec
        self.oracle = Oracle(YAML(typ="safe").load(text), self._seeds(spec))
        self.cut_short = "budget" in self.oracle.search  # trials that run or are paused then may go on
        self.curves = {}
        # A command reports one tag after the other: a trial that is stopped by the first of a step has not said the others.
        judged = [o.metric for o in spec.objectives] + [c.metric for c in spec.constraints]
        self.tags = judged if spec.command else ["score", "size"]

    def _seeds(self, spec):
        return lambda trial: derive(spec.search.seed, "trial", trial) if spec.simulation else 0

    def all(self, backend="simulated"):
        for trial in self.result.trials:
            self.curves[trial.number] = self.one(trial)
        self.log()
        self.best()
        self.commands()
        if backend == "inline":
            self.checkpoints()
        assert verify_sweep(self.sweep.dir, self.result).differences == []

    def one(self, trial):
        """Compare a trial with the formula; return its true curve."""
        record, oracle = trial.record, self.oracle
        assert trial.state.is_finished or (self.cut_short and trial.state.value in ("INTERRUPTED", "PAUSED")), trial
        begins = int(record.tags.get("tuner.forked_at", 0))
        ended = trial.state.value == "COMPLETE" and "tuner.stopped_at" not in record.tags
        lost = trial.state.value == "COMPLETE" and record.reason == "the loss became NaN"
        until = oracle.steps if ended and not lost else record.step or 0
        curve = oracle.curve(trial.number, trial.params, oracle.grid(begins, until)) if until else {}
        first = oracle.objectives[0]["metric"]
        assert list(record.curve) == list(curve)
        assert all(same(record.curve[step], curve[step][first]) for step in curve)
        for metric, values in record.others.items():
            assert list(values) == list(curve) and all(same(values[step], curve[step][metric]) for step in curve)
        if trial.state.value != "FAIL" and curve:
            expected = oracle.values(curve)
            assert trial.values.keys() == expected.keys()
            assert all(same(trial.values[metric], value) for metric, value in expected.items()), (trial, expected)
            if trial.state.value != "INTERRUPTED":
                assert record.feasible == oracle.feasible(curve)
            if oracle.search.get("nan") == "fail" and trial.state.value == "COMPLETE":
                assert all(math.isfinite(value) for value in trial.values.values())
        else:
            assert trial.values == {}
        return curve

    def log(self):
        """Compare the record log: what counts of it is the formula's, each step once."""
        seen = {}
        for record, _ in read_records(self.sweep.dir.records_file):
            if isinstance(record, Evaluated):
                for tag, value in record.evaluation.scalars.items():
                    seen.setdefault((record.trial, record.evaluation.step, tag), set()).add(repr(value))
        assert all(len(values) == 1 for values in seen.values())
        for number, curve in self.curves.items():
            for step, point in curve.items():
                for tag in self.tags:
                    assert seen[number, step, tag] == {repr(point[tag])}

    def sound(self):
        """Return the trials that may be the best: number to objectives."""
        return {
            trial.number: self.oracle.values(self.curves[trial.number])
            for trial in self.result.trials
            if trial.state.value == "COMPLETE" and self.oracle.feasible(self.curves[trial.number])
        }

    def best(self):
        """Compare the best trial, or the front, and what the commands say of it."""
        metric = self.oracle.objectives[0]["metric"]
        every = {n: values for n, values in self.sound().items() if not math.isnan(values[metric])}
        sound = {n: values for n, values in every.items() if math.isfinite(values[metric])}
        found = self.result.best_or_none
        if not sound:
            assert found is None
            return
        if self.oracle.search.get("repeats", 1) == 1:
            losses = {n: self.oracle.losses(values) for n, values in sound.items()}
            assert found.number == min(losses, key=lambda n: (losses[n][0], n))
            if len(self.oracle.objectives) > 1:
                self.front(losses)
        else:
            self.groups(every, metric, found)
        if found is None:
            return
        step = self.oracle.best_step(self.curves[found.number])
        assert found.ranked_steps[0] == step
        assert found.value_step == self.oracle.value_step(self.curves[found.number])

    def front(self, losses):
        losses = {n: own for n, own in losses.items() if not any(map(math.isnan, own))}
        expected = [
            n
            for n, own in losses.items()
            if not any(all(a <= b for a, b in zip(one, own, strict=True)) and one != own for one in losses.values())
        ]
        assert [trial.number for trial in self.result.front] == expected

    def groups(self, sound, metric, found):
        sets = {}
        for trial in self.result.trials:
            if trial.number in sound:
                first = int(trial.record.tags.get("tuner.repeat_of", trial.number))
                sets.setdefault(first, {})[trial.number] = sound[trial.number][metric]
        for first, values in sets.items():
            assert all(self.result.trials[n].params == self.result.trials[first].params for n in values)
        repeats = self.oracle.search["repeats"]
        sets = {first: values for first, values in sets.items() if all(map(math.isfinite, values.values()))}
        whole = {first: values for first, values in sets.items() if len(values) == repeats} or sets
        if not whole:
            assert found is None
            return
        sign = 1 if self.oracle.minimizes(self.oracle.objectives[0]) else -1
        means = {first: sum(values.values()) / len(values) for first, values in whole.items()}
        best = min(means, key=lambda first: (sign * means[first], first))
        assert found.group.first == best or math.isclose(means[found.group.first], means[best], rel_tol=1e-12)
        assert found.number in whole[found.group.first]
        mean = means[found.group.first]
        assert same(found.group.mean, mean) or math.isclose(found.group.mean, mean, rel_tol=1e-12)

    def commands(self):
        """Compare the JSON of show and best with the trials."""
        shown = json_of("show", self.sweep)
        assert [row["trial"] for row in shown] == [trial.number for trial in self.result.trials]
        for row, trial in zip(shown, self.result.trials, strict=True):
            assert row["state"] == trial.state.value and row["params"] == trial.params
            assert same_json(row["values"], trial.values)
            assert row["step"] == max(self.curves[trial.number], default=None)
        best = self.result.best_or_none
        if best is None:
            return
        row = json_of("best", self.sweep)
        rows, expected = (row, self.result.front) if isinstance(row, list) else ([row], [best])
        assert [row["trial"] for row in rows] == [trial.number for trial in expected]
        for row, trial in zip(rows, expected, strict=True):
            assert same_json(row["values"], self.oracle.values(self.curves[trial.number]))
            assert row["step"] == self.oracle.value_step(self.curves[trial.number])

    def checkpoints(self):
        """Compare the checkpoint that an export of each trial takes with the best step, and with its own step."""
        import tensorflow as tf

        for trial in self.result.trials:
            if curve := self.curves[trial.number]:
                choice, expected = choose_checkpoint(self.sweep.dir, trial), self.oracle.best_step(curve)
                assert (choice.step, choice.note) == (expected, "")
                assert same(choice.value, curve[expected][self.oracle.objectives[0]["metric"]])
                assert tf.train.load_variable(f"{trial.trial_dir}/model.ckpt-{expected}", "global_step") == expected
        best = self.result.best_or_none
        if best is not None and len(self.oracle.objectives) == 1:
            assert json_of("best", self.sweep)["exported_step"] == self.oracle.best_step(self.curves[best.number])

    def mlflow(self):
        """Compare what MLflow holds with the formula."""
        import mlflow

        recorded = MlflowReader(self.sweep.dir)
        for trial in self.result.trials:
            run, curve = recorded.read(trial.run_id), self.curves[trial.number]
            assert run.tags["tuner.state"] == trial.state.value
            for tag in self.tags:
                held, expected = run.metrics.get(f"eval/{tag}", {}), {s: point[tag] for s, point in curve.items()}
                expected = {step: value for step, value in expected.items() if not math.isinf(value)}
                assert held.keys() == expected.keys()
                assert all(same(held[step], value) for step, value in expected.items())
            for objective in self.oracle.objectives:
                tag, expected = objective["metric"], self.oracle.improvements(curve, objective)
                held = run.metrics.get(f"best/{tag}", {})
                assert held == {step: value for step, value in expected.items() if not math.isinf(value)}
            if trial.state.value in ("COMPLETE", "PRUNED") and curve and len(self.oracle.objectives) == 1:
                (value,) = self.oracle.values(curve).values()
                held = list(run.metrics.get("objective", {}).values())
                assert held == [] if math.isinf(value) else same(held[-1], value)
        best = self.result.best_or_none
        if best is not None:
            client = mlflow.MlflowClient(f"sqlite:///{self.sweep.dir.root.database_file}")
            parent = client.get_run(parent_run_id(self.sweep.dir)).data
            assert parent.tags["tuner.best_trial"] == str(best.number)
            metric = self.oracle.objectives[0]["metric"]
            name = "best_objective" if len(self.oracle.objectives) == 1 else f"best_objective/{metric}"
            if math.isfinite(best.judged):
                assert same(parent.metrics[name], best.judged)


def json_of(command, sweep):
    """Return what a command prints as JSON."""
    from tuner.cli import app, best, show  # noqa: F401

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        app.app([command, "truth", "--format", "json", "--root", str(sweep.dir.root.path)], standalone_mode=False)
    return json.loads(out.getvalue())


def same_json(held, expected):
    """Whether numbers of JSON are those that are expected; infinities and NaN are text there."""
    return held.keys() == expected.keys() and all(same(float(held[key]), value) for key, value in expected.items())


def told(sweep):
    """Return what a sweep has come to, as it can be compared with another."""
    trials = sweep.result().trials
    return [(t.number, t.state.value, t.params, repr(t.values), dict(t.record.tags)) for t in trials]


@pytest.fixture
def formula_curves(monkeypatch):
    monkeypatch.setattr("tuner.backends.simulated.synthetic.SyntheticCurves", FormulaCurves)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_simulated_sweep_says_what_the_formula_says(formula_curves, tmp_path, number):
    case = cases.draw(number, mlflow_share=0)
    sweep = run(case, case.text, tmp_path / "one", "simulated")
    Checked(sweep, case.text).all()
    if case.interruptions and case.calm:
        undisturbed = cases.Case(number, case.text)
        assert told(sweep) == told(run(undisturbed, case.text, tmp_path / "two", "simulated"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [int(ONLY)] if ONLY else range(1000, 1000 + max(1, MANY // 20)))
def test_mlflow_holds_what_the_formula_says(formula_curves, root, number):
    case = cases.draw(number, mlflow_share=1)
    sweep = run(case, case.text, root, "simulated")
    checked = Checked(sweep, case.text)
    checked.all()
    checked.mlflow()


@pytest.mark.slow
@pytest.mark.parametrize("number", [int(ONLY)] if ONLY else range(3000, 3000 + max(1, MANY // 20)))
def test_commands_say_what_the_formula_says(root, monkeypatch, number):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")])))
    case = cases.draw_command(number)
    command = (sys.executable, str(TRAINERS / "formula_reports.py"))
    sweep = run(case, case.text, root, "local", command)
    checked = Checked(sweep, case.text)
    checked.all("local")
    checked.mlflow()


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("number", [int(ONLY)] if ONLY else range(2000, 2000 + max(1, MANY // 20)))
def test_estimators_say_what_the_formula_says(tf, root, number):
    case = cases.draw(number, "inline")
    sweep = run(case, f"model: {MODELS / 'formula.py'}\n{case.text}", root, "inline")
    checked = Checked(sweep, case.text)
    checked.all("inline")
    checked.mlflow()

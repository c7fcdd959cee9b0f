"""Sweeps of shell scripts: no TensorFlow, real processes, real signals."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

import tuner
from tests.displays import Lines
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.errors import InvalidInput
from tuner.operations.verify import verify_sweep
from tuner.sweep import RunOptions

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
EVENTS = f"'{sys.executable}' '{HERE / 'write_events.py'}'"


@pytest.fixture
def sweep(tmp_path, root, monkeypatch):
    """Make a sweep of a shell script in a folder of its own."""
    monkeypatch.setenv("PYTHONPATH", f"{HERE.parent.parent}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.chdir(tmp_path)

    def make(script, parameters, search="{sampler: grid, trials: 9}", arguments=("{trial_dir}",), extra=""):
        (tmp_path / "run.sh").write_text(script)
        file = tmp_path / "shell.yaml"
        file.write_text(f"objective: {{metric: score}}\nparameters: {parameters}\nsearch: {search}\n{extra}")
        return tuner.Sweep.from_file(file, root, command=("bash", "run.sh", *arguments))

    return make


def drive(sweep, **limits):
    lines = Lines()
    return sweep.session(RunOptions(**limits), lines).run(), lines.lines


def test_each_trial_is_the_command_with_its_flags_and_verify_finds_no_difference(sweep):
    script = f'echo "$@" > $1/said; echo $TF_CONFIG > $1/config; {EVENTS} $1/out/results score 1=0.5 2=0.${{2#*=}}'
    swept = sweep(script, "{units: {type: categorical, choices: [16, 32]}, batch: 8.0}")
    ran, lines = drive(swept)
    assert ran.exit_status == 0
    assert [t.state for t in ran.result.trials] == [TrialState.COMPLETE] * 2
    assert "note: bash runs as a program of its own: tf.estimator is not added there" in lines
    for trial in ran.result.trials:
        folder = Path(trial.trial_dir)
        assert (folder / "said").read_text().split() == [str(folder), f"--units={trial.params['units']}", "--batch=8"]
        config = json.loads((folder / "config").read_text())
        assert config["task"] == {"type": "master", "index": 0, "trial": str(trial.number + 1)}
        assert (list(config["cluster"]), config["environment"]) == (["master"], "cloud")
        assert sorted(trial.record.curve) == [1, 2]
    report = verify_sweep(swept.dir, ran.result)
    assert report.differences == []
    assert report.values >= 8


def test_a_constraint_that_is_written_behind_its_objective_is_in_the_study_at_that_step(sweep):
    behind = "; sleep 0.3; ".join(
        f"{EVENTS} $1 {line}" for line in ("score 1=0.25", "size 1=2", "score 2=0.5", "size 2=1")
    )
    swept = sweep(behind, "{units: {type: categorical, choices: [16]}}", extra="constraints: {size: {max: 1.5}}\n")
    ran, _ = drive(swept)
    (trial,) = ran.result.trials
    assert dict(trial.record.others["size"]) == {1: 2.0, 2: 1.0} and trial.feasible is True
    assert trial.ranked_steps == [2, 1]
    assert verify_sweep(swept.dir, ran.result).differences == []


def test_silent_late_loud_and_deaf_scripts_end_clearly_and_the_sweep_goes_on(sweep, monkeypatch):
    monkeypatch.setattr("tuner.driver.loop.GRACE_S", 1.0)
    script = f"""
    case $2 in
      silent) exit 0 ;;
      other) {EVENTS} $1 scope 1=0.5 ;;
      late) sleep 0.3; {EVENTS} $1 score 1=0.25 ;;
      loud) head -c 100000000 /dev/zero | tr '\\0' 'x'; {EVENTS} $1 score 1=0.5 ;;
      deaf) trap '' TERM; while true; do sleep 0.1; done ;;
      broken) exit 3 ;;
      gone) exec /no/such/program ;;
    esac"""
    kinds = ["silent", "other", "late", "loud", "deaf", "broken", "gone"]
    swept = sweep(
        script,
        f"{{kind: {{type: categorical, choices: [{', '.join(kinds)}]}}}}",
        "{sampler: grid, trials: 20, max_consecutive_failures: 9, trial_timeout: 4s, workers: 2}",
        ("{trial_dir}", "{kind}"),
    )
    ran, _ = drive(swept)
    assert ran.exit_status == 0
    found = {trial.params["kind"]: trial for trial in ran.result.trials}
    assert set(found) == set(kinds)
    assert found["late"].value == 0.25
    assert found["loud"].value == 0.5
    assert (Path(found["loud"].trial_dir) / "log.txt").stat().st_size > 100_000_000
    reasons = {kind: found[kind].record.reason for kind in kinds if found[kind].state is TrialState.FAIL}
    gone = reasons.pop("gone")
    assert reasons == {
        "silent": "the objective 'score' never came: no evaluation wrote a scalar",
        "other": "the objective 'score' never came; tags that are there: scope; did you mean 'scope'?",
        "deaf": "ran longer than its limit of 4 s; killed 1 s later, as it came to no checkpoint",
        "broken": "the command exited with status 3",
    }
    assert gone.startswith("the command exited with status 127; its log ends with ")
    assert "/no/such/program" in gone


def test_an_interrupted_command_runs_again_in_its_folder_and_what_was_reported_first_stands(sweep):
    script = f"""
    if [ -e $1/again ]; then {EVENTS} $1/eval score 1=9 2=0.25; exit 0; fi
    touch $1/again
    trap 'echo stopped by TERM; exit 0' TERM
    {EVENTS} $1/eval score 1=0.5
    while true; do sleep 0.1; done"""
    swept = sweep(script, "{x: 1}", "{sampler: random, trials: 1, timeout: 4s}")
    ran, _ = drive(swept)
    assert [t.state for t in ran.result.trials] == [TrialState.INTERRUPTED]
    again = tuner.Sweep.open("shell", swept.dir.root.path)
    ran, _ = drive(again, timeout_s=60)
    trial = ran.result.trials[0]
    assert trial.state is TrialState.COMPLETE
    assert dict(trial.record.curve) == {1: 0.5, 2: 0.25}
    assert "stopped by TERM" in (Path(trial.trial_dir) / "log.txt").read_text()
    assert verify_sweep(again.dir, ran.result).differences == []


def test_a_command_that_deletes_its_folder_keeps_its_log(sweep):
    script = f"echo before; rm -rf $1; mkdir -p $1; echo after; {EVENTS} $1 score 1=0.5"
    swept = sweep(script, "{x: 1}", "{sampler: random, trials: 1}")
    ran, _ = drive(swept)
    folder = Path(ran.result.trials[0].trial_dir)
    assert ran.result.trials[0].state is TrialState.COMPLETE
    assert (folder / "log.txt").read_text().split()[-2:] == ["before", "after"]
    assert (folder / "job.json").exists()
    assert not list(folder.parent.glob(".0*"))


def test_a_paused_command_is_stopped_at_its_rung_and_a_promoted_one_runs_again(sweep):
    script = f"""
    for step in 10 20 30 40; do {EVENTS} $1/eval score $step=0.${{2#*=}}; sleep 0.2; done"""
    swept = sweep(
        script,
        "{q: {type: int, low: 10, high: 99}}",
        "{sampler: random, scheduler: {name: asha, eta: 2}, trials: 4, workers: 1}",
        extra="train: {max_steps: 40, evaluate_every: 10}\n",
    )
    ran, _ = drive(swept)
    assert ran.exit_status == 0
    complete = [t for t in ran.result.trials if t.state is TrialState.COMPLETE]
    pruned = [t for t in ran.result.trials if t.state is TrialState.PRUNED]
    assert complete
    assert pruned
    assert all(t.record.attempts > 1 for t in complete)
    assert all(max(t.record.curve) < 40 for t in pruned)


def test_what_a_command_cannot_do_is_refused_before_any_trial(sweep):
    for scheduler in ("asha", "hyperband", "pbt"):
        with pytest.raises(InvalidInput, match=r"search\.scheduler"):
            sweep("", "{x: 1}", f"{{scheduler: {scheduler}, trials: 1}}")
    with pytest.raises(InvalidInput, match="model: stands beside a command"):
        sweep("", "{x: 1}", extra="model: m\n")
    with pytest.raises(InvalidInput, match="backend"):
        sweep("", "{x: 1}").session(RunOptions(backend="inline"), NullDisplay()).run()
    swept = sweep("", "{x: 1}", arguments=("{trial_dri}",))
    with pytest.raises(InvalidInput, match="did you mean 'trial_dir'"):
        drive(swept)
    assert not swept.dir.spec_file.exists()


AI_PLATFORM = """
trainingInput:
  hyperparameters:
    goal: MAXIMIZE
    maxTrials: 9
    maxParallelTrials: 1
    maxFailedTrials: 1
    algorithm: GRID_SEARCH
    resumePreviousJobId: {earlier}
    params:
    - {{parameterName: depth, type: DISCRETE, discreteValues: [2, 4]}}
"""


def test_an_ai_platform_file_says_metric_goal_grid_limits_and_whom_to_learn_from(sweep, tmp_path):
    script = f"""
    case "$*" in *--depth=4*) [ -e $1/../../../ok ] || exit 1 ;; esac
    {EVENTS} $1 training/hptuning/metric 1=0.${{2#*=}}"""
    root = sweep(script, "{x: 1}").dir.root.path
    for name, earlier in (("first", "long_gone"), ("second", "first")):
        (tmp_path / f"{name}.yaml").write_text(AI_PLATFORM.format(earlier=earlier))
    command = ("bash", "run.sh", "{trial_dir}")
    ok = root / "mlruns" / "sweeps" / "ok"
    ok.parent.mkdir(parents=True, exist_ok=True)
    ok.touch()
    ran, lines = drive(tuner.Sweep.from_file("first.yaml", root, command=command))
    assert any("learns from 'long_gone', and no sweep" in line for line in lines)
    assert sorted(t.value for t in ran.result.trials) == pytest.approx([0.2, 0.4])
    assert ran.result.best.params == {"depth": 4}
    assert "all points of the grid" in ran.end.reason
    ok.unlink()
    ran, lines = drive(tuner.Sweep.from_file("second.yaml", root, command=command))
    assert any("first" in line for line in lines)
    assert ran.exit_status == 1
    assert "max_failed_trials" in ran.end.reason


def test_a_command_that_never_evaluates_is_said_once_to_be_judged_by_its_training(sweep):
    script = f"{EVENTS} $1/train score 1=0.9 ${{2#*=}}=0.5"
    ran, lines = drive(sweep(script, "{steps: {type: categorical, choices: [201, 299]}}"))
    note = "no evaluation of 'score' was found: the trial is judged by the training's summary of step"
    assert len([line for line in lines if line.startswith(f"note: {note} ")]) == 1
    for trial in ran.result.trials:
        assert trial.state is TrialState.COMPLETE
        assert trial.record.tags["tuner.note"] == f"{note} {trial.params['steps']}"


def test_a_program_gets_signals_as_from_a_shell(sweep):
    """The masks of signals that are blocked and ignored: a bit each, that of SIGTERM being the 15th."""
    script = f"grep -E 'SigBlk|SigIgn' /proc/self/status > $1/signals; {EVENTS} $1 score 1=0.5"
    ran, _ = drive(sweep(script, "{x: 1}", "{sampler: random, trials: 1}"))
    blocked, ignored = (Path(ran.result.trials[0].trial_dir) / "signals").read_text().split()[1::2]
    assert [int(mask, 16) & 1 << signal.SIGTERM - 1 for mask in (blocked, ignored)] == [0, 0]


@pytest.mark.parametrize("scheduler", ["asha", "pbt"])
def test_a_program_that_clears_its_checkpoint_is_said_to_and_no_step_has_two_values(sweep, scheduler):
    script = f"""
    rm -rf $1/model; mkdir -p $1/model
    for step in 10 20 30 40; do
      touch $1/model/model.ckpt-$step.index
      echo "model_checkpoint_path: \\"model.ckpt-$step\\"" > $1/model/checkpoint
      {EVENTS} $1/eval score $step=0.$$; sleep 0.3
    done"""
    kind = {"asha": "{name: asha, eta: 2}", "pbt": "{name: pbt, population: 2, every: 10, quantile: 0.5}"}[scheduler]
    swept = sweep(
        script,
        "{q: {type: float, low: 10, high: 99}}",
        f"{{sampler: random, scheduler: {kind}, trials: 4, workers: 1, seed: 2}}",
        extra="train: {max_steps: 40, evaluate_every: 10}\n",
    )
    ran, lines = drive(swept)
    assert verify_sweep(swept.dir, ran.result).differences == []
    assert any(re.search(r": is given its checkpoint of step \d+", line) for line in lines)
    assert not any("resumed at step" in line for line in lines)
    cleared = r"the command clears its folder when it begins, the checkpoint of step \d+ with it, and"
    assert any(re.match(f"note: {cleared} trains from nothing; what was evaluated before counts", x) for x in lines)
    assert any(t.record.attempts > 1 for t in ran.result.trials)
    copies = [t.record.reason for t in ran.result.trials if "tuner.forked_from" in t.record.tags]
    assert bool(copies) == (scheduler == "pbt")
    assert all(re.match(f"{cleared} so is no copy of the other trial", reason) for reason in copies)

"""Whole sweeps of tiny real Estimators, through the Python face."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

import tuner
from tests.displays import Lines
from tuner.config import sampler_options
from tuner.domain.trial import TrialState
from tuner.errors import InvalidInput
from tuner.operations.verify import verify_sweep
from tuner.results import SweepResult
from tuner.sweep import RunOptions

pytestmark = pytest.mark.slow


def run(file, root, **limits):
    sweep = tuner.Sweep.from_file(file, root)
    lines = Lines()
    ran = sweep.session(RunOptions(**limits, tags={"who": "test"}), lines).run()
    return ran, lines.lines, sweep


def history(result: SweepResult):
    return [(t.number, t.state, t.params, t.values, dict(t.record.curve)) for t in result.trials]


def test_a_sweep_completes_and_study_mlflow_and_event_files_are_equal(space_file, root):
    ran, _, sweep = run(space_file(), root, workers=2)
    assert ran.exit_status == 0
    assert [t.state for t in ran.result.trials] == [TrialState.COMPLETE] * 3
    assert all(sorted(t.record.curve) == [20, 40, 60] for t in ran.result.trials)
    report = verify_sweep(sweep.dir, ran.result)
    assert report.differences == []
    assert report.values >= 3 * 3 * 3
    assert ran.result.best.value == min(t.value for t in ran.result.trials)
    assert len(ran.result.dataframe()) == 3
    assert set(ran.result.curves()["tag"]) == {"rmse", "loss"}


def test_the_same_seed_and_one_worker_give_the_same_history_to_the_last_bit(space_file, root, tmp_path, database):
    import shutil

    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(database, other / "mlflow.db")
    search = "{sampler: tpe, scheduler: {name: median, startup_trials: 2}, trials: 6, seed: 3}"
    first, _, _ = run(space_file(search=search), root, workers=1)
    second, _, _ = run(space_file(search=search), other, workers=1)
    assert history(first.result) == history(second.result)


def test_trials_is_the_total_of_the_sweep_and_a_second_call_adds_what_is_missing(space_file, root):
    run(space_file(), root, trials=1)
    ran, lines, _ = run(space_file(), root, trials=2)
    assert len(ran.result.trials) == 2
    assert any("search.trials: 1 -> 2" in line for line in lines)
    again, _, _ = run(space_file(), root, trials=2)
    assert len(again.result.trials) == 2


def test_another_search_space_under_the_same_name_is_refused_with_the_difference(space_file, root):
    run(space_file(), root, trials=1)
    changed = space_file(parameters="learning_rate: {type: float, low: 0.01, high: 0.1, log: true}")
    with pytest.raises(tuner.InvalidInput, match=r"parameters.learning_rate: .*0.001.* -> .*0.01"):
        run(changed, root, trials=2)


def test_an_objective_that_never_comes_stops_the_sweep_at_the_first_trial_with_the_tags_there(space_file, root):
    ran, _, _ = run(space_file(objective="{metric: rmsee, goal: minimize}"), root, workers=1)
    assert ran.exit_status == 1
    assert [t.state for t in ran.result.trials] == [TrialState.FAIL]
    assert (
        "'rmsee' never came; tags that are there: loss, rmse; did you mean 'rmse'?"
        in ran.result.trials[0].record.reason
    )


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("raise", "ValueError: this model always fails (line "),  # and the number and name of the file
        ("exit", "the model called exit(3)"),
        ("os_exit", "the process ended with status 7"),
        ("segv", "killed by SIGSEGV"),
        ("kill", "killed by SIGKILL"),
        ("nan", "the loss became NaN"),
    ],
)
def test_a_fault_of_a_trial_ends_that_trial_with_its_reason_and_the_sweep_goes_on(space_file, root, fault, reason):
    parameters = f"learning_rate: 0.01\nfault: {{type: categorical, choices: [{fault}, none]}}"
    search = f"{{sampler: random, trials: 2, retries: 0, enqueue: [{{fault: {fault}}}, {{fault: none}}]}}"
    ran, _, sweep = run(space_file(parameters=parameters, search=search), root, workers=1)
    assert [t.state for t in ran.result.trials] == [TrialState.FAIL, TrialState.COMPLETE]
    assert reason in ran.result.trials[0].record.reason
    assert ran.exit_status == 0
    assert verify_sweep(sweep.dir, ran.result).differences == []


def test_a_sampler_whose_packages_are_missing_is_refused_and_takes_no_name(space_file, root, monkeypatch):
    kind = replace(sampler_options.SAMPLERS["random"], packages=("nothing_of_that_name",))
    monkeypatch.setitem(sampler_options.SAMPLERS, "random", kind)
    sweep = tuner.Sweep.from_file(space_file(search="{sampler: random, trials: 1}"), root)
    with pytest.raises(InvalidInput, match="random needs nothing_of_that_name, which is not installed"):
        sweep.run()
    assert not sweep.dir.path.exists()


def test_infeasible_parameters_are_pruned_with_the_models_words(space_file, root):
    parameters = "learning_rate: 0.01\nfault: {type: categorical, choices: [infeasible, none]}"
    search = "{sampler: random, trials: 2, enqueue: [{fault: infeasible}, {fault: none}]}"
    ran, _, _ = run(space_file(parameters=parameters, search=search), root, workers=1)
    assert ran.result.trials[0].state is TrialState.PRUNED
    assert "too large for this house" in ran.result.trials[0].record.reason


def test_a_nan_loss_counts_as_the_worst_value_where_the_file_says_so(space_file, root):
    parameters = "learning_rate: 0.01\nfault: {type: categorical, choices: [nan, none]}"
    search = "{sampler: random, trials: 2, nan: worst, enqueue: [{fault: nan}, {fault: none}]}"
    ran, _, sweep = run(space_file(parameters=parameters, search=search), root, workers=1)
    assert ran.result.trials[0].state is TrialState.COMPLETE
    assert ran.result.trials[0].value == float("inf")
    assert ran.result.best.number == 1
    assert verify_sweep(sweep.dir, ran.result).differences == []


def test_failures_one_after_another_stop_the_sweep_with_status_1(space_file, root):
    parameters = "learning_rate: 0.01\nfault: raise"
    search = "{sampler: random, trials: 20, max_consecutive_failures: 2}"
    ran, _, _ = run(space_file(parameters=parameters, search=search), root, workers=1)
    assert ran.exit_status == 1
    assert len(ran.result.trials) == 2
    assert "2 trials failed one after another" in ran.end.reason


def test_a_trial_that_died_goes_on_from_its_checkpoint_and_ends_as_one_that_did_not(space_file, root, tmp_path):
    once = tmp_path / "struck"
    parameters = f"learning_rate: 0.01\nfault_at: 50\nfault_there: kill\nonce: {once}"
    ran, lines, sweep = run(space_file(parameters=parameters, search="{trials: 1, sampler: random}"), root)
    clean = f"learning_rate: 0.01\nfault_at: 5000\nfault_there: kill\nonce: {once}"
    undisturbed, _, _ = run(space_file(parameters=clean, search="{trials: 1, sampler: random}", name="clean"), root)
    assert once.exists()
    (trial,) = ran.result.trials
    assert trial.state is TrialState.COMPLETE
    assert (trial.record.attempts, trial.record.failures) == (2, 1)
    assert [line.partition(", pid")[0] for line in lines if "pid" in line] == [
        "trial 0: running",
        "trial 0: resumed at step 40",
    ]
    assert "tuner: trial 0: resumed at step 40\n" in sweep.dir.trial(0).log_file.read_text()
    assert trial.record.curve == undisturbed.result.trials[0].record.curve
    assert verify_sweep(sweep.dir, ran.result).differences == []


def test_a_trial_that_somebody_else_stops_goes_on_from_its_checkpoint_and_has_not_failed(space_file, root):
    class Stops(Lines):
        def line(self, line):
            super().line(line)
            if line.startswith("trial 0: running, pid "):
                os.kill(int(line.split()[-1]), signal.SIGTERM)

    slow = "learning_rate: 0.01\nsleep: 0.1"  # a step, so that the signal comes before the last checkpoint
    sweep = tuner.Sweep.from_file(space_file(slow, search="{sampler: random, trials: 1}"), root)
    lines = Stops()
    (trial,) = sweep.session(RunOptions(), lines).run().result.trials
    assert trial.state is TrialState.COMPLETE
    stopped = re.compile(r"trial 0: INTERRUPTED( at step [24]0)? \(stopped by a signal that did not come from tuner\)")
    assert any(map(stopped.fullmatch, lines.lines)), lines.lines
    assert (trial.record.attempts, trial.record.failures, trial.record.times_lost) == (2, 0, 0)
    assert sorted(trial.record.curve) == [20, 40, 60]


def test_a_trial_that_hangs_is_stopped_at_its_time_limit(space_file, root, monkeypatch):
    monkeypatch.setattr("tuner.driver.loop.GRACE_S", 1.0)
    parameters = "learning_rate: 0.01\nfault: {type: categorical, choices: [hang, none]}"
    search = "{sampler: random, trials: 2, trial_timeout: 6s, enqueue: [{fault: hang}, {fault: none}]}"
    ran, _, _ = run(space_file(parameters=parameters, search=search), root, workers=2)
    assert ran.result.trials[0].state is TrialState.FAIL
    assert "ran longer than its limit of 6 s" in ran.result.trials[0].record.reason
    assert ran.result.trials[1].state is TrialState.COMPLETE


def test_a_model_that_runs_an_operation_when_imported_is_refused_with_the_remedy(space_file, root, tmp_path):
    model = tmp_path / "eager.py"
    model.write_text(
        "import tensorflow as tf\nX = tf.constant(1.0) + 1\n"
        "def model_fn(features, labels, mode, params): ...\n"
        "def train_input_fn(params): ...\ndef eval_input_fn(params): ...\n"
    )
    with pytest.raises(tuner.InvalidInput, match="runs a TensorFlow operation when it is imported"):
        run(space_file(model=model), root)


def test_a_sweep_runs_from_a_script_without_a_main_guard(space_file, root, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import tuner\n"
        f"result = tuner.Sweep.from_file({str(space_file())!r}, {str(root)!r}).run(trials=2, workers=2)\n"
        "print(result.best.value, result.best.params, len(result.dataframe()))\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1


def test_a_sweep_runs_inline_in_this_process(space_file, root):
    code = (
        "import tuner\n"
        f"ran = tuner.Sweep.from_file({str(space_file(search='{sampler: random, trials: 2}'))!r}, {str(root)!r})"
        ".run(backend='inline')\n"
        "print([t.state.value for t in ran.trials], [sorted(t.record.curve) for t in ran.trials])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert "['COMPLETE', 'COMPLETE'] [[20, 40, 60], [20, 40, 60]]" in done.stdout, done.stderr[-2000:]

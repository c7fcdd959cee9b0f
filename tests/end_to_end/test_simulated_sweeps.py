"""Simulated sweeps: through the same loop, deciding as real trials would."""

from pathlib import Path

import pytest

import tuner
from tests.displays import Lines
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.errors import InvalidInput
from tuner.operations.curves import write_curves
from tuner.operations.verify import verify_sweep
from tuner.records.log import read_records
from tuner.records.record import TrialChanged
from tuner.study import Study
from tuner.study.storage import open_storage
from tuner.sweep import RunOptions
from tuner.sweep.simulate import simulate

SPACE = """
name: sim
objective: {{metric: rmse}}
parameters:
  rate: {{type: float, low: 1.0e-4, high: 1.0, log: true}}
  units: {{type: int, low: 16, high: 256}}
train: {{max_steps: 270, evaluate_every: 10}}
search: {search}
simulation: {simulation}
"""
SEARCH = "{sampler: random, scheduler: asha, trials: 30, workers: 100}"


def write(folder, search=SEARCH, simulation="{task: surface, noise: 0.02, record: false}"):
    file = folder / "sim.yaml"
    file.write_text(SPACE.format(search=search, simulation=simulation))
    return file


def run(file, root, backend="simulated", **limits):
    sweep = tuner.Sweep.from_file(file, root)
    return sweep.session(RunOptions(**limits, backend=backend), NullDisplay()).run(), sweep


def told(result):
    return [(t.number, t.state, t.record.step, dict(t.values), t.params) for t in result.trials]


def test_a_simulated_sweep_leaves_what_a_real_one_does_and_the_same_each_time(tmp_path):
    file = write(tmp_path)
    ran, _ = run(file, tmp_path / "one")
    again, _ = run(file, tmp_path / "two")
    assert ran.exit_status == 0
    assert told(ran.result) == told(again.result)
    assert {t.state for t in ran.result.trials} == {TrialState.COMPLETE, TrialState.PRUNED}
    assert ran.result.best.value < 0.5
    spec = tuner.Sweep.from_file(file, tmp_path / "one").spec
    in_memory = simulate(spec, 100)
    assert [(t.number, t.state, t.step, dict(t.values)) for t in in_memory.trials] == [t[:4] for t in told(ran.result)]
    # No step is trained twice, and nothing behind a rung.
    assert in_memory.steps == sum(t.step for t in in_memory.trials)


@pytest.mark.parametrize("scheduler", ["none", "median", "asha", "asha_stopping", "hyperband", "pbt", "freeze_thaw"])
def test_a_sweep_that_was_stopped_goes_on_and_ends_as_one_that_was_not(tmp_path, scheduler):
    chosen = f"sampler: random, scheduler: {scheduler}" if scheduler != "freeze_thaw" else "method: freeze_thaw"
    search = f"{{{chosen}, trials: 12, workers: 1}}"
    file = write(tmp_path, search)
    whole, _ = run(file, tmp_path / "whole")
    sweep = tuner.Sweep.from_file(file, tmp_path / "stopped")
    for lines in (7, 9):
        ran = sweep.session(RunOptions(backend="simulated"), StopsAt(sweep.dir.stop_file, lines)).run()
        assert ran.end is None
    ran = sweep.session(
        RunOptions(), NullDisplay()
    ).run()  # as `tuner resume` does: the sweep knows that it is simulated
    assert ran.exit_status == 0
    assert told(ran.result) == told(whole.result)


class StopsAt(NullDisplay):
    """Ask the sweep to stop when so many lines have been said."""

    def __init__(self, file, lines):
        self.file, self.lines = file, lines

    def line(self, line):
        self.lines -= 1
        if not self.lines:
            self.file.touch()


def test_failing_trials_are_taken_up_again_from_their_checkpoints(tmp_path):
    search = "{sampler: random, trials: 30, workers: 4, retries: 20, max_consecutive_failures: 100}"
    ran, _ = run(write(tmp_path, search, "{task: surface, failures: 0.5, record: false}"), tmp_path)
    assert {t.state for t in ran.result.trials} == {TrialState.COMPLETE}
    assert max(t.record.attempts for t in ran.result.trials) > 1


def test_a_trial_that_goes_on_says_from_which_step_and_a_copy_from_which_trial(tmp_path):
    said = {}
    for scheduler in ("{name: asha, eta: 3}", "{name: pbt, population: 4, every: 30}"):
        lines = Lines()
        file = write(tmp_path, f"{{sampler: random, scheduler: {scheduler}, trials: 12, workers: 1}}")
        sweep = tuner.Sweep.from_file(file, tmp_path / scheduler[7:10])
        ran = sweep.session(RunOptions(backend="simulated"), lines).run()
        said[scheduler[7:10]] = lines.lines, ran.result
    lines, result = said["ash"]
    promoted = [t for t in result.trials if t.record.attempts == 2]
    assert promoted
    for trial in promoted:
        paused = next(line for line in lines if line.startswith(f"trial {trial.number}: PAUSED"))
        step, value = next(iter(trial.record.curve.items()))
        assert paused.endswith(f"at step {step} (at its rung, step {step}, rmse {value:.6g})")
        assert any(line.startswith(f"trial {trial.number}: running, simulated, with rate=") for line in lines)
        assert any(line.startswith(f"trial {trial.number}: resumed at step ") for line in lines)
    lines, result = said["pbt"]
    copies = [t for t in result.trials if "tuner.forked_from" in t.record.tags]
    assert copies
    for trial in copies:
        donor, step = (trial.record.tags[f"tuner.forked_{word}"] for word in ("from", "at"))
        assert f"trial {trial.number}: goes on from trial {donor} at step {step}, simulated" in lines


def test_real_and_simulated_trials_are_not_mixed_in_a_sweep(tmp_path):
    file = write(tmp_path)
    run(file, tmp_path, trials=2)
    with pytest.raises(InvalidInput, match="has simulated trials"):
        run(file, tmp_path, backend="inline")


def test_a_file_without_a_simulation_is_refused_with_what_to_write(space_file, tmp_path):
    with pytest.raises(InvalidInput, match="expected where simulated trials have their curves from"):
        run(space_file(), tmp_path)


@pytest.mark.parametrize(
    ("simulation", "found"),
    [
        ("{}", "expected one of curves (a table's file) and task, neither is there"),
        ("{task: surfac}", "unknown task 'surfac'"),
        ("{curves: nowhere.csv}", "no such file"),
        ("{task: surface, failures: 2}", "simulation.failures: is 2, expected at most 1"),
        ("{task: surface, noize: 1}", "simulation.noize: unknown key 'noize' (did you mean 'noise'?)"),
        ("{task: surface, stragglers: {factor: 3}}", "simulation.stragglers.share: is missing"),
        ("{task: surface, startup: soon}", "simulation.startup: expected a duration"),
    ],
)
def test_mistakes_in_a_simulation_are_refused(tmp_path, simulation, found):
    with pytest.raises(InvalidInput) as caught:
        tuner.Sweep.from_file(write(tmp_path, simulation=simulation), tmp_path)
    assert found in str(caught.value)


def test_population_based_training_is_refused_on_recorded_curves(tmp_path):
    (tmp_path / "c.csv").write_text("trial,step,seconds\n")
    with pytest.raises(InvalidInput, match="do not say what comes of parameters that change"):
        tuner.Sweep.from_file(write(tmp_path, "{scheduler: pbt}", "{curves: c.csv}"), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("simulation", ["{task: surface, event_files: true}", "{task: surface}"])
def test_a_recorded_simulated_sweep_is_verified_with_its_event_files_or_without(root, tmp_path, simulation):
    ran, sweep = run(write(tmp_path, simulation=simulation), root, trials=6)
    report = verify_sweep(sweep.dir, ran.result)
    assert report.differences == []
    assert report.values > 12
    assert ("event_files" in simulation) == (report.notes == [])
    assert sweep.dir.trial(0).path.exists() == ("event_files" in simulation)


@pytest.mark.slow
@pytest.mark.tf
def test_replayed_curves_of_a_real_sweep_lead_to_the_decisions_of_real_trials(space_file, tmp_path, database):
    import shutil

    roots = {name: tmp_path / name for name in ("whole", "asha_stopping", "asha", "replayed")}
    for folder in roots.values():
        folder.mkdir()
        shutil.copy(database, folder / "mlflow.db")
    train = "{max_steps: 80, evaluate_every: 10}"
    search = "{{sampler: random, scheduler: {}, trials: 6, seed: 1}}"
    whole, _ = run(space_file(train=train, search=search.format("none")), roots["whole"], "local", workers=1)
    table = tmp_path / "curves.csv.gz"
    assert write_curves(whole.result, table) == 6
    for scheduler in ("asha_stopping", "asha"):
        chosen = f"{{name: {scheduler}, eta: 2}}"
        file = space_file(train=train, search=search.format(chosen))
        real, _ = run(file, roots[scheduler], "local", workers=1)
        file.write_text(file.read_text() + f"simulation: {{curves: {table.name}, record: false}}\n")
        simulated, _ = run(file, roots["replayed"] / scheduler, workers=1)
        assert told(simulated.result) == told(real.result)
        assert {t.number: dict(t.record.curve) for t in simulated.result.trials} == {
            t.number: dict(t.record.curve) for t in real.result.trials
        }
        assert [t.record.reason for t in simulated.result.trials] == [t.record.reason for t in real.result.trials]


def test_a_table_of_curves_needs_a_name_that_says_its_format(tmp_path):
    ran, _ = run(write(tmp_path, "{sampler: random, trials: 2}"), tmp_path)
    with pytest.raises(InvalidInput, match=r"expected one that ends in .csv, .csv.gz, .parquet"):
        write_curves(ran.result, Path("curves.xls"))
    assert write_curves(ran.result, tmp_path / "c.parquet") == 2


def test_a_trial_whose_driver_died_is_not_said_to_run_when_the_sweep_ends_without_it(tmp_path):
    class Dies(NullDisplay):
        def line(self, line):
            if line.startswith("trial 1: running"):
                raise KeyboardInterrupt

    file = write(tmp_path, "{sampler: random, trials: 4, workers: 1}")
    sweep = tuner.Sweep.from_file(file, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        sweep.session(RunOptions(backend="simulated"), Dies()).run()
    assert sweep.result().trials[1].state is TrialState.RUNNING
    Study(sweep.spec, open_storage(sweep.dir)).spend(60.0)  # so that no time is left for it
    ran = sweep.session(RunOptions(timeout_s=60.0, backend="simulated"), NullDisplay()).run()
    assert ran.end.reason == "the sweep's time of 60 s is over"
    left = ran.result.trials[1]
    assert (left.state, left.record.reason) == (TrialState.INTERRUPTED, "its driver died")
    states = [r.state for r, _ in read_records(sweep.dir.records_file) if isinstance(r, TrialChanged) and r.trial == 1]
    assert states[-1] is TrialState.INTERRUPTED
    ran = sweep.session(RunOptions(timeout_s=1000.0, backend="simulated"), NullDisplay()).run()
    assert [trial.state for trial in ran.result.trials] == [TrialState.COMPLETE] * 4

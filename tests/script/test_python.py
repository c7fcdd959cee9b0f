"""Sweeps of Python modules and files, in processes forked from the fork server."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tuner
from tests.displays import Lines
from tuner.domain.trial import TrialState
from tuner.events import read_all
from tuner.operations.verify import verify_sweep
from tuner.sweep import RunOptions

pytestmark = [pytest.mark.slow, pytest.mark.tf]

HERE = Path(__file__).parent
TRAINERS = HERE.parent / "data" / "trainers"


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A working directory with the trainers' rows in it."""
    monkeypatch.chdir(tmp_path)
    rng = random.Random(1)
    rows = [(rng.random(), rng.random(), rng.choice(["red", "green", "blue"])) for _ in range(200)]
    lines = [f"{w:.3f},{h:.3f},{c},{w * h + (c == 'red') * 0.3:.4f}" for w, h, c in rows]
    (tmp_path / "rows.csv").write_text("\n".join(["width,height,colour,weight", *lines, ""]))
    return tmp_path


def sweep(root, text, command, name=None):
    file = Path("space.yaml")
    file.write_text(text)
    return tuner.Sweep.from_file(file, root, name, command=command)


def drive(swept, **limits):
    lines = Lines()
    return swept.session(RunOptions(**limits), lines).run(), lines.lines


@pytest.mark.parametrize("words", [["echo.py"], ["-m", "inner.echo"]])
def test_a_script_finds_everything_as_in_a_fresh_interpreter(work, root, words):
    (work / "inner").mkdir()
    for name in ("echo.py", "inner/echo.py"):
        shutil.copy(HERE / "echo.py", work / name)
    (work / "inner" / "__init__.py").touch()
    fresh = [sys.executable, *words, "--x=1", "--out=fresh.json"]
    subprocess.run(fresh, check=True, stdin=subprocess.DEVNULL)
    text = "objective: {metric: m}\nparameters: {x: 1}\nsearch: {trials: 1}\n"
    ran, lines = drive(sweep(root, text, ("python", *words, "--x={x}", "--out=forked.json")))
    assert "never came" in ran.result.trials[0].record.reason
    assert not [line for line in lines if "not added" in line]
    forked, fresh = (json.loads(Path(f"{name}.json").read_text()) for name in ("forked", "fresh"))
    # TensorFlow's import adds variables of its own.
    assert fresh.pop("environment").items() <= forked.pop("environment").items()
    assert forked == fresh


def test_a_script_that_exits_with_a_status_or_raises_fails_with_it(work, root):
    (work / "task.py").write_text(
        "import sys, absl.app\n"
        "def main(argv):\n"
        "    kind = argv[1]\n"
        "    if kind == 'raises': raise ValueError('no luck')\n"
        "    if kind == 'says': sys.exit('bad words')\n"
        "    if kind == 'blank': sys.exit('\\n')\n"
        "    return int(kind)\n"
        "absl.app.run(main)\n"
    )
    text = "objective: {metric: m}\nparameters: {k: {type: categorical, choices: [raises, says, blank, '4']}}\n"
    text += "search: {sampler: grid, trials: 4, max_consecutive_failures: 9}\n"
    ran, _ = drive(sweep(root, text, ("python", "task.py", "{k}")))
    assert ran.exit_status == 1
    assert {t.params["k"]: t.record.reason for t in ran.result.trials} == {
        "raises": "ValueError: no luck (line 4 of task.py)",
        "says": "the command exited: bad words",
        "blank": "the command exited with status 1",
        "4": "the command exited with status 4",
    }


def test_an_ai_platform_file_tunes_a_trainer_with_a_custom_estimator_as_it_is(work, root, monkeypatch):
    trainer = TRAINERS / "csv_trainer"
    monkeypatch.chdir(trainer)
    rows = str(work / "rows.csv")
    command = ("python", "-m", "trainer.task", "--job-dir", "{trial_dir}")
    command += ("--train-files", rows, "--eval-files", rows)
    swept = tuner.Sweep.from_file("hptuning_config.yaml", root, command=command)
    assert swept.spec.name == "hptuning_config"
    ran, _ = drive(swept)
    assert ran.exit_status == 0
    assert len(ran.result.trials) == 4
    for trial in ran.result.trials:
        assert sorted(trial.record.curve) == [20, 40, 60]
        assert trial.state in (TrialState.COMPLETE, TrialState.PRUNED)
        assert trial.record.tags["tuner.objective_folders"] == '{"rmse": "eval_csv-eval"}'
    best = Path(ran.result.best.trial_dir)
    assert list(best.glob("export/final/*/saved_model.pb"))
    assert verify_sweep(swept.dir, ran.result).differences == []


def test_a_trainer_with_pandas_and_a_canned_estimator_reports_by_hypertune(work, root, monkeypatch):
    monkeypatch.chdir(TRAINERS / "pandas_trainer")
    file = work / "vertex.yaml"
    file.write_text(
        "objective: {metric: final_rmse}\nparameters:\n  batch_size: {type: int, low: 8, high: 32}\n"
        "  hidden_units: {type: categorical, choices: ['8 4', '8']}\nsearch: {sampler: random, trials: 2, workers: 1}\n"
    )
    command = ("python3", "-m", "trainer.task", "--output_dir={trial_dir}", f"--rows={work / 'rows.csv'}")
    swept = tuner.Sweep.from_file(file, root, command=(*command, "--hypertune"))
    ran, _ = drive(swept)
    assert [t.state for t in ran.result.trials] == [TrialState.COMPLETE] * 2
    for trial in ran.result.trials:
        folder = Path(trial.trial_dir)
        assert list(trial.record.curve) == [60]
        found = read_all(folder / str(trial.number + 1))
        rmse = [e.scalars["rmse"] for e in found if e.step == 60]
        assert [trial.value] == pytest.approx(rmse)
        assert list((folder / str(trial.number + 1)).glob("export/exporter/*/saved_model.pb"))
    assert verify_sweep(swept.dir, ran.result).differences == []


ASHA = "{sampler: random, scheduler: {name: asha, eta: 2}, trials: 4, seed: 1, workers: 1}"
PLAIN = "{sampler: random, trials: 4, seed: 1, workers: 1}"


@pytest.mark.parametrize("kind", ["train_and_evaluate", "loop"])
def test_a_paused_and_promoted_script_ends_as_one_that_never_paused(work, root, monkeypatch, kind):
    command = ("python", str(TRAINERS / "loop_trainer.py"), "--model_dir={trial_dir}/model")
    metric, parameter = "loss", "rate: {type: float, low: 0.001, high: 0.05, log: true}"
    if kind == "train_and_evaluate":
        monkeypatch.chdir(TRAINERS / "csv_trainer")
        rows = str(work / "rows.csv")
        command = ("python", "-m", "trainer.task", "--job-dir={trial_dir}/model", "--train-steps=80")
        command += (f"--train-files={rows}", f"--eval-files={rows}")
        metric, parameter = "rmse", "learning-rate: {type: float, low: 0.001, high: 0.1, log: true}"
    curves = {}
    for name, search in (("halved", ASHA), ("whole", PLAIN)):
        file = work / f"{name}.yaml"
        file.write_text(
            f"objective: {{metric: {metric}}}\nparameters:\n  {parameter}\n"
            f"train: {{max_steps: 80, evaluate_every: 20}}\nsearch: {search}\n"
        )
        swept = tuner.Sweep.from_file(file, root, command=command)
        ran, _ = drive(swept)
        assert ran.exit_status == 0
        assert verify_sweep(swept.dir, ran.result).differences == []
        curves[name] = {t.number: dict(t.record.curve) for t in ran.result.trials}
        if name == "halved":
            states = [t.state for t in ran.result.trials]
            assert states.count(TrialState.PRUNED) >= 2
            promoted = next(t for t in ran.result.trials if t.state is TrialState.COMPLETE and t.record.attempts > 1)
            log = swept.dir.trial(promoted.number).log_file.read_text()
            assert f"tuner: trial {promoted.number}: resumed at step 40\n" in log
            assert log.count(": resumed at step ") == promoted.record.attempts - 1
    for number, curve in curves["halved"].items():
        assert curve == {step: value for step, value in curves["whole"][number].items() if step in curve}
    assert len({curve[20] for curve in curves["whole"].values()}) == 4
    assert all(sorted(curve) == [20, 40, 60, 80] for curve in curves["whole"].values())


def test_a_script_without_estimators_stops_at_once_when_it_is_asked(work, root):
    (work / "slow.py").write_text(
        "import sys, time\ntry:\n    time.sleep(60)\nfinally:\n    open(sys.argv[1] + '/unwound', 'w').close()\n"
    )
    text = "objective: {metric: m}\nparameters: {x: 1}\nsearch: {trials: 1, trial_timeout: 2s}\n"
    ran, _ = drive(sweep(root, text, ("python", "slow.py", "{trial_dir}")))
    trial = ran.result.trials[0]
    assert trial.record.reason == "ran longer than its limit of 2 s"
    assert trial.record.seconds < 20
    assert (Path(trial.trial_dir) / "unwound").exists()


def test_a_program_that_a_script_starts_ends_by_sigterm_as_ever(work, root):
    (work / "starts.py").write_text(
        "import subprocess, sys\n"
        "started = subprocess.Popen(['sleep', '60'])\n"
        "started.terminate()\n"
        "sys.exit(f'status {started.wait()}')\n"
    )
    text = "objective: {metric: m}\nparameters: {x: 1}\nsearch: {trials: 1}\n"
    ran, _ = drive(sweep(root, text, ("python", "starts.py")))
    assert ran.result.trials[0].record.reason == "the command exited: status -15"

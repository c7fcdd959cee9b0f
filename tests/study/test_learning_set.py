"""Of very many trials a sampler learns from some: the best, an even choice of the others, and those that run."""

import optuna
import pytest
from optuna.trial import TrialState as Optuna

from tests.study.studies import spec
from tests.study.test_study import drawn
from tuner.domain.objective import Goal
from tuner.domain.trial import TrialState
from tuner.files.paths import SweepDir
from tuner.study import Study, learning_set, samplers
from tuner.study.storage import memory_storage


def made(number, value=None, state=Optuna.COMPLETE):
    trial = optuna.trial.create_trial(state=state, value=value if state is Optuna.COMPLETE else None)
    trial.number = number
    return trial


@pytest.mark.parametrize("goal", [Goal.MINIMIZE, Goal.MAXIMIZE])
def test_the_best_an_even_choice_of_the_others_and_all_that_run_are_learned_from(goal):
    values = [(number * 37) % 3001 for number in range(3000)]
    trials = [made(number, goal.loss(float(value))) for number, value in enumerate(values)]
    trials += [made(3000, state=Optuna.RUNNING), made(3001, state=Optuna.FAIL)]
    found = learning_set.learning_set(trials, goal, {values.index(0): 1.0})
    finished = [trial for trial in found if trial.state.is_finished()]
    assert len(finished) == learning_set.MOST and len(found) == len(finished) + 1
    assert [t.number for t in found] == sorted(t.number for t in found)
    best = {number for number, value in enumerate(values) if 1 <= value <= 500}  # the very best breaks a constraint
    assert best <= {t.number for t in found}
    for begin in range(0, 3000, 500):
        assert 280 < sum(begin <= t.number < begin + 500 for t in found) < 390
    assert learning_set.learning_set(trials[:2000], goal, {}) == trials[:2000]


@pytest.fixture
def few(monkeypatch):
    monkeypatch.setattr(learning_set, "MOST", 20)
    monkeypatch.setattr(learning_set, "_BEST", 5)
    monkeypatch.setattr(samplers, "MOST", 20)


def test_a_restarted_driver_draws_from_the_same_choice(few, tmp_path):
    folders = [SweepDir(tmp_path / "mlruns" / "sweeps" / name) for name in "st"]
    for folder in folders:
        folder.path.mkdir(parents=True)
    whole = drawn(folders[0], 32, sampler="tpe")
    assert drawn(folders[1], 27, sampler="tpe") + drawn(folders[1], 5, sampler="tpe") == whole


def test_trials_are_looked_at_once_for_each_draw_and_what_has_come_since_is_seen(few, monkeypatch):
    looks, study = [], Study(spec("tpe"), memory_storage())
    look = samplers._SeenStudy._look_at
    monkeypatch.setattr(samplers._SeenStudy, "_look_at", lambda seen, held: looks.append(len(held)) or look(seen, held))
    for number in range(30):
        before = len(looks)
        record = study.ask()
        assert len(looks) - before <= 2  # as the trial was made, and with what it drew before the rest
        study.finish(record.number, TrialState.COMPLETE, {"rmse": record.params["rate"]})
        seen = study._study.sampler._seen(study._study)._get_trials(deepcopy=False)
        assert len(seen) == min(number + 1, 20) and seen[-1].number == number
        best = min(study.trials(), key=lambda trial: trial.values["rmse"])
        assert best.number in {trial.number for trial in seen}

"""While a scheduler sets nearly all trials aside early, every second draw of tpe is left to chance, and the others
learn from the trials that came farthest."""

import optuna
import pytest
from optuna.trial import TrialState as Optuna

from tests.study.test_study import spec
from tuner.domain.trial import TrialState
from tuner.files.paths import SweepDir
from tuner.study import Study, samplers
from tuner.study.exploring import FEWEST, farthest, is_explored
from tuner.study.storage import memory_storage, open_journal


def made(state, paused=False):
    trial = optuna.trial.create_trial(state=state, value=1.0 if state is Optuna.COMPLETE else None)
    trial.set_user_attr("tuner", {"state": "PAUSED"} if paused else {})
    return trial


@pytest.mark.parametrize(
    ("early", "complete", "earlier", "expected"),
    [(0, 0, 0, False), (4, 1, 0, False), (9, 2, 0, True), (9, 2, 1, False), (9, 0, 0, True)],
)
def test_more_than_four_in_five_that_ended_did_so_early(early, complete, earlier, expected):
    trials = [made(Optuna.COMPLETE)] * complete + [made(Optuna.RUNNING)] * 50 + [made(Optuna.FAIL)] * 50
    trials += [made(Optuna.PRUNED) if n % 2 else made(Optuna.RUNNING, paused=True) for n in range(early)]
    assert is_explored(7, trials, earlier) is expected
    assert not is_explored(8, trials, earlier)


def drawn(study, count, value):
    """What trials draw of which one in ten is complete; the others are paused."""
    found = []
    for _ in range(count):
        record = study.ask()
        found.append(record.params)
        study.report(record.number, 10, {"rmse": value(record)})
        if record.number % 10:
            study.note(record.number, state="PAUSED")
        else:
            study.finish(record.number, TrialState.COMPLETE, {"rmse": value(record)})
    return found


def test_every_second_draw_depends_on_nothing_that_was_seen():
    one, other = (Study(spec("tpe"), memory_storage()) for _ in range(2))
    first = drawn(one, 40, lambda record: record.params["rate"])
    second = drawn(other, 40, lambda record: -record.params["rate"])
    assert first[:10] == second[:10]
    assert first[11::2] == second[11::2]
    assert all(a != b for a, b in zip(first[12::2], second[12::2], strict=True))


def test_a_restarted_driver_explores_as_an_undisturbed_one(tmp_path):
    folders = [SweepDir(tmp_path / "mlruns" / "sweeps" / name) for name in "st"]
    for folder in folders:
        folder.path.mkdir(parents=True)

    def part(folder, count):
        study = Study(spec("tpe"), open_journal(folder.journal_file))
        return drawn(study, count, lambda record: record.params["rate"])

    assert part(folders[1], 23) + part(folders[1], 9) == part(folders[0], 32)


def test_a_trial_is_looked_at_once_for_all_parameters_and_what_is_there_when_a_study_is_opened(monkeypatch):
    asked = []
    monkeypatch.setattr(samplers, "is_explored", lambda number, *others: asked.append(number) or False)
    storage = memory_storage()
    study = Study(spec("tpe", multivariate=False), storage)
    assert drawn(study, 12, lambda record: record.params["rate"])
    assert asked == list(range(12))
    memo = Study(spec("tpe"), storage)._study.sampler._memo
    assert len(memo.held) == 12


def came_to(step, state=Optuna.PRUNED):
    value = 1.0 if state is Optuna.COMPLETE else None
    return optuna.trial.create_trial(state=state, value=value, intermediate_values={step: 1.0} if step else {})


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        ([1] * 30 + [3] * 9 + [9], [3] * 9 + [9]),
        ([1] * 30 + [3] * 8 + [9], [1] * 30 + [3] * 8 + [9]),
        ([0, 0, 1, 3], [0, 0, 1, 3]),
        ([27] * 12 + [9], [27] * 12),
    ],
)
def test_those_that_came_as_far_as_the_tenth_are_the_farthest(steps, kept):
    running = [came_to(1, Optuna.RUNNING), came_to(0, Optuna.FAIL)]
    ended = [came_to(step, Optuna.COMPLETE if step == 27 else Optuna.PRUNED) for step in steps]
    found = farthest([*running, *ended])
    assert found[:2] == running
    assert [max(trial.intermediate_values, default=0) for trial in found[2:]] == kept


def seen(search_earlier, far, early, complete):
    """Return the last steps of the trials that tpe learns from."""
    study = Study(spec("tpe"), memory_storage())
    sampler = study._study.sampler
    sampler._earlier = search_earlier
    for steps, state in (
        ((1, Optuna.PRUNED),) * early + ((3, Optuna.PRUNED),) * far + ((9, Optuna.COMPLETE),) * complete
    ):
        study._study.add_trial(came_to(steps, state))
    trials = sampler._seen(study._study)._get_trials(deepcopy=False)
    return sorted(max(trial.intermediate_values) for trial in trials if trial.intermediate_values)


def test_tpe_learns_from_the_farthest_for_as_long_as_nearly_all_end_early():
    assert seen((), far=FEWEST - 1, early=30, complete=1) == [3] * (FEWEST - 1) + [9]
    assert seen((), far=0, early=30, complete=FEWEST) == [1] * 30 + [9] * FEWEST  # a quarter is complete
    assert len(seen([made(Optuna.COMPLETE)] * 20, far=FEWEST, early=30, complete=1)) == 31 + FEWEST

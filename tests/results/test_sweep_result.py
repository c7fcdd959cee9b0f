"""What a sweep has found, where values are NaN or infeasible."""

import math

import pytest

from tuner.domain.objective import Constraint, Goal, Objective
from tuner.domain.spec import SearchSettings, SweepSpec, TrainSettings
from tuner.domain.trial import TrialState
from tuner.errors import SweepError
from tuner.files.paths import SweepDir
from tuner.operations.compare import _best_so_far
from tuner.results import SweepResult
from tuner.space import Float, Space
from tuner.study import Study
from tuner.study.storage import open_journal

ONE = (Objective("rmse"),)
TWO = (Objective("rmse"), Objective("acc", Goal.MAXIMIZE))


@pytest.fixture
def found(tmp_path):
    """Return the results of a sweep whose trials had these values."""

    def finish(values, objectives=ONE, constraints=()):
        sweep_dir = SweepDir(tmp_path / "mlruns" / "sweeps" / "s")
        sweep_dir.path.mkdir(parents=True)
        space = Space((Float("rate", 0.0, 1.0),))
        spec = SweepSpec("s", objectives, space, TrainSettings(10, 5), SearchSettings(), constraints=constraints)
        study = Study(spec, open_journal(sweep_dir.journal_file))
        for own in values:
            number = study.ask().number
            feasible = {"tags": {"tuner.feasible": str(own["size"] <= 1).lower()}} if "size" in own else {}
            limits = {"size": own["size"]} if "size" in own else {}
            told = {o.metric: own[o.metric] for o in objectives}
            study.finish(number, TrialState.COMPLETE, told, limits, **feasible)
        return SweepResult(sweep_dir, spec)

    return finish


def test_a_trial_whose_objective_is_nan_is_never_the_best(found):
    result = found([{"rmse": math.nan}, {"rmse": 0.5}, {"rmse": 0.2}])
    assert result.best.number == 2
    assert repr(result) == "<SweepResult 's': 3 COMPLETE, best trial 2 with {'rmse': 0.2}>"


def test_what_a_trial_has_not_is_no_null(found):
    result = found([{"rmse": 0.5}])
    assert result.trials[0].record.step is None
    assert result.select("step = null") == result.select("step != 5") == []


def test_where_all_are_nan_there_is_no_best(found):
    result = found([{"rmse": math.nan}])
    assert result.best_or_none is None
    with pytest.raises(SweepError, match="of every complete trial of the sweep 's' is NaN"):
        result.best  # noqa: B018


def test_a_trial_with_a_nan_is_on_no_front(found):
    result = found([{"rmse": 0.1, "acc": math.nan}, {"rmse": 0.5, "acc": 0.9}, {"rmse": 0.2, "acc": 0.8}], TWO)
    assert [trial.number for trial in result.front] == [1, 2]


def test_the_best_so_far_of_a_comparison_is_feasible(found):
    values = [{"rmse": 0.5, "size": 1}, {"rmse": 0.1, "size": 2}, {"rmse": 0.4, "size": 1}]
    result = found(values, constraints=(Constraint("size", high=1.0),))
    assert _best_so_far(result) == {0: 0.5, 1: 0.5, 2: 0.4}
    assert result.best.value == 0.4


def test_a_data_frame_has_when_trials_began_and_ended(found):
    frame = found([{"rmse": 0.5}]).dataframe()
    assert frame["started"][0] <= frame["ended"][0]
    assert str(frame["ended"].dtype).endswith("UTC]")


def test_what_mattered_is_computed_once_for_all_that_show_it(found, monkeypatch):
    from tuner.study import importance

    result, asked, compute = found([{"rmse": 0.1 * n} for n in range(5)]), [], importance.importances
    monkeypatch.setattr(importance, "importances", lambda *given: asked.append(1) or compute(*given))
    result.importance(), result.charts(), result.importances
    assert asked == [1]

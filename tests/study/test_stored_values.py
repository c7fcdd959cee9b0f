"""What a study holds of discrete and mirrored parameters: values that other tools read; samplers know their order."""

import optuna
import pytest

from tuner.config import parameter_to_json
from tuner.domain.objective import Goal, Objective
from tuner.domain.spec import Named, SearchSettings, SweepSpec, TrainSettings
from tuner.domain.trial import TrialState
from tuner.space import Categorical, Discrete, Float, Int, Space
from tuner.study import Study
from tuner.study.encoding import is_seen_otherwise
from tuner.study.frozen_trial import ATTRIBUTE, STORED
from tuner.study.storage import memory_storage, open_journal

BATCH = Discrete("batch", (16, 32, 100, 0.5e3))
SPACE = Space((BATCH, Float("keep", 0.01, 0.999, log=True, reverse=True), Int("units", 3, 700, log=True, reverse=True)))
GRID = Space((BATCH, Int("units", 3, 6, log=True, reverse=True), Categorical("shape", ([1], "a"))))
OBJECTIVES = (Objective("rmse"), Objective("size", Goal.MAXIMIZE))


def spec(sampler, objectives=OBJECTIVES[:1], space=SPACE):
    return SweepSpec("s", objectives, space, TrainSettings(100, 10), SearchSettings(sampler=Named(sampler)))


def of_earlier_version(storage, spec):
    """Make the study as versions before did, which noted of what they stored otherwise."""
    study = optuna.create_study(
        storage=storage, study_name="s", directions=[objective.goal.value for objective in spec.objectives]
    )
    odd = [parameter_to_json(p) for p in spec.space.parameters if is_seen_otherwise(p)]
    study.set_user_attr(ATTRIBUTE, {STORED: odd})
    return storage


def loss(params):
    return abs(params["units"] - 500) / 700 + abs(params["batch"] - 100) / 500


def drawn(study, count):
    found = []
    for _ in range(count):
        record = study.ask()
        params = record.params
        values = {"rmse": loss(params), "size": float(params["batch"])}
        study.finish(record.number, TrialState.COMPLETE, {o.metric: values[o.metric] for o in study._spec.objectives})
        found.append(params)
    return found


@pytest.mark.parametrize(
    ("sampler", "objectives"), [("random", 1), ("tpe", 1), ("qmc", 1), ("nsgaii", 2), ("tpe", 2), ("grid", 1)]
)
def test_samplers_draw_as_on_a_study_that_holds_what_they_see(sampler, objectives):
    what = spec(sampler, OBJECTIVES[:objectives], GRID if sampler == "grid" else SPACE)
    storage = memory_storage()
    plain = drawn(Study(what, storage), 24)
    before = drawn(Study(what, of_earlier_version(memory_storage(), what)), 24)
    for one, other in zip(plain, before, strict=True):
        assert one == {name: pytest.approx(v, rel=1e-9) if name == "keep" else v for name, v in other.items()}
    for held, params in zip(storage.get_all_trials(0), plain, strict=True):
        assert {name: held.params[name] for name in params if name != "shape"} == {
            name: value for name, value in params.items() if name != "shape"
        }


def test_whoever_opens_the_study_with_optuna_reads_values_and_what_they_are_values_of(tmp_path):
    ours = Study(spec("tpe", OBJECTIVES), open_journal(tmp_path / "study.journal"))
    found = drawn(ours, 3)
    study = optuna.load_study(study_name="s", storage=open_journal(tmp_path / "study.journal"))
    assert study.metric_names == ["rmse", "size"]
    assert [trial.params for trial in study.trials] == found
    assert list(study.trials_dataframe()["params_batch"]) == [params["batch"] for params in found]
    kinds = study.trials[0].distributions
    assert kinds["batch"] == optuna.distributions.CategoricalDistribution(BATCH.values)
    assert kinds["keep"] == optuna.distributions.FloatDistribution(0.01, 0.999)


def test_a_study_of_an_earlier_version_is_read_and_gone_on_with_as_it_was(tmp_path):
    what = spec("tpe")
    file = tmp_path / "study.journal"
    first = drawn(Study(what, of_earlier_version(open_journal(file), what)), 12)
    again = Study(what, open_journal(file))
    assert [trial.params for trial in again.trials()] == first
    waits = {"batch": 32, "units": 7, "keep": 0.5}
    again.enqueue([waits])
    assert again.ask().params == {**waits, "keep": pytest.approx(0.5, rel=1e-12)}
    held = optuna.load_study(study_name="s", storage=open_journal(file)).trials[-1]
    assert held.params["batch"] == 1 and held.params["units"] == 3 + 700 - 7


def test_tpe_learns_on_them():
    best = min(drawn(Study(spec("tpe"), memory_storage()), 60), key=loss)
    assert best["batch"] == 100 and best["units"] == pytest.approx(500, abs=25)

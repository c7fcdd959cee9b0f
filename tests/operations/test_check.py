"""What ``tuner check`` refuses before it builds anything."""

import sys

import pytest

from tests.spaces import SIMULATED
from tuner.backends import Ended, Reported
from tuner.backends.local import LocalBackend
from tuner.config import load_spec, sampler_options
from tuner.config.load import parse_spec
from tuner.domain.job import JobResult, JobStatus
from tuner.domain.trial import Evaluation, TrialRecord, TrialState
from tuner.driver.launch import new_attempt
from tuner.driver.outcomes import outcome_of_end
from tuner.errors import InvalidInput
from tuner.files.paths import TrialDir
from tuner.operations.check import _judge, check_settings, check_spec


@pytest.mark.parametrize("asked", [False, True])
def test_the_traceback_of_a_model_is_shown_if_it_is_asked_for(space_file, tmp_path, asked):
    end = Ended(0, JobResult(JobStatus.FAILED, 1, 0, "ValueError: no rows (model.py:7)"))
    trial_dir = TrialDir(tmp_path / "0000")
    trial_dir.path.mkdir()
    trial_dir.log_file.write_text("Traceback (most recent call last):\n  File model.py\nValueError: no rows\n")
    with pytest.raises(InvalidInput) as error:
        _judge(load_spec(space_file()), {"rate": 0.1}, [end], trial_dir, asked)
    assert "failed with rate=0.1: ValueError: no rows (model.py:7)" in str(error.value)
    assert ("Traceback" in str(error.value)) is asked
    assert ("(its traceback: --debug)" in str(error.value)) is not asked


@pytest.mark.parametrize("status", [JobStatus.NAN, JobStatus.INFEASIBLE])
def test_a_check_says_as_a_sweep_does_why_a_trial_came_to_no_end(space_file, tmp_path, status):
    spec = load_spec(space_file())
    result = JobResult(status, 1, 0, "too large")
    attempt = new_attempt(TrialRecord(0, TrialState.RUNNING, {}), spec, TrialDir(tmp_path / "0000"), None, 1)
    told = outcome_of_end(attempt, result, (), "fail", 0).reason
    with pytest.raises(InvalidInput) as error:
        _judge(spec, {}, [Ended(0, result)], TrialDir(tmp_path / "0000"), False)
    assert f": {told} (its traceback" in str(error.value)
    assert ("a trial that ends so fails; look for a division" in str(error.value)) is (status is JobStatus.NAN)


@pytest.mark.parametrize(
    ("value", "search", "said", "end"),
    [
        (0.5, "{sampler: tpe}", "", "ok"),
        (
            float("nan"),
            "{sampler: tpe}",
            "after one step the objective rmse is NaN; a trial that ends so fails",
            "ok, except that rmse may",
        ),
        (
            float("inf"),
            "{sampler: tpe, nan: worst}",
            "after one step the objective rmse is inf, which counts as NaN does; a trial that ends so counts as",
            "ok, except",
        ),
    ],
)
def test_an_objective_that_is_no_number_is_said(space_file, tmp_path, value, search, said, end):
    reported = Reported(0, Evaluation(1, 0.0, "eval", {"loss": 1.0, "rmse": value}))
    done = Ended(0, JobResult(JobStatus.STOPPED, 1, 1))
    lines = _judge(load_spec(space_file(search=search)), {}, [reported, done], TrialDir(tmp_path), False).lines
    assert lines[-1].startswith(end) and (lines[-1] == "ok") is (value == 0.5)
    assert [line.startswith(f"note: {said}") for line in lines[3:-1]] == ([True] if said else [])


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("{scheduler: {name: pbt, population: 1}, trials: 9}", "population: is 1, expected at least 2"),
        ("{sampler: qmc}", "qmc needs scipy, which is not installed"),
        ("{sampler: {name: nsgaii, population_size: 1}}", "population_size"),
    ],
)
def test_what_run_refuses_of_the_settings_check_refuses(space_file, monkeypatch, search, said):
    monkeypatch.setattr(sampler_options.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(LocalBackend, "open", lambda _: pytest.fail("the model was imported"))
    with pytest.raises(InvalidInput, match=said):
        check_spec(load_spec(space_file(search=search)))


SIMULATED_BY = SIMULATED.replace("{sampler: random,", "{SEARCH,")


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("sampler: {name: nsgaii, population_size: 1}", "search.sampler: nsgaii refuses its options"),
        ("scheduler: {name: pbt, population: 1}", "population: is 1, expected at least 2"),
    ],
)
def test_the_settings_of_a_file_without_a_model_are_checked(tmp_path, search, said):
    with pytest.raises(InvalidInput, match=said):
        check_spec(parse_spec(SIMULATED_BY.replace("SEARCH", search), "space.yaml", tmp_path))


def test_what_is_left_out_of_a_file_without_a_model_is_said(tmp_path):
    found = check_spec(parse_spec(SIMULATED, "space.yaml", tmp_path))
    assert found.lines == (
        "scheduler, sampler and recorders can be used",
        "left out: a model, as the file names none",
        "ok",
    )


@pytest.mark.parametrize("asked", [False, True])
def test_a_model_that_failed_has_the_notes_on_the_file_with_and_without_a_traceback(space_file, tmp_path, asked):
    end = Ended(0, JobResult(JobStatus.FAILED, 1, 0, "ValueError: no rows"))
    trial_dir = TrialDir(tmp_path / "0000")
    trial_dir.path.mkdir()
    trial_dir.log_file.write_text("Traceback (most recent call last):\nValueError: no rows\n")
    spec = load_spec(space_file(), ["parameters.units=[8, 16]"])
    with pytest.raises(InvalidInput) as error:
        _judge(spec, {}, [end], trial_dir, asked)
    assert "note: parameters.units is the constant list [8, 16] in every trial" in str(error.value)


def test_parameters_that_the_model_has_not_read_are_named(space_file, tmp_path):
    values = Evaluation(1, 1.0, "eval", {"rmse": 0.5})
    end = Ended(0, JobResult(JobStatus.STOPPED, 1, 1, "", tags={"tuner.unread": '["rate"]', "tuner.note": "so"}))
    messages = [Reported(0, values), end]
    lines = _judge(load_spec(space_file()), {"rate": 0.1}, messages, TrialDir(tmp_path / "0000"), False).lines
    assert lines[-3:] == (
        "note: so",
        "note: the model has not read the parameter 'rate': is it spelled so there?",
        "ok",
    )


def test_a_sampler_of_the_users_own_is_made_once(tmp_path, monkeypatch):
    made = "import optuna\n\n\nclass Counted(optuna.samplers.RandomSampler):\n"
    made += "    count = 0\n\n    def __init__(self, seed=None):\n        super().__init__(seed)\n"
    (tmp_path / "counted_sampler.py").write_text(f"{made}        Counted.count += 1\n")
    text = SIMULATED_BY.replace("SEARCH", "sampler: 'counted_sampler:Counted'")
    monkeypatch.syspath_prepend(tmp_path)
    check_settings(parse_spec(text, "space.yaml", tmp_path))
    assert sys.modules["counted_sampler"].Counted.count == 1

"""Evaluations of a trial that share a session write what evaluations with sessions of their own write."""

import threading
from collections import Counter

import pytest

from tests.conftest import MODELS
from tuner.domain.job import Job, JobStatus
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.estimator import session_reuse
from tuner.estimator.stop_control import StopRequest
from tuner.files.paths import TrialDir
from tuner.trial import run as running

pytestmark = pytest.mark.tf

EVALUATED = ModelRef(file=str(MODELS / "evaluated.py"))
CANNED = ModelRef(file=EVALUATED.file, object="canned")
HOUSING = {"learning_rate": 0.01, "units": 16, "layers": 1, "optimizer": "adam", "batch_size": 128}
KERAS = {"learning_rate": 0.01, "units": 16, "layers": 1, "activation": "relu", "batch_size": 128}


@pytest.fixture
def sessions(tf, monkeypatch):
    """Count sessions made and closed."""
    from tensorflow.python.client.session import BaseSession

    counts = Counter()
    made, closed = BaseSession.__init__, BaseSession.close

    def init(self, *args, **kwargs):
        counts["made"] += 1
        made(self, *args, **kwargs)

    def close(self):
        counts["open"] -= self._session is not None and not self._closed
        closed(self)

    monkeypatch.setattr(BaseSession, "__init__", init)
    monkeypatch.setattr(BaseSession, "close", close)
    return counts


def trial(model, params, folder):
    folder.mkdir()
    job = Job(0, 1, params, 1, TrainSettings(max_steps=60, evaluate_every=20), model)
    return running.run_job(job, TrialDir(folder), StopRequest())


def written(tf, folder):
    """What evaluations wrote: steps and summaries as bytes, but for the checkpoint's path."""
    events = []
    for file in sorted(folder.glob("eval*/events*")):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            values = [v.SerializeToString() if v.tag != "checkpoint_path" else v.tag for v in event.summary.value]
            events.append((file.parent.name, event.step, values))
    return events


def alone(model, params, folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("TUNER_SESSION_PATCHES", "0")
        return trial(model, params, folder)


def compare(tf, sessions, monkeypatch, model, params, tmp_path):
    """Run a trial with sessions of its evaluations' own and one that shares; return how many sessions each made."""
    assert alone(model, params, tmp_path / "alone", monkeypatch).ending is JobStatus.FINISHED
    own = sessions.pop("made")
    assert trial(model, params, tmp_path / "sharing").ending is JobStatus.FINISHED
    both = [written(tf, tmp_path / name) for name in ("alone", "sharing")]
    assert both[0] == both[1]
    assert len({step for _, step, values in both[0] if values}) == 3
    return own, sessions["made"]


@pytest.mark.parametrize(
    ("model", "params"),
    [
        (ModelRef("tuner.examples.housing"), HOUSING),
        (ModelRef("tuner.examples.housing_keras"), KERAS),
        (CANNED, {}),
        (EVALUATED, {}),
        (EVALUATED, {"what": "map"}),
        (EVALUATED, {"what": "steps"}),
        (EVALUATED, {"what": "stateless"}),
    ],
    ids=["custom", "keras", "canned", "small", "map", "steps", "stateless random"],
)
def test_three_evaluations_share_a_session_and_write_the_same_bytes(model, params, tf, sessions, monkeypatch, tmp_path):
    own, shared = compare(tf, sessions, monkeypatch, model, params, tmp_path)
    assert own - shared == 2


@pytest.mark.parametrize("what", ["hook", "dropout", "scaffold", "shuffle", "subset", "py_function", "cache"])
def test_what_needs_a_session_of_its_own_has_one(what, tf, sessions, monkeypatch, tmp_path):
    own, shared = compare(tf, sessions, monkeypatch, EVALUATED, {"what": what}, tmp_path)
    assert own == shared == 1 + 3


def test_a_file_that_grows_between_evaluations_is_read_anew(tf, sessions, monkeypatch, tmp_path):
    files = {name: tmp_path / f"{name}.txt" for name in ("alone", "sharing")}
    params = {"what": "lines", "lines": str(files["alone"])}
    assert alone(EVALUATED, params, tmp_path / "alone", monkeypatch).ending is JobStatus.FINISHED
    files["alone"].rename(files["sharing"])
    sessions.clear()
    assert trial(EVALUATED, params, tmp_path / "sharing").ending is JobStatus.FINISHED
    assert files["alone"].read_text() == files["sharing"].read_text()
    assert len(files["alone"].read_text().splitlines()) == 3 * 8
    assert written(tf, tmp_path / "alone") == written(tf, tmp_path / "sharing")
    assert sessions["made"] == 1 + 1


def test_a_table_that_changed_has_a_session_of_its_own(tf, sessions, monkeypatch, tmp_path):
    from tensorflow.python.ops import lookup_ops

    file = tmp_path / "words.txt"
    rows = lookup_ops.TextFileInitializer.initialize

    def changing(self, table):  # after the graph is built, as another process would
        file.write_text("\n".join(next(contents)) + "\n")
        return rows(self, table)

    made = []
    for name, how in (("alone", alone), ("sharing", lambda *args: trial(*args[:3]))):
        contents = iter([["red", "green"]] * 3 + [["blue", "green"]] * 3)
        with monkeypatch.context() as patch:
            patch.setattr(lookup_ops.TextFileInitializer, "initialize", changing)
            file.write_text("red\ngreen\n")
            sessions.clear()
            how(CANNED, {"file": str(file)}, tmp_path / name, monkeypatch)
            made.append(sessions["made"])
    assert written(tf, tmp_path / "alone") == written(tf, tmp_path / "sharing")
    assert made == [4, 3]


def test_an_evaluation_that_raises_leaves_no_session(tf, sessions, tmp_path):
    result = trial(EVALUATED, {"what": "raise"}, tmp_path / "trial")
    assert result.ending is JobStatus.FAILED
    assert result.step == 40
    assert sessions["made"] == 1 + 1  # the second evaluation, in the first one's session, is the one that raises
    assert sessions["made"] + sessions["open"] == 0


def test_a_trial_closes_what_it_opened(tf, sessions, tmp_path):
    assert trial(EVALUATED, {}, tmp_path / "trial").ending is JobStatus.FINISHED
    for thread in threading.enumerate():
        if thread.name == "close session":  # its iterators were still being emptied
            thread.join(60)
    assert sessions["made"] + sessions["open"] == 0


def test_between_evaluations_nothing_is_read_ahead(tf):
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        iterator = tf.compat.v1.data.make_initializable_iterator(
            tf.data.Dataset.range(5).map(lambda x: x + 1).prefetch(2)
        )
        element, emptying = iterator.get_next(), session_reuse._emptying(iterator)
        for _ in range(2):
            session.run(iterator.initializer)
            assert session.run(element) == 1
            session_reuse._run(session, [emptying])
            with pytest.raises(tf.errors.OutOfRangeError):
                session.run(element)

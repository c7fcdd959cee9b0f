"""Several recorders as one: the first says what has arrived, one beside it that fails is left out."""

import pytest

from tuner.recorders.base import Recorder
from tuner.recorders.composite import CompositeRecorder


class Keeps(Recorder):
    def __init__(self, log, name, fails_at=""):
        self.log, self.name, self.fails_at = log, name, fails_at

    def _note(self, what):
        self.log.append(f"{self.name} {what}")
        if what == self.fails_at:
            raise ValueError("no room\nfor it")

    def open(self):
        self._note("open")

    def recall(self, records):
        self._note("recall")

    def write(self, records):
        self._note("write")

    def attach(self, closing):
        self._note("attach")
        return f"{self.name} waits"

    def close(self):
        self._note("close")


def made(log, said, **fails_at):
    others = [(name, lambda name=name, at=at: Keeps(log, name, at)) for name, at in fails_at.items()]
    return CompositeRecorder(Keeps(log, "first"), lambda: others, said.append)


def test_those_beside_are_opened_with_the_first_records_and_get_them_before_the_first_does():
    log, said = [], []
    recorder = made(log, said, beside="")
    recorder.open()
    assert log == ["first open"]
    recorder.write([])
    assert log[1:] == ["beside open", "beside write", "first write"]
    assert recorder.attach(False) == "first waits"
    recorder.close()
    assert log[-2:] == ["beside close", "first close"] and said == []


def test_one_beside_that_fails_is_said_once_and_left_out_and_the_others_go_on():
    log, said = [], []
    recorder = made(log, said, bad="write", good="")
    recorder.recall([])
    recorder.write([])
    recorder.write([])
    assert log.count("bad write") == 1 and log.count("good write") == 2 and log.count("first write") == 2
    assert said == ["recorder bad is left out until the sweep is resumed: ValueError: no room"]


def test_others_that_cannot_be_named_are_said_and_the_first_goes_on():
    log, said = [], []

    def broken():
        raise RuntimeError("no such class")

    recorder = CompositeRecorder(Keeps(log, "first"), broken, said.append)
    recorder.write([])
    recorder.write([])
    assert log == ["first write", "first write"]
    assert said == ["recorders beside MLflow are left out until the sweep is resumed: no such class"]


def test_a_failure_of_the_first_is_raised():
    with pytest.raises(ValueError, match="no room"):
        CompositeRecorder(Keeps([], "first", "write"), tuple, print).write([])

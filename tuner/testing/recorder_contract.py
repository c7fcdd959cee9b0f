"""What every recorder must do, as tests to inherit.

class TestMine(RecorderContract):
    @pytest.fixture
    def make(self, tmp_path):
        return lambda: MyRecorder(...)        # on the same store each time

    def read(self, trial): ...                # a RecordedRun, or None
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from tuner.domain.trial import Evaluation, TrialState
from tuner.recorders import Recorder
from tuner.recorders.mlflow.reader import RecordedRun
from tuner.records.record import Evaluated, Record, SweepClosed, SweepOpened, TrialChanged, TrialOpened

OPENED = SweepOpened("a" * 32, "sweep", 1_700_000_000.0, {"rmse": "minimize"}, "name: sweep\n", {"trials": 2})


def records() -> list[Record]:
    """Return the records of a sweep of two trials."""
    found: list[Record] = [OPENED]
    for trial in (0, 1):
        found.append(TrialOpened(trial, 1_700_000_001.0, {"rate": 0.1 * (trial + 1), "shape": [1, 2]}))
        for step in (10, 20, 30):
            scalars = {"rmse": 1.0 / step + trial, "loss": math.nan, "bad@tag": 1.0}
            found.append(Evaluated(trial, Evaluation(step, 1_700_000_002.0 + step, "eval", scalars)))
        state = TrialState.COMPLETE if trial == 0 else TrialState.PRUNED
        values = {"rmse": 1.0 / 30 + trial}
        found.append(TrialChanged(trial, 1_700_000_100.0, state, "" if trial == 0 else "by median", values, 30))
    found.append(SweepClosed(1_700_000_200.0, True, "2 of 2 trials", 0))
    return found


class RecorderContract:
    """Inherit, and give a fixture ``make`` and a method ``read``."""

    def read(self, trial: int) -> RecordedRun | None:
        """Return what the store holds of a trial."""
        raise NotImplementedError

    def count(self) -> int:
        """Return how many runs of trials the store holds."""
        raise NotImplementedError

    @pytest.fixture
    def make(self) -> Callable[[], Recorder]:
        """Return what makes a recorder, on the same store each time."""
        raise NotImplementedError

    def test_every_value_arrives_at_its_step_with_every_bit(self, make: Callable[[], Recorder]) -> None:
        """NaN too."""
        self._write(make, [records()])
        self._check()

    def test_records_sent_again_by_another_process_count_once(self, make: Callable[[], Recorder]) -> None:
        """Whole, or from the middle."""
        self._write(make, [records(), records()[3:], records()])
        self._check()

    def test_an_end_that_the_next_driver_records_again_counts_once(self, make: Callable[[], Recorder]) -> None:
        """The first driver died after it had recorded the end, and before the study knew."""
        found = records()
        again = [replace(r, time=r.time + 60) for r in found if isinstance(r, TrialChanged)]
        self._write(make, [found[:-1]])
        recorder = make()
        recorder.open()
        recorder.recall(found[:-1])
        recorder.write([*again, found[-1]])
        recorder.close()
        self._check()

    def test_a_process_that_died_at_any_record_is_gone_on_from(self, make: Callable[[], Recorder]) -> None:
        """What came before is recalled, and its last batch sent again."""
        whole = records()
        for cut in range(1, len(whole)):
            recorder = make()
            recorder.open()
            recorder.recall(whole[: max(0, cut - 2)])
            recorder.write(whole[max(0, cut - 2) : cut])
            recorder.close()
        self._write(make, [whole])
        self._check()

    def test_states_are_statuses_that_people_know(self, make: Callable[[], Recorder]) -> None:
        """Complete is FINISHED, pruned KILLED."""
        self._write(make, [records()])
        found = [self.read(trial) for trial in (0, 1)]
        assert [run.status for run in found if run] == ["FINISHED", "KILLED"]
        assert [run.tags["tuner.state"] for run in found if run] == ["COMPLETE", "PRUNED"]

    def _write(self, make: Callable[[], Recorder], attempts: list[list[Record]]) -> None:
        for attempt in attempts:
            recorder = make()
            recorder.open()
            if not isinstance(attempt[0], SweepOpened):
                recorder.recall(records()[:3])
            recorder.write(attempt)
            recorder.close()

    def _check(self) -> None:
        assert self.count() == 2
        for trial in (0, 1):
            run = self.read(trial)
            assert run is not None
            assert run.doubled == ()
            assert run.metrics["eval/rmse"] == {step: 1.0 / step + trial for step in (10, 20, 30)}
            assert all(math.isnan(value) for value in run.metrics["eval/loss"].values())
            assert set(run.metrics["eval/bad_tag"]) == {10, 20, 30}
            assert list(run.metrics["objective"].values()) == [1.0 / 30 + trial]
            assert run.params == {"rate": str(0.1 * (trial + 1)), "shape": "[1, 2]"}

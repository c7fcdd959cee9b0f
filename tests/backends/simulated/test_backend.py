"""The simulated backend, against the suite that ships and by its clock."""

from dataclasses import replace

import pytest

from tuner.backends import Ended, Reported
from tuner.backends.simulated.backend import SimulatedBackend
from tuner.backends.simulated.synthetic import SyntheticCurves
from tuner.domain.job import JobStatus
from tuner.domain.objective import Objective
from tuner.domain.spec import Simulation, TrainSettings
from tuner.files.paths import TrialDir
from tuner.space import Float, Space
from tuner.testing.backend_contract import BackendContract

SPACE = Space((Float("learning_rate", 1e-3, 1.0, log=True),))


def make(tmp_path=None, **settings):
    simulation = Simulation(task="surface", seconds_per_step=1.0, **settings)
    curves = SyntheticCurves(SPACE, (Objective("rmse"),), TrainSettings(40, 10), simulation)
    return SimulatedBackend(curves, simulation, tmp_path and tmp_path / "left.jsonl", clock=0.0)


class TestSimulated(BackendContract):
    @pytest.fixture
    def backend(self, tmp_path):
        return make(tmp_path, noise=0.1)

    def test_an_exception_ends_the_trial_with_its_last_line(self):
        pytest.skip("nothing runs that could raise")

    def test_time_is_the_courses_and_happenings_come_in_its_order(self, opened, tmp_path):
        opened.start(self.job(0), TrialDir(tmp_path / "0000"))
        opened.start(self.job(1, train=TrainSettings(40, 5)), TrialDir(tmp_path / "0001"))
        seen = []
        while len(seen) < 12:
            seen += [(opened.clock(), m.trial, m.evaluation.step) for m in opened.wait(1) if isinstance(m, Reported)]
        assert [time for time, *_ in seen] == sorted(time for time, *_ in seen)
        assert [(time, step) for time, trial, step in seen if trial == 0] == [(float(s), s) for s in (10, 20, 30, 40)]

    def test_another_driver_goes_on_from_what_was_left_with_the_same_values_and_times(self, tmp_path):
        first = make(tmp_path, noise=0.1)
        first.open()
        first.start(self.job(0, stop_at=20), TrialDir(tmp_path / "0000"))
        before = [m.evaluation for m in self.until_ended(first) if isinstance(m, Reported)]
        first.start(self.job(0, attempt=2), TrialDir(tmp_path / "0000"))  # and is killed: nothing more is written
        before += [m.evaluation for m in first.wait(1) + first.wait(1) if isinstance(m, Reported)][2:]
        with (tmp_path / "left.jsonl").open("a") as stream:
            stream.write('{"trial":0,"e')
        second = make(tmp_path, noise=0.1)
        second.open()
        second.start(self.job(0, attempt=3), TrialDir(tmp_path / "0000"))
        after = self.until_ended(second)
        assert [m.evaluation for m in after if isinstance(m, Reported)][: len(before)] == before
        assert [e.step for e in before] == [10, 20, 30]
        assert after[-1].result.ending is JobStatus.FINISHED

    def test_a_fork_begins_with_the_loss_of_its_donor_and_evaluates_it_first(self, tmp_path):
        backend = make(tmp_path)
        backend.open()
        backend.start(self.job(0, stop_at=20), TrialDir(tmp_path / "0000"))
        donor = [m.evaluation for m in self.until_ended(backend) if isinstance(m, Reported)]
        backend.fork(tmp_path / "0000", 20, tmp_path / "0001")
        other = replace(self.job(1), params={"learning_rate": 0.9})
        backend.start(other, TrialDir(tmp_path / "0001"))
        forked = [m.evaluation for m in self.until_ended(backend) if isinstance(m, Reported)]
        assert [e.step for e in forked] == [20, 30, 40]
        assert forked[0].scalars == pytest.approx(donor[-1].scalars)
        backend.start(replace(other, attempt=2), TrialDir(tmp_path / "0001"))
        again = [m.evaluation for m in self.until_ended(backend) if isinstance(m, Reported)]
        assert again == forked  # with the times that they had
        with pytest.raises(FileNotFoundError, match="no checkpoint of trial 7"):
            backend.fork(tmp_path / "0007", 20, tmp_path / "0008")

    def test_steps_and_busy_time_count_what_was_trained_behind_the_last_evaluation_too(self, tmp_path):
        backend = make(tmp_path, reaction_s=5.0)
        backend.open()
        backend.start(self.job(0), TrialDir(tmp_path / "0000"))
        while not any(isinstance(m, Reported) for m in backend.wait(1)):
            pass
        assert (backend.steps, backend.busy_s) == (10, 10.0)
        backend.stop(0, kill=True)
        (end,) = [m for m in self.until_ended(backend) if isinstance(m, Ended)]
        assert (end.result.died, end.result.step) == (True, 10)
        assert (backend.steps, backend.busy_s, backend.clock()) == (15, 15.0, 15.0)

    def test_stragglers_take_longer_and_failing_lives_leave_a_checkpoint(self, tmp_path):
        slow = make(straggler_share=1.0, straggler_factor=3.0)
        slow.open()
        slow.start(self.job(0), TrialDir(tmp_path / "0000"))
        self.until_ended(slow)
        assert slow.clock() == 120.0
        failing = make(failures=1.0)
        failing.open()
        attempt, step = 0, 0
        while step < 40 and attempt < 50:
            attempt += 1
            failing.start(self.job(0, attempt=attempt), TrialDir(tmp_path / "0000"))
            (end,) = [m for m in self.until_ended(failing) if isinstance(m, Ended)]
            assert end.result.died
            assert (end.result.step or 0) >= step
            step = end.result.step or 0
            assert step % 10 == 0
        assert step == 30  # every attempt dies before its end

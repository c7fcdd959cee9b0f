"""Who of a cluster may step, so that it comes to each checkpoint together."""

import threading
import time

from tests.cluster import chief
from tuner.trial.tf_cluster.gate import StepGate


class TestGate:
    def test_the_chief_takes_the_last_step_of_a_segment_when_all_others_are_taken(self):
        gate, done, lock = StepGate(10, 50), [0], threading.Lock()
        steps = {"chief": 0, "worker": 0}

        def worker():
            while gate.worker_may_step("worker"):
                time.sleep(0.0005)
                with lock:
                    done[0] += 1
                    steps["worker"] += 1
                gate.worker_stepped("worker")

        thread = threading.Thread(target=worker)
        thread.start()
        gate.begin(lambda: 0)
        saved = []
        while not gate._closed:
            gate.chief_may_step(lambda: done[0])
            time.sleep(0.0005)
            with lock:
                done[0] += 1
                now = done[0]
            steps["chief"] += 1
            if now % 10 == 0:
                time.sleep(0.01)  # it saves, and its evaluator evaluates
                saved.append(done[0])
            gate.chief_stepped()
        thread.join(5)
        assert saved == [10, 20, 30, 40, 50]
        assert done[0] == 50
        assert min(steps.values()) > 5

    def test_a_worker_that_is_lost_within_a_step_gives_it_back(self):
        gate, done = StepGate(10, 10, settle_s=0.01), [0]
        gate.begin(lambda: 0)
        for _ in range(3):
            assert gate.worker_may_step("worker")
            gate.worker_lost("worker")  # and never took it
        chief(gate, 50, done)
        assert done == [10, 10]

    def test_a_chief_that_stops_lets_nobody_step_beyond(self):
        gate, done = StepGate(10, 100), [0]
        gate.begin(lambda: 0)
        chief(gate, 9, done)
        gate.chief_may_step(lambda: done[0])
        gate.close()
        gate.chief_stepped()
        assert not gate.worker_may_step("worker")

    def test_a_session_that_begins_again_from_a_checkpoint_keeps_to_the_grid(self):
        gate, done = StepGate(10, 40, settle_s=0.01), [0]
        gate.begin(lambda: 0)
        chief(gate, 15, done)
        gate.worker_may_step("worker")  # its ps is lost, and perhaps the step
        done[0] = 10
        gate.begin(lambda: done[0])
        for _ in range(8):
            gate.chief_may_step(lambda: done[0])
            done[0] += 1
            gate.chief_stepped()
        done[0] += 1  # it was not
        gate.worker_stepped("worker")
        chief(gate, 100, done)
        assert done == [40, 10, 20, 30, 40]

    def test_nobody_steps_while_the_chief_looks_where_it_begins(self):
        gate, looked = StepGate(10, settle_s=0.05), threading.Event()
        gate.begin(lambda: 0)
        assert gate.worker_may_step("slow")

        def look():
            looked.set()
            time.sleep(0.05)
            return 4

        threading.Thread(target=gate.begin, args=(look,)).start()
        assert looked.wait(5)
        started = [gate.worker_may_step(at) for at in range(4)]  # of the 5 before the chief's, one is under way
        assert started == [True] * 4
        threading.Timer(0.05, gate.close).start()
        assert not gate.worker_may_step("one too many")

    def test_from_a_checkpoint_off_the_grid_the_next_is_as_far_as_ever(self):
        gate, done = StepGate(10, 40), [16]
        gate.saved(16)
        gate.begin(lambda: 16)
        for _ in range(9):
            gate.chief_may_step(lambda: done[0])
            done[0] += 1
            gate.chief_stepped()
        assert done[0] == 25
        gate.chief_may_step(lambda: done.append("looked") or done[0])
        assert done == [25, "looked"]  # the tenth is the chief's own

    def test_an_end_off_the_grid_is_the_last_step(self):
        gate, done = StepGate(10, 25), [0]
        gate.begin(lambda: 0)
        chief(gate, 100, done)
        assert done[0] == 25

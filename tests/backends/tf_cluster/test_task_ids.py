"""Numbers that name a task of a trial."""

from tests.cluster import NAMES
from tuner.backends.tf_cluster.task_ids import name_of, number_of


class TestTasks:
    def test_numbers_of_tasks_are_no_trials_and_name_their_task(self):
        numbers = [number_of(trial, name, NAMES) for trial in (0, 1, 700) for name in NAMES]
        assert len(set(numbers)) == len(numbers)
        assert [name_of(number, NAMES) for number in numbers] == NAMES * 3
        assert all(number >= 0 or number < -1 for number in numbers)

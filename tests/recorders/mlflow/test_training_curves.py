"""Scalars of training, thinned."""

from tests.recorders.mlflow.sending import OPENED, read, training, trial, write
from tuner.domain.trial import TrialState
from tuner.recorders.mlflow.training_curves import POINTS, TrainingCurves


def test_training_loss_is_thinned_and_stops_where_a_decision_was_made(sweep_dir):
    training(sweep_dir, 0, range(1, 1001))
    training(sweep_dir, 1, range(1, 1001))
    write(sweep_dir, [OPENED, *trial(0, [1.0] * 10), *trial(1, [1.0] * 3, TrialState.PRUNED)])
    complete, pruned = (read(sweep_dir, number).metrics["train/loss"] for number in (0, 1))
    assert 100 <= len(complete) <= POINTS + 1
    assert max(complete) == 1000
    assert max(pruned) <= 300
    assert set(read(sweep_dir).metrics) == {"eval/rmse", "eval/loss", "best/rmse", "train/loss", "objective"}


def test_the_same_points_of_training_come_out_however_the_files_grow_and_from_wherever_they_are_read(sweep_dir):
    training(sweep_dir, 0, range(1, 301))
    whole = TrainingCurves(sweep_dir, ["loss"], 1000)
    first = list(whole.due(0, 200))
    whole.arrived(0)
    # A later attempt repeats steps from its checkpoint on; what was written first stands.
    training(sweep_dir, 0, range(201, 601), "events.out.tfevents.1700000100.here")
    rest = list(whole.due(0, None))
    again = list(TrainingCurves(sweep_dir, ["loss"], 1000).due(0, None))
    assert [(p.step, p.value) for p in first + rest] == [(p.step, p.value) for p in again]
    assert [p.step for p in again] == sorted({p.step for p in again})


def test_points_of_training_that_did_not_arrive_are_due_again(sweep_dir):
    training(sweep_dir, 0, range(1, 101))
    curves = TrainingCurves(sweep_dir, ["loss"], 1000)
    assert list(curves.due(0, 50)) == list(curves.due(0, 50)) != []
    curves.arrived(0)
    assert curves.due(0, 50) == []

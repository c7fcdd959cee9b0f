"""Which of the event files of a command count, and hypertune's metric file."""

import json

from tests.events.event_records import record
from tuner.events import ScriptFollower, read_all
from tuner.events.hypertune import metric_file


def scalar(step, time=1.0, **values):
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    summary = Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()])
    return record(Event(wall_time=time, step=step, summary=summary).SerializeToString())


def write(folder, *events, second=1700000000):
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"events.out.tfevents.{second}.host").open("ab") as stream:
        stream.write(b"".join(events))


def said(evaluations):
    return [(e.folder, e.step, dict(e.scalars)) for e in evaluations]


def test_what_training_writes_of_the_objective_is_not_mixed_with_evaluations(tmp_path):
    follower = ScriptFollower(tmp_path, ["loss"])
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "graph.pbtxt").touch()
    write(tmp_path / "1", scalar(1, loss=9.0, speed=1.0))
    assert follower.poll() == []
    write(tmp_path / "1" / "eval", scalar(10, loss=2.0))
    assert said(follower.poll()) == [("1/eval", 10, {"loss": 2.0})]
    assert follower.finish() == []
    assert follower.seen == ["loss", "speed"]


def test_what_training_writes_counts_where_no_evaluation_has_it_and_later_trials_are_told(tmp_path):
    follower = ScriptFollower(tmp_path, ["loss"])
    write(tmp_path / "train", scalar(1, loss=9.0, speed=1.0))
    assert follower.poll() == []
    assert said(follower.finish()) == [("train", 1, {"loss": 9.0})]
    assert follower.learnt == {"loss": "train"}
    assert said(ScriptFollower(tmp_path, ["loss"], follower.learnt).poll()) == [("train", 1, {"loss": 9.0})]


def test_a_trial_that_is_judged_by_its_training_has_a_note_of_the_step(tmp_path):
    write(tmp_path / "train", scalar(1, loss=9.0), scalar(201, loss=3.0))
    note = "no evaluation of 'loss' was found: the trial is judged by the training's summary of step 201"
    for known, wanted, expected in (({}, {}, note), ({"loss": "train"}, {}, note), ({}, {"loss": "train"}, "")):
        follower = ScriptFollower(tmp_path, ["loss"], known, wanted)
        follower.poll()
        follower.finish()
        assert follower.note == expected
    write(tmp_path / "eval", scalar(10, loss=2.0))
    follower = ScriptFollower(tmp_path, ["loss"])
    follower.poll()
    follower.finish()
    assert follower.note == ""


def test_summaries_in_the_trials_own_folder_count_where_there_is_no_other(tmp_path):
    write(tmp_path, scalar(3, val=1.0))
    assert said(ScriptFollower(tmp_path, ["val"]).poll()) == [(".", 3, {"val": 1.0})]


def test_of_folders_below_one_another_the_upper_one_is_trainings(tmp_path):
    write(tmp_path, scalar(1, loss=9.0))
    write(tmp_path / "validation", scalar(1, loss=2.0))
    assert said(ScriptFollower(tmp_path, ["loss"]).poll()) == [("validation", 1, {"loss": 2.0})]


def report(tmp_path, *reports):
    file = metric_file(tmp_path)
    file.parent.mkdir(exist_ok=True)
    keys = ("timestamp", "tag", "value", "step")
    rows = [dict(zip(keys, entry, strict=True)) for entry in reports]
    lines = [
        {"timestamp": r["timestamp"], "trial": "1", r["tag"]: str(r["value"]), "global_step": str(r["step"])}
        for r in rows
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_reports_by_hypertune_are_events_with_all_their_digits(tmp_path):
    follower = ScriptFollower(tmp_path, ["acc"])
    report(tmp_path, (5.5, "acc", 0.1, 100))
    assert said(follower.poll()) == [("hypertune", 100, {"acc": 0.1})]
    report(tmp_path, (5.5, "acc", 0.1, 100), (6.5, "acc", 0.2, 200))
    assert said(follower.poll()) == [("hypertune", 200, {"acc": 0.2})]
    assert [e.time for e in read_all(tmp_path, anywhere=True)] == [5.5, 6.5]


def test_reports_without_a_step_are_counted_and_none_is_taken_twice_by_another_driver(tmp_path):
    report(tmp_path, (1.0, "acc", 0.1, 0), (2.0, "acc", 0.2, 0))
    first = said(ScriptFollower(tmp_path, ["acc"]).poll())
    assert [step for _, step, _ in first] == [1, 2]
    report(tmp_path, (2.0, "acc", 0.2, 0), (3.0, "acc", 0.3, 0))
    again = said(ScriptFollower(tmp_path, ["acc"]).poll())
    assert again == [*first, ("hypertune", 3, {"acc": 0.3})]


def test_a_report_that_is_being_written_is_waited_for(tmp_path):
    follower = ScriptFollower(tmp_path, ["acc"])
    report(tmp_path, (1.0, "acc", 0.1, 1))
    whole = metric_file(tmp_path).read_text()
    metric_file(tmp_path).write_text(whole[:20])
    assert follower.poll() == []
    metric_file(tmp_path).write_text(whole)
    assert len(follower.poll()) == 1


def test_a_folder_that_a_command_moves_aside_is_not_read_twice(tmp_path):
    write(tmp_path / "model" / "eval", scalar(1, loss=2.0))
    follower = ScriptFollower(tmp_path, ["loss"])
    assert said(follower.poll()) == [("model/eval", 1, {"loss": 2.0})]
    (tmp_path / "model").rename(tmp_path / "old")
    assert follower.poll() == []
    write(tmp_path / "model" / "eval", scalar(2, loss=1.0), second=1700000001)
    assert said(follower.poll()) == [("model/eval", 2, {"loss": 1.0})]

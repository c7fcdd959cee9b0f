"""What MLflow will not have costs that one value; what somebody deleted there is restored or made anew."""

import json
import os
from dataclasses import replace

import pytest

from tuner.domain.trial import Evaluation
from tuner.files.run_ids import RunIds, run_ids
from tuner.recorders.mlflow.reader import MlflowReader
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.recorders.sender import Sender
from tuner.records.log import RecordLog
from tuner.records.record import Evaluated, SweepClosed, TrialChanged, from_json, to_json
from tuner.testing.recorder_contract import OPENED, records
from tuner.text import legible

BYTE = os.fsdecode(b"\xff")  # a file name that is not UTF-8, as Python has it


def said(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def send(sweep_dir, found, client=None, steps=1):
    """Append records, and send what the log has; return whether it has all arrived."""
    log = RecordLog(sweep_dir.records_file)
    log.append(*found)
    log.close()
    return sent(sweep_dir, client, steps)


def sent(sweep_dir, client=None, steps=1):
    from tuner.recorders.sender import send_note

    sender = Sender(sweep_dir, lambda: MlflowRecorder(sweep_dir, client=client, say=send_note))
    return [sender.step(closing=True) for _ in range(steps)][-1]


def read(sweep_dir, trial):
    return MlflowReader(sweep_dir).read(run_ids(sweep_dir)[trial])


def test_text_that_is_no_utf_8_is_escaped_where_it_enters_the_records():
    assert legible(f"a{BYTE}\ud800\0b") == r"a\xff\ud800\x00b"
    assert legible("über 💡\n") == "über 💡\n"
    record = TrialChanged(1, 1.0, records()[5].state, f"no file {BYTE}", {}, None, {"a": f"{BYTE}", f"k{BYTE}": "💡"})
    line = to_json(record)
    assert from_json(line).reason == r"no file \xff"
    assert from_json(line).tags == {"a": r"\xff", r"k\xff": "💡"}
    older = line.replace(r"no file \\xff", r"no file \udcff")  # as it was written before
    assert older != line
    assert from_json(older) == from_json(line)


def test_a_log_that_has_such_text_is_sent_whole(sweep_dir, capsys):
    found = records()
    found[5] = replace(found[5], reason=f"cannot read {BYTE}", tags={"file": BYTE})
    found[2] = Evaluated(0, Evaluation(10, 1_700_000_012.0, f"eval_{BYTE}", {f"rmse{BYTE}": 1.0, "rmse": 0.1}))
    sweep_dir.records_file.write_text("".join(to_json(r).replace(r"\\xff", r"\udcff") + "\n" for r in found))
    assert sent(sweep_dir)
    assert [line["event"] for line in said(capsys)] == ["ready"]
    assert read(sweep_dir, 0).tags["tuner.reason"] == r"cannot read \xff"
    assert read(sweep_dir, 1).status == "KILLED"


@pytest.mark.parametrize("kind", ["metric", "param", "tag of a trial", "tag of a run that is made"])
def test_a_value_that_mlflow_refuses_is_left_out_and_said_and_the_queue_behind_it_goes_on(sweep_dir, capsys, kind):
    found = records()
    if kind == "metric":
        found[2] = replace(found[2], evaluation=replace(found[2].evaluation, step=10**20, scalars={"odd": 1.0}))
    elif kind == "param":
        send(sweep_dir, found[:2])
        found = [*found[:1], replace(found[1], params={"rate": 7.0, "shape": [1, 2], "more": 1}), *found[2:]]
    elif kind == "tag of a trial":
        found[5] = replace(found[5], tags={"": "no key", "good": "1"})
    else:
        found[1] = replace(found[1], tags={"": "no key", "good": "1"})
    assert send(sweep_dir, found)
    notes = [line["message"] for line in said(capsys) if line["event"] == "note"]
    if kind in ("metric", "param"):
        assert any("MLflow refuses" in note for note in notes), notes
    assert all(line["event"] != "away" for line in said(capsys))
    one, other = read(sweep_dir, 0), read(sweep_dir, 1)
    assert other.status == "KILLED"
    assert other.metrics["eval/rmse"] == {10: 1.1, 20: 1.05, 30: 1.0 / 30 + 1}
    assert one.metrics["eval/rmse"][20] == 1.0 / 20
    assert one.tags["tuner.state"] == "COMPLETE"
    if kind == "metric":
        assert "eval/odd" in one.tags["tuner.refused"]
    if kind == "param":
        assert one.params == {"rate": "0.1", "shape": "[1, 2]", "more": "1"}
        assert "the param 'rate'" in one.tags["tuner.refused"]
    if "tag" in kind:
        assert one.tags["good"] == "1"


class Fails:
    """A client that takes what it is asked to read and fails at every write, as a server whose disk is full."""

    def __init__(self, client):
        self._client, self.full = client, False

    def __getattr__(self, name):
        from mlflow.exceptions import MlflowException

        def refuse(*_arguments, **_keywords):
            raise MlflowException("no space left")

        writes = name.startswith(("log_", "set_", "create_", "update_"))
        return refuse if self.full and writes else getattr(self._client, name)


def test_a_store_that_takes_nothing_at_all_is_away_and_nothing_is_left_out(sweep_dir, client, capsys):
    fails = Fails(client)
    assert send(sweep_dir, records()[:4], fails)
    fails.full = True
    assert not send(sweep_dir, records()[4:], fails)
    assert [line["event"] for line in said(capsys)] == ["ready", "ready", "away"]
    fails.full = False
    assert sent(sweep_dir, fails)
    assert read(sweep_dir, 1).metrics["objective"] == {30: 1.0 / 30 + 1}


def test_runs_that_were_deleted_in_mlflow_are_restored(sweep_dir, client, capsys):
    send(sweep_dir, records()[:-1])
    ids = RunIds(sweep_dir.runs_file)
    for run in (ids.parent, *ids.trials.values()):
        client.delete_run(run)
    assert send(sweep_dir, records()[-1:])
    assert any("3 were restored" in line.get("message", "") for line in said(capsys))
    assert {read(sweep_dir, trial).status for trial in (0, 1)} == {"FINISHED", "KILLED"}
    assert client.get_run(ids.parent).info.lifecycle_stage == "active"


def test_the_run_of_one_trial_that_was_deleted_is_restored_when_there_is_more_to_send(sweep_dir, client, capsys):
    send(sweep_dir, records()[:8])
    client.delete_run(run_ids(sweep_dir)[1])
    assert send(sweep_dir, records()[8:])
    assert any("it was restored" in line.get("message", "") for line in said(capsys))
    assert read(sweep_dir, 1).status == "KILLED"


def test_a_database_that_is_gone_is_made_anew_with_all_that_was_recorded_but_trials_that_were_deleted(
    sweep_dir, database, capsys
):
    import shutil

    send(sweep_dir, records()[:-1])
    RunIds(sweep_dir.runs_file).delete(1)
    shutil.copy(database, sweep_dir.root.database_file)
    assert send(sweep_dir, records()[-1:], steps=2)
    assert any("is sent again" in line.get("message", "") for line in said(capsys))
    assert read(sweep_dir, 0).metrics["eval/rmse"] == {step: 1.0 / step for step in (10, 20, 30)}
    assert set(run_ids(sweep_dir)) == {0}
    assert set(MlflowReader(sweep_dir).runs_of_trials(OPENED.sweep_id)) == {0}


def test_the_last_end_of_a_sweep_stands_though_it_says_the_same_as_the_first(sweep_dir, client):
    """MLflow was away when the first driver ended, so both ends came in one batch."""
    end = records()[-1]
    assert send(sweep_dir, [*records(), replace(OPENED, time=OPENED.time + 201), replace(end, time=end.time + 2)])
    parent = RunIds(sweep_dir.runs_file).parent
    assert client.get_run(parent).info.status == "FINISHED"
    assert client.get_run(parent).info.end_time == round((end.time + 2) * 1000)
    assert send(sweep_dir, [replace(OPENED, time=OPENED.time + 300)])
    assert client.get_run(parent).info.status == "RUNNING"
    assert send(sweep_dir, [SweepClosed(end.time + 9, False, "stopped")])
    assert client.get_run(parent).info.status == "SCHEDULED"

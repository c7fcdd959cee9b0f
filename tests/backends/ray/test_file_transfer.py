"""Trials' files through a storage: what arrives is whole, whenever the sender dies."""

import errno
import json
import os
import time
import uuid
from dataclasses import replace

import pytest

from tuner.backends import Reported
from tuner.backends.ray import file_transfer as mailboxes
from tuner.backends.ray.driver_files import append, mailbox_of, send
from tuner.backends.ray.file_transfer import FileTransfer, Overtaken
from tuner.backends.ray.messages import Grown
from tuner.backends.ray.node_files import NodeFiles
from tuner.domain.job import Job
from tuner.domain.objective import Constraint, Goal, Objective
from tuner.domain.spec import RaySettings, TrainSettings
from tuner.domain.trial import Evaluation
from tuner.errors import BackendError, InvalidInput, StoreError
from tuner.files import checkpoints
from tuner.files.paths import Root, TrialDir

pytest.importorskip("fsspec", reason="Ray is not tested: pip install -e '.[ray]'")


@pytest.fixture(params=["file", "memory"])
def mailbox(request, tmp_path):
    where = {"file": f"file://{tmp_path}/storage", "memory": f"memory://{uuid.uuid4().hex}"}
    return FileTransfer(f"{where[request.param]}/tiny-0123456789ab")


def checkpoint(folder, step, content=b"weights"):
    folder.mkdir(exist_ok=True, parents=True)
    (folder / f"model.ckpt-{step}.data-00000-of-00001").write_bytes(content)
    (folder / f"model.ckpt-{step}.index").write_bytes(b"index")
    checkpoints.name_newest(folder, step)


def names(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_folder_arrives_as_it_was_sent_and_goes_on_from_the_same_checkpoint(mailbox, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    checkpoint(here, 10)
    checkpoint(here, 20, b"better")
    (here / "eval").mkdir()
    (here / "eval" / "events.out.tfevents.1.host").write_bytes(b"events")
    (here / "input.ckpt-20.index").write_bytes(b"position")
    mailbox.send("0000", here, 1, None)
    mailbox.fetch("0000", there)
    assert names(there) == names(here)
    assert checkpoints.newest_step(there) == 20
    assert (there / "model.ckpt-20.data-00000-of-00001").read_bytes() == b"better"


def test_what_is_being_written_and_what_belongs_to_one_machine_stays(mailbox, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    checkpoint(here, 10)
    (here / "model.ckpt-20.data-00000-of-00001").write_bytes(b"half")  # the state file does not name it yet
    for name in ("trial.lock", "job.json", "away.txt", ".result.json.7", "export/best/temp-1/saved_model.pb"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text("")
    (here / "result.json").write_text("{}")
    mailbox.send("0000", here, 1, None)
    mailbox.fetch("0000", there)
    assert names(there) == sorted(
        ["checkpoint", "model.ckpt-10.data-00000-of-00001", "model.ckpt-10.index", "result.json"]
    )


def test_only_what_changed_is_sent_and_what_was_thinned_goes(mailbox, tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    checkpoint(here, 10)
    first = mailbox.send("0000", here, 1, None)
    sent = []
    put = FileTransfer._put
    monkeypatch.setattr(FileTransfer, "_put", lambda self, file, path: (sent.append(file.name), put(self, file, path)))
    checkpoint(here, 20)
    for file in here.glob("model.ckpt-10.*"):
        file.unlink()
    second = mailbox.send("0000", here, 1, first)
    assert sorted(sent) == ["model.ckpt-20.data-00000-of-00001", "model.ckpt-20.index"]
    checkpoint(there, 5)  # of a former attempt
    assert mailbox.fetch("0000", there) == second
    assert checkpoints.steps(there) == [20]


def test_a_sender_that_dies_leaves_the_former_checkpoint_to_go_on_from(mailbox, tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    checkpoint(here, 10)
    (here / "log.txt").write_text("one\n")
    held = mailbox.send("0000", here, 1, None)
    put = FileTransfer._put

    def die(self, file, path):
        if file.name.endswith(".index"):
            raise ConnectionError("the machine is gone")
        put(self, file, path)

    monkeypatch.setattr(FileTransfer, "_put", die)
    checkpoint(here, 20)
    with pytest.raises(ConnectionError):
        mailbox.send("0000", here, 1, held)
    mailbox.fetch("0000", there)
    assert checkpoints.newest_step(there) == 10
    assert checkpoints.steps(there) == [10]


def test_what_grew_after_the_manifest_does_not_count(mailbox, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    (here / "log.txt").write_text("one\n")
    mailbox.send("0000", here, 1, None)
    (here / "log.txt").write_text("one\ntwo\n")
    mailbox._put(here / "log.txt", f"{mailbox._path}/0000/log.txt")
    mailbox.fetch("0000", there)
    assert (there / "log.txt").read_text() == "one\n"


def test_a_machine_taken_for_dead_cannot_replace_what_a_later_attempt_sent(mailbox, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    checkpoint(old, 10)
    held = mailbox.send("0000", old, 1, None)
    mailbox.fetch("0000", new)
    mailbox.send("0000", new, 2, held)
    with pytest.raises(Overtaken):
        mailbox.send("0000", old, 1, held)


def test_a_cleared_mailbox_holds_nothing(mailbox, tmp_path):
    checkpoint(tmp_path / "here", 10)
    for name in ("0000", "0001"):
        mailbox.send(name, tmp_path / "here", 1, None)
    mailbox.forget("0000")
    assert mailbox.manifest("0000") is None
    assert mailbox.manifest("0001") is not None
    mailbox.clear()
    mailbox.clear()
    assert mailbox.fetch("0001", tmp_path / "there") is None


def pass_on_whole(away, message):
    """Pass a message on, and wait until the files that belong to it are sent."""
    heard = away.pass_on([message])
    while message not in heard:
        time.sleep(0.001)
        heard += away.pass_on([])


def test_a_trial_that_goes_on_on_another_node_keeps_its_best_checkpoint(mailbox, tmp_path):
    here, node = tmp_path / "here", tmp_path / "node"
    for step in (40, 50, 60):
        checkpoint(here, step)
    mailbox.send("0000", here, 1, None)
    job, bounds = Job(0, 2, {}, 0, TrainSettings(80, 10)), [Constraint("size", high=1.0)]
    away = NodeFiles(mailbox, "0000", node, job, Objective("score", Goal.MAXIMIZE), bounds)
    curve = {10: 0.1, 20: 0.9, 30: 0.3, 40: 0.4, 50: 0.2, 60: 0.1}
    for step, score in curve.items():  # what the earlier attempt has evaluated comes again, step by step
        found = Evaluation(step, 0.0, "eval", {"score": score, "size": 2.0 if step == 20 else 1.0})
        away.pass_on([Reported(0, replace(found, folder="eval_rows", scalars={"score": 1.0}, is_secondary=True))])
        pass_on_whole(away, Reported(0, found))
        assert checkpoints.steps(node) == [40, 50, 60]
    checkpoint(node, 70)
    pass_on_whole(away, Reported(0, Evaluation(70, 0.0, "eval", {"score": 0.0, "size": 1.0})))
    assert checkpoints.steps(node) == [40, 60, 70]
    away.close()


def test_a_probe_is_seen_where_the_storage_is_the_same(tmp_path):
    FileTransfer(f"file://{tmp_path}/one").write_probe("word")
    assert FileTransfer(f"{tmp_path}/one").reads_probe("word")
    assert not FileTransfer(f"{tmp_path}/two").reads_probe("word")


def test_a_storage_that_cannot_be_is_refused_by_name(tmp_path):
    with pytest.raises(InvalidInput, match=r"ray.storage: nonsense://x cannot be used"):
        FileTransfer("nonsense://x")
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInput, match=r"ray.storage: cannot write to"):
        FileTransfer(f"{tmp_path}/file/below").write_probe("word")


def test_a_manifest_is_plain_json(tmp_path):
    mailbox = FileTransfer(str(tmp_path / "storage"))
    checkpoint(tmp_path / "here", 10)
    mailbox.send("0000", tmp_path / "here", 3, None)
    data = json.loads((tmp_path / "storage" / "0000" / "manifest.json").read_text())
    assert (data["life"], data["newest"]) == (3, 10)


def test_a_folder_that_is_not_a_sweeps_own_is_never_cleared(tmp_path):
    checkpoint(tmp_path / "storage" / "somebody's", 10)
    before = names(tmp_path)
    for url in (f"{tmp_path}/storage", f"file://{tmp_path}/storage/", f"{tmp_path}/storage/tiny-0123456789ab/.."):
        with pytest.raises(BackendError, match="is not deleted: expected a folder named like"):
            FileTransfer(url).clear()
    assert names(tmp_path) == before


@pytest.fixture
def sweep_dir(tmp_path):
    return Root(tmp_path).sweep("tiny.v-1_a")


def test_a_sweeps_mailbox_is_its_own_and_stays_so(sweep_dir, tmp_path):
    settings = RaySettings("auto", f"{tmp_path}/storage/")
    mailbox = mailbox_of(settings, sweep_dir)
    assert mailbox.url.startswith(f"{tmp_path}/storage/tiny.v-1_a-")
    assert mailbox_of(settings, sweep_dir).url == mailbox.url
    mailbox.clear()


@pytest.mark.parametrize("damaged", ["", "\n", "tiny", "../x-0123456789ab", "tiny-0123456789ab\ntiny-0123456789ab"])
def test_a_damaged_name_of_a_mailbox_is_refused_with_what_to_do(damaged, sweep_dir, tmp_path):
    sweep_dir.path.mkdir(parents=True)
    sweep_dir.mailbox_file.write_text(damaged)
    with pytest.raises(
        StoreError, match=r"mailbox.txt holds .*, expected the name of the sweep's own folder"
    ) as caught:
        mailbox_of(RaySettings("auto", f"{tmp_path}/storage"), sweep_dir)
    assert "delete the file" in caught.value.hint


def test_a_disk_that_is_full_leaves_no_name_rather_than_a_part_of_one(sweep_dir, tmp_path, monkeypatch):
    def full(_file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        mailbox_of(RaySettings("auto", f"{tmp_path}/storage"), sweep_dir)
    assert not sweep_dir.mailbox_file.exists()


@pytest.fixture
def failing(mailbox, monkeypatch):
    """A mailbox that fails so many times, and the attempts to write to it."""
    monkeypatch.setattr(mailboxes, "_PAUSES_S", (0.0, 0.0))
    attempts = []
    put = FileTransfer._put

    def fail(times):
        def put_or_fail(self, file, path):
            attempts.append(path)
            if len(attempts) <= times:
                raise ConnectionError("a hiccup")
            put(self, file, path)

        monkeypatch.setattr(FileTransfer, "_put", put_or_fail)
        return attempts

    return fail


def job(attempt=1):
    return Job(0, attempt, {}, 1, TrainSettings(10, 10))


def test_a_storage_that_fails_for_a_moment_keeps_no_trial_from_starting(mailbox, failing, tmp_path):
    trial_dir = TrialDir(tmp_path / "0000")
    trial_dir.path.mkdir()
    (trial_dir.path / "log.txt").write_text("one\n")
    attempts = failing(2)
    send(mailbox, job(), trial_dir)
    assert len(attempts) == 3
    assert list(mailbox.manifest("0000").files) == ["log.txt"]
    assert trial_dir.away_file.exists()


def test_a_storage_that_goes_on_failing_ends_the_sweep_in_words(mailbox, failing, tmp_path):
    trial_dir = TrialDir(tmp_path / "0000")
    trial_dir.path.mkdir()
    (trial_dir.path / "log.txt").write_text("one\n")
    attempts = failing(9)
    with pytest.raises(
        BackendError, match=r"the files of trial 0 cannot be sent to .*: ConnectionError: a hiccup"
    ) as said:
        send(mailbox, job(), trial_dir)
    assert "resume the sweep" in said.value.hint
    assert len(attempts) == 3
    assert not trial_dir.away_file.exists()


def test_an_attempt_that_was_overtaken_does_not_try_again(mailbox, monkeypatch, tmp_path):
    trial_dir = TrialDir(tmp_path / "0000")
    trial_dir.path.mkdir()
    mailbox.send("0000", trial_dir.path, 2, None)
    attempts = []
    send_once = FileTransfer.send
    monkeypatch.setattr(FileTransfer, "send", lambda self, *args: (attempts.append(args), send_once(self, *args)))
    with pytest.raises(BackendError, match="attempt 2 of the trial runs elsewhere"):
        send(mailbox, job(attempt=1), trial_dir)
    assert len(attempts) == 1


OUTSIDE = ["../outside", "/outside", "a/../../outside", "", "a//b", ".", "a\0b"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_manifest_that_names_a_file_outside_writes_and_removes_nothing(name, mailbox, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    checkpoint(here, 10)
    mailbox.send("0000", here, 1, None)
    mailbox._put_text(
        f"{mailbox._path}/0000/manifest.json", json.dumps({"life": 1, "newest": 10, "files": {name: [1, 1]}})
    )
    with pytest.raises(StoreError, match="expected one below the folder"):
        mailbox.fetch("0000", there)
    with pytest.raises(StoreError, match="expected one below the folder"):
        mailbox.send("0000", here, 1, mailbox.manifest("0000"))
    assert not there.exists() or names(there) == []


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_node_that_names_a_file_outside_writes_nothing(name, tmp_path):
    folder = TrialDir(tmp_path / "trials" / "0000")
    folder.path.mkdir(parents=True)
    with pytest.raises(StoreError, match="expected one below the folder"):
        append(folder, Grown(0, name, 0, b"x"))
    assert names(tmp_path) == []


def test_a_link_that_leaves_a_trials_folder_is_not_written_through(tmp_path, mailbox):
    here, there, outside = tmp_path / "here", tmp_path / "there", tmp_path / "outside"
    checkpoint(here, 10)
    (here / "eval").mkdir()
    (here / "eval" / "events").write_bytes(b"new")
    mailbox.send("0000", here, 1, None)
    outside.mkdir()
    there.mkdir()
    (there / "eval").symlink_to(outside)
    with pytest.raises(StoreError, match="expected a file in"):
        mailbox.fetch("0000", there)
    with pytest.raises(StoreError, match="expected a file in"):
        append(TrialDir(there), Grown(0, "eval/events", 0, b"x"))
    assert names(outside) == []


def test_a_manifest_that_somebody_else_wrote_is_not_believed(tmp_path):
    where, here, there = str(tmp_path / "storage" / "tiny-0123456789ab"), tmp_path / "here", tmp_path / "there"
    checkpoint(here, 10)
    FileTransfer(where, "of the sweep").send("0000", here, 1, None)
    assert FileTransfer(where, "of the sweep").fetch("0000", there).newest == 10
    file = tmp_path / "storage" / "tiny-0123456789ab" / "0000" / "manifest.json"
    for stranger in (FileTransfer(where), FileTransfer(where, "another")):
        file.unlink()
        stranger.send("0000", here, 7, None)
        with pytest.raises(StoreError, match="was not written by this sweep"):
            FileTransfer(where, "of the sweep").fetch("0000", there)
    file.unlink()
    FileTransfer(where, "of the sweep").send("0001", here, 1, None)
    file.write_text((file.parents[1] / "0001" / "manifest.json").read_text())  # of another trial
    with pytest.raises(StoreError, match="was not written by this sweep"):
        FileTransfer(where, "of the sweep").fetch("0000", there)


def test_a_sweep_signs_its_manifests_and_one_of_an_older_version_goes_on_without(tmp_path):
    settings = RaySettings("auto", f"{tmp_path}/storage")
    new, old = Root(tmp_path).sweep("new"), Root(tmp_path).sweep("old")
    old.path.mkdir(parents=True)
    old.mailbox_file.write_text("old-0123456789ab\n")
    assert len(mailbox_of(settings, new).secret) == 64
    assert mailbox_of(settings, new).secret == mailbox_of(settings, new).secret
    assert new.mailbox_secret_file.stat().st_mode & 0o777 == 0o600
    assert mailbox_of(settings, old).secret == ""

"""A sweep that has ended is not begun again: nothing is started, unless something is left to do."""

import pytest

import tuner
from tests.conftest import MODELS
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.operations.delete import plan_deletion
from tuner.recorders.process import RecorderProcess
from tuner.records.log import last_record, read_sent_offset, write_sent_offset
from tuner.sweep import RunOptions, session

SPACE = """
name: sim
objective: {{metric: rmse}}
parameters: {{rate: {{type: float, low: 1.0e-4, high: 1.0, log: true}}, units: {{type: int, low: 16, high: 256}}}}
train: {{max_steps: 270, evaluate_every: 90}}
search: {{trials: 6, workers: 1, {search}}}
simulation: {{task: surface, record: {record}, failures: {failures}}}
record: {{plots: false}}
"""
NOTHING = "nothing to do: it has ended before; a larger --trials continues it"


class Lines(NullDisplay):
    def __init__(self, stop_file=None):
        self.lines, self.stop_file = [], stop_file

    def line(self, line):
        self.lines.append(line)
        if self.stop_file is not None:
            self.stop_file.touch()


def drive(folder, search="sampler: random", failures=0.0, record="false", tags=None, display=None, **limits):
    folder.mkdir(exist_ok=True)
    file = folder / "sim.yaml"
    file.write_text(SPACE.format(search=search, failures=failures, record=record))
    sweep, display = tuner.Sweep.from_file(file, folder), display or Lines()
    return (
        sweep.session(RunOptions(**limits, backend="simulated", tags=tags or {}), display).run(),
        display.lines,
        sweep,
    )


def starts(monkeypatch):
    """Count what is started."""
    begun = []
    place = session.make_placement
    monkeypatch.setattr(session, "make_placement", lambda *arguments: begun.append("backend") or place(*arguments))
    start = RecorderProcess.start
    monkeypatch.setattr(RecorderProcess, "start", lambda self: begun.append("recorder") or start(self))
    return begun


@pytest.mark.parametrize(
    ("search", "failures", "status", "more"),
    [
        ("sampler: random", 0.0, 0, "--trials"),
        ("sampler: random, scheduler: asha", 0.0, 0, "--trials"),
        ("sampler: random, budget: {steps: 500}", 0.0, 0, "search.budget.steps in its file"),
        ("sampler: random, budget: {target: 100}", 0.0, 0, ""),
        ("sampler: random, budget: {plateau: 2}", 0.0, 0, "search.budget.plateau in its file"),
        ("sampler: random, timeout: 4s", 0.0, 0, "--timeout"),
        ("sampler: random, scheduler: asha, timeout: 4s", 0.0, 0, "--timeout"),
        (
            "sampler: random, retries: 0, max_consecutive_failures: 2",
            1.0,
            1,
            "search.max_consecutive_failures in its file",
        ),
        ("sampler: random, repeats: 2", 0.0, 0, "--trials"),
    ],
)
def test_a_sweep_that_a_limit_ended_ends_again_at_once_and_in_the_same_words(
    tmp_path, monkeypatch, search, failures, status, more
):
    first, _, sweep = drive(tmp_path, search, failures)
    log = sweep.dir.records_file.read_bytes()
    begun = starts(monkeypatch)
    again, lines, _ = drive(tmp_path, search, failures)
    said = f"a larger {more} continues it" if more else "larger limits continue it"
    assert (begun, lines) == ([], [f"nothing to do: it has ended before; {said}"])
    assert (first.exit_status, again.exit_status) == (status, status)
    assert again.end == first.end
    assert [t.record for t in again.result.trials] == [t.record for t in first.result.trials]
    assert sweep.dir.records_file.read_bytes() == log


def test_smaller_limits_do_not_rewrite_why_a_sweep_ended(tmp_path):
    first, _, sweep = drive(tmp_path)
    log = sweep.dir.records_file.read_bytes()
    again, lines, _ = drive(tmp_path, timeout_s=0.001, trials=3)
    assert (again.exit_status, again.end.reason) == (0, first.end.reason)
    nothing = "nothing to do: it has ended before; larger limits continue it"
    assert lines == ["changed: search.trials: 6 -> 3", "changed: search.timeout: not set -> 0.001s", nothing]
    assert sweep.dir.records_file.read_bytes() == log
    assert tuner.Sweep.open("sim", tmp_path).spec.search.timeout_s == 0.001
    drive(tmp_path, timeout_s=0.001, tags={"who": "me"})  # there is something to send
    assert last_record(sweep.dir.records_file).reason == first.end.reason


def test_a_grid_that_is_used_up_ends_again_at_once(tmp_path, monkeypatch):
    text = SPACE.replace("{{type: float, low: 1.0e-4, high: 1.0, log: true}}", "0.1")
    monkeypatch.setitem(globals(), "SPACE", text.replace("low: 16, high: 256", "low: 16, high: 48, step: 16"))
    first, _, _ = drive(tmp_path, "sampler: grid")
    assert first.end.reason == "3 of 6 trials, all points of the grid"
    begun = starts(monkeypatch)
    again, _, _ = drive(tmp_path, "sampler: grid")
    assert (begun, again.end) == ([], first.end)


def test_what_is_asked_for_beyond_is_done(tmp_path, monkeypatch):
    begun = starts(monkeypatch)
    stop_file = drive(tmp_path, trials=2)[2].dir.stop_file
    more, _, _ = drive(tmp_path, trials=4)
    assert len(more.result.trials) == 4
    drive(tmp_path, trials=6, display=Lines(stop_file))  # interrupted
    whole, _, sweep = drive(tmp_path)
    assert [t.state for t in whole.result.trials] == [TrialState.COMPLETE] * 6
    fewer, _, _ = drive(tmp_path, trials=3)
    assert (fewer.exit_status, fewer.end.reason) == (0, "6 of 6 trials")
    drive(tmp_path, trials=6)
    begun.clear()
    drive(tmp_path, tags={"who": "me"})
    assert begun == ["backend"]  # a new tag is for all runs
    begun.clear()
    plan_deletion(sweep.dir, 3).carry_out()
    again, lines, _ = drive(tmp_path, tags={"who": "me"})
    assert (begun, lines, len(again.result.trials)) == ([], [NOTHING], 5)  # a deleted trial counts
    with sweep.dir.records_file.open("r+b") as stream:  # as a driver that was killed leaves it
        stream.truncate(sweep.dir.records_file.stat().st_size - 5)
    drive(tmp_path, tags={"who": "me"})
    assert begun == ["backend"]


def test_trials_that_were_paused_when_the_time_was_over_go_on_with_more_time(tmp_path):
    search = "sampler: random, scheduler: asha"
    undisturbed = drive(tmp_path / "undisturbed", search)[0].result.trials
    ended = drive(tmp_path, f"{search}, timeout: 6s")[0].result.trials
    paused = [trial.number for trial in ended if trial.state is TrialState.PAUSED]
    assert len(paused) > 1
    for number in paused:  # without its value, so that show has a line for all that wait at a rung
        assert ended[number].record.reason == f"at its rung, step {ended[number].record.step}"
    more, lines, _ = drive(tmp_path, f"{search}, timeout: 30d")
    assert lines[0] == "changed: search.timeout: 6s -> 2592000s"
    assert [(t.state, t.record.curve) for t in more.result.trials] == [(t.state, t.record.curve) for t in undisturbed]
    assert any(more.result.trials[number].state is TrialState.COMPLETE for number in paused)


@pytest.mark.slow
@pytest.mark.tf
def test_a_finished_sweep_of_a_model_sends_the_rest_without_a_warm_parent(space_file, root, monkeypatch):
    from tuner.backends.local import LocalBackend

    file = space_file(search="{sampler: random, trials: 1}", model=MODELS / "tiny.py")
    first = tuner.Sweep.from_file(file, root).session(RunOptions(), Lines()).run()
    monkeypatch.setattr(LocalBackend, "open", lambda self: pytest.fail("a fork server was started"))
    lines = Lines()
    sweep = tuner.Sweep.from_file(file, root)
    assert sweep.session(RunOptions(), lines).run().end == first.end
    assert lines.lines == [NOTHING]
    write_sent_offset(sweep.dir.sent_file, 0)
    lines = Lines()
    assert sweep.session(RunOptions(), lines).run().end == first.end
    assert NOTHING not in lines.lines
    assert read_sent_offset(sweep.dir.sent_file) == sweep.dir.records_file.stat().st_size

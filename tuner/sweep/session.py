"""One call of run: from a sweep as it is on disk to a sweep that has ended, was stopped, or was done already."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from tuner.backends import Backend, Placement, backend_class
from tuner.backends.placement import backend_of, make_placement, tags_of
from tuner.config import hidden_spec
from tuner.config.manifest import SweepManifest, hiding_of, resolve_manifest, write_private
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import Source
from tuner.driver.context import LoopContext
from tuner.driver.disk import disk_faults
from tuner.driver.loop import Loop
from tuner.driver.peers import SharedDrivers, SoleDriver
from tuner.driver.progress import Display
from tuner.driver.stop_criteria import StopReason
from tuner.driver.stop_requests import StoppedAtStart, StopRequests
from tuner.errors import BackendError, InvalidInput, Problem, StoppedWaiting, StoreError
from tuner.files.driver_lock import DriverLock
from tuner.files.litter import tidy
from tuner.files.paths import SweepDir
from tuner.model_space.client import open_model_space, walk_of
from tuner.processes import import_beside
from tuner.recorders.process import RecorderProcess
from tuner.records.log import RecordLog, last_record
from tuner.records.record import SweepClosed
from tuner.results import SweepResult
from tuner.schedulers import Scheduler, make_scheduler
from tuner.space.conditions import Walk
from tuner.study import Study
from tuner.study.database import StudyLock
from tuner.study.journal_file import repair
from tuner.study.reading import StudyOnDisk, read_study, read_whole_study
from tuner.study.reconnection import Reconnection
from tuner.study.storage import delete_study, open_storage
from tuner.sweep.best_model import export_best, export_due
from tuner.sweep.callbacks import CallbackRunner
from tuner.sweep.declaration import Functions, write_functions
from tuner.sweep.draining import drain
from tuner.sweep.export_standby import ExportStandby
from tuner.sweep.finished import nothing_to_run, nothing_to_send
from tuner.sweep.notification import message, notify
from tuner.sweep.prechecks import hints, precheck
from tuner.sweep.provenance import opening_record
from tuner.sweep.run_options import RunOptions
from tuner.sweep.run_outcome import RunOutcome, has_failed, status_of
from tuner.sweep.simulate import NoRecorder, with_virtual_clock
from tuner.sweep.source_file import sources_here
from tuner.warm_start.sources import sources_of, write_sources


class SweepSession:
    """One call of run: open what a sweep needs, run its loop, close everything in reverse order.

    Args:
        spec: The sweep, with the limits that it is to have.
        sweep_dir: Its folder.
        options: What is asked of this call.
        display: Shows the progress.
        storage_url: Optuna storage, or empty for a journal in the sweep's folder.
        functions: Functions of the program in place of a model's file.
        notes: Lines about the file that the sweep was made from.
        warm_start: A sweep that this file wants to learn from, or empty.
    """

    # Each is set by the stage that opens it, in the order of ``_run``.
    _scheduler: Scheduler
    _stopping: StopRequests
    _peers: SharedDrivers | SoleDriver
    _backend: str
    _kind: type[Backend]
    _tags: Mapping[str, str]
    _manifest: SweepManifest
    _sources: Sequence[Source]
    _earlier_end: StopReason | None
    _placement: Placement
    _recorder: RecorderProcess | NoRecorder
    _walk: Walk | None
    _log: RecordLog
    _study: Study
    _callbacks: CallbackRunner
    _standby: ExportStandby

    def __init__(
        self,
        spec: SweepSpec,
        sweep_dir: SweepDir,
        options: RunOptions,
        display: Display,
        storage_url: str = "",
        functions: Functions | None = None,
        notes: Sequence[str] = (),
        warm_start: str = "",
    ) -> None:
        self._spec = spec
        self._dir = sweep_dir
        self._options = options
        self._display = display
        self._storage_url = storage_url
        self._functions = functions or {}
        self._notes = notes
        self._warm_start = warm_start
        self._open = ExitStack()
        self._reconnection = Reconnection()
        self._ended: SweepClosed | None = None

    def run(self) -> RunOutcome:
        """Run or continue the sweep, once.

        Raises:
            InvalidInput: The search space or the model has mistakes.
            SweepLocked: Another driver works on it.
            StoreError: Its files or its storage cannot be used.
            BackendError: Nothing can run its trials.
        """
        try:
            return self._run()
        except StoppedAtStart as stopped:
            if not self._dir.spec_file.exists():
                raise  # there is no sweep that has a result
            return RunOutcome(self._result(), None, stopped.exit_status)
        except StoppedWaiting as error:
            error.exit_status = self._stopping.exit_status
            raise
        except (StoreError, BackendError) as error:
            self._notify("failed", error.message)
            raise

    def _run(self) -> RunOutcome:
        self._precheck()
        self._make_dir()
        self._stopping = stopping = StopRequests(self._dir.stop_file)
        self._reconnection = Reconnection(self._spec.name, self._display.line, stopping.requests)
        with stopping.listening(self._display.line), disk_faults(self._dir), self._open:
            with stopping.giving_up():
                self._join_drivers()
                if (outcome := self._already_done(self._resolve_manifest())) is not None:
                    return outcome
                self._start_processes()
            self._open_study()
            end = self._run_trials()
            return self._close(end, self._export_best(end))

    def _precheck(self) -> None:
        """Refuse what cannot run, and say what is rarely meant, before anything is written."""
        precheck(self._spec, self._dir, self._options)
        self._scheduler = make_scheduler(self._spec)
        for note in (*self._notes, *hints(self._spec)):
            self._display.line(f"note: {note}")

    def _make_dir(self) -> None:
        try:
            self._dir.trials_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            found = f"cannot write to {self._dir.path}: {error.strerror}"
            raise InvalidInput("root", [Problem("", found, "choose another --root")]) from error

    def _join_drivers(self) -> None:
        """Take the sweep for this driver alone, or join those that share its study on a database."""
        if not self._storage_url:
            lock = self._open.enter_context(DriverLock(self._dir.driver_file))
            self._open.enter_context(tidy(self._dir))
            self._peers = SoleDriver(lock)
            return
        study_lock = StudyLock(self._storage_url, self._spec.name, self._dir.study_lock_file, self._reconnection)
        with study_lock.held():
            open_storage(self._dir, self._storage_url)  # two drivers cannot make its tables at once
        self._peers = self._open.enter_context(SharedDrivers(self._dir, study_lock))

    def _resolve_manifest(self) -> StudyOnDisk:
        """Find the sweep, or make it; see what it learns from, and whether it ended. Return its study as found."""
        self._backend = backend_of(self._dir, self._options.backend)
        self._tags = {**self._options.tags, **tags_of(self._spec, self._backend)}
        self._kind = backend_class(self._backend, self._spec.import_paths)
        self._manifest, changes = self._present_manifest()
        study = read_whole_study(self._dir, hidden_spec(self._spec), self._storage_url)
        if self._functions:
            write_functions(self._dir, self._functions)
        wanted = self._options.sources or sources_here(self._warm_start, self._dir.root, self._display)
        self._sources = sources_of(self._dir, wanted, self._spec)
        for line in changes:
            self._display.line(f"changed: {line}")
        goes_on = self._options.retry or self._manifest.corrected
        self._earlier_end = None if goes_on else nothing_to_run(self._dir, self._spec, study)
        return study

    def _present_manifest(self) -> tuple[SweepManifest, list[str]]:
        return resolve_manifest(self._dir, self._spec, self._tags, self._storage_url, self._is_untried)

    def _is_untried(self, spec: SweepSpec) -> bool:
        """Whether no trial of the sweep was ever begun, so that there is nothing whose meaning could change."""
        if not self._peers.is_alone() or (self._dir.trials_dir.is_dir() and any(self._dir.trials_dir.iterdir())):
            return False
        return not read_study(self._dir, spec, self._storage_url).trials

    def _already_done(self, study: StudyOnDisk) -> RunOutcome | None:
        """Return what a sweep that ended before has come to, if nothing else is left to do either."""
        end = self._earlier_end
        if end is None or self._options.sources or not self._manifest.is_written(self._dir):
            return None
        result = SweepResult(self._dir, hidden_spec(self._spec), self._storage_url, study)
        if self._options.export and not end.failed and export_due(result):
            return None
        if not nothing_to_send(self._dir, self._manifest, result.trials):
            return None
        self._manifest.write(self._dir)
        self._display.line(f"nothing to do: it has ended before; {end.more}")
        return RunOutcome(result, end, status_of(end, result))

    def _start_processes(self) -> None:
        """Start what trials run in, what draws their parameters and what records them, side by side."""
        # A sweep that only has to be exported or recorded needs nothing that trials need.
        needs_no_trials = self._earlier_end is not None and not self._storage_url
        self._placement = make_placement(self._spec, self._dir, self._backend)
        self._open.callback(self._placement.backend.close)
        asked = self._sources or not needs_no_trials
        if (space := open_model_space(self._spec, self._dir.driver_log_file) if asked else None) is not None:
            self._open.callback(space.close)
        self._recorder = self._make_recorder()
        self._open.callback(self._recorder.close)
        self._recorder.start()
        importing = import_beside("optuna", *(() if needs_no_trials else self._scheduler.imports))
        for note in (*self._placement.notes, *(() if needs_no_trials else self._placement.backend.open())):
            self._display.line(note)
        self._recorder.wait_ready()
        importing.join()  # this thread would get a module of it that is half imported
        self._walk = walk_of(space, self._spec)
        durable = not self._kind.is_simulated
        self._log = RecordLog(self._dir.records_file, shared=bool(self._storage_url), durable=durable)
        self._open.callback(self._log.close)

    def _make_recorder(self) -> RecorderProcess | NoRecorder:
        if not self._kind.is_recorded(self._spec):
            return NoRecorder()
        return RecorderProcess(self._dir, os.environ.get("MLFLOW_TRACKING_URI"), self._dir.driver_log_file)

    def _open_study(self) -> None:
        """Write the sweep into its folder and open its study, while other drivers are kept out."""
        with self._peers.exclusive():  # another driver may have made the sweep while the model was imported
            self._manifest, _ = self._present_manifest()
            if self._manifest.corrected:
                delete_study(self._dir, self._storage_url)
            write_sources(self._dir, self._sources)
            replace(self._manifest, backend=self._backend).write(self._dir)
            write_private(self._dir, self._spec)
            self._study = self._make_study()
            self._study.enqueue(self._spec.search.enqueue)
            for number in self._options.retry:
                self._study.reopen(number)
            if unrecorded_s := self._peers.unrecorded_s(self._study.spent_until):
                self._study.spend(unrecorded_s)
            self._peers.begin_work()
        for params, loss in self._study.earlier:
            self._scheduler.learn(params, loss)
        for line in self._study.learned:
            self._display.line(line)
        self._log.append(opening_record(self._manifest, self._placement.workers, self._study.learned))

    def _make_study(self) -> Study:
        if not self._storage_url:
            repair(self._dir.journal_file)  # a change that a killed driver did not write whole did not happen
        try:
            storage = open_storage(self._dir, self._storage_url, not self._kind.is_simulated, self._reconnection)
            return Study(hidden_spec(self._spec), storage, self._sources, self._walk)
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(f"the study of {self._spec.name!r} cannot be opened: {error}") from error

    def _run_trials(self) -> StopReason | None:
        """Run trials until a limit is reached; return which, or None if somebody stopped the sweep."""
        options, display, alone = self._options, self._display, not self._storage_url
        self._callbacks = CallbackRunner(options.callbacks, self._dir, self._spec, display, self._study.trial)
        placed = self._placement
        wanted, others = options.export and alone, self._recorder.prepare if self._spec.record.plots else lambda: None
        standby = ExportStandby(self._dir, wanted, placed.workers, placed.backend.fork_function, others)
        self._standby = self._open.enter_context(standby)
        context = LoopContext(
            self._study,
            placed.backend,
            self._scheduler,
            self._log,
            display,
            self._stopping,
            poll_recorder=self._recorder.check,
            reactions=(self._callbacks, self._standby),
            peers=self._peers,
            hide=hiding_of(self._spec, self._storage_url),
        )
        loop = Loop(self._spec, self._dir, with_virtual_clock(context), placed.workers, placed.threads)
        self._standby.total = loop.total
        end = loop.run()
        self._peers.end_work()
        placed.backend.close()
        if end is not None and self._earlier_end is not None and not self._storage_url:
            return self._earlier_end  # no trial was to be run, so the earlier reason stands
        return end

    def _export_best(self, end: StopReason | None) -> bool:
        """Export the best model of a sweep that ended; return whether that was left out because somebody stopped it."""
        if not self._options.export or end is None or end.failed:
            return False
        result = self._result()
        if not self._storage_url and export_due(result):  # other drivers may still run trials
            self._record_end(end)
            self._recorder.look()  # the last plots are drawn beside the export
        return export_best(result, self._log, self._display, lambda: self._stopping.asked, self._standby)

    def _close(self, end: StopReason | None, not_exported: bool) -> RunOutcome:
        """Record that the sweep has ended or was stopped, wait until MLflow has it all, tell whoever wants to know."""
        before, is_last = self._stopping.signals, self._peers.leave()
        if end is not None or is_last:  # others go on with a sweep that this driver leaves
            self._record_end(end)
        arrived = drain(self._recorder, self._spec.name, self._stopping, self._display.line, before)
        result = self._result()  # only now do all trials have their runs
        outcome = RunOutcome(result, end, self._stopping.exit_status)
        if end is not None and not arrived and self._stopping.signals > before:
            outcome = replace(outcome, left_out=f"MLflow has not taken everything, {self._recorder.status()}")
        elif end is not None:
            outcome = replace(outcome, exit_status=status_of(end, result))
        self._callbacks.sweep_ended(result)
        if end is not None and is_last:
            self._notify("failed" if has_failed(end, result) else "finished", end.reason)
        if not_exported:
            left_out = "the best model was not exported"
            outcome = replace(outcome, exit_status=self._stopping.exit_status, left_out=left_out)
        return outcome

    def _record_end(self, end: StopReason | None) -> None:
        """Record how this driver's part ended, unless that is what was recorded last."""
        if self._ended is None:
            result = self._result()
            best, failed = result.best_or_none, end is not None and has_failed(end, result)
            reason, limit = (end.reason, end.limit) if end else ("stopped", "")
            number = best.number if best else None
            self._ended = SweepClosed(time.time(), end is not None, reason, number, failed, limit)
        if last_record(self._dir.records_file) != self._ended:
            self._log.append(self._ended)

    def _result(self) -> SweepResult:
        return self._reconnection.run(lambda: SweepResult(self._dir, hidden_spec(self._spec), self._storage_url))

    def _notify(self, state: str, reason: str) -> None:
        if self._spec.notify.command or self._spec.notify.url:
            for line in notify(self._spec.notify, message(self._result(), state, reason)):
                self._display.line(line)

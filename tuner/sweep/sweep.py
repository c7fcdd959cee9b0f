"""A sweep in Python: from a search space file to its result.

sweep = tuner.Sweep.from_file("search_spaces/housing.yaml")
result = sweep.run(trials=20, workers=2)
result.best.params, result.best.value, result.dataframe()
"""

from __future__ import annotations

import importlib
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tuner.errors import InvalidInput, Problem, StoreError
from tuner.paths import Root, SweepDir, check_name
from tuner.recorders.names import check_tags
from tuner.recorders.process import RecorderProcess
from tuner.records import RecordLog, SweepClosed
from tuner.results import SweepResult
from tuner.schedulers import make_scheduler
from tuner.space.sampling import Walk
from tuner.spec import SweepSpec
from tuner.study import DriverLock, Study
from tuner.study.journal import repair
from tuner.study.packages import check_packages
from tuner.study.shared import StudyLock, database_url
from tuner.study.storage import open_storage
from tuner.sweep.best_model import export_best, export_due
from tuner.sweep.callbacks import TrialEnd, settled_trials
from tuner.sweep.commands import check
from tuner.sweep.disk import disk_faults
from tuner.sweep.finished import nothing_to_run, nothing_to_send
from tuner.sweep.hints import hints
from tuner.sweep.limits import End
from tuner.sweep.loop import Loop, Parts
from tuner.sweep.model_space import open_model_space, walk_of
from tuner.sweep.notebook import default_watcher
from tuner.sweep.opening import Frozen, changed_limits, opened, plan, read_frozen, same_storage
from tuner.sweep.peers import Peers, Sole
from tuner.sweep.placing import check_backend, place
from tuner.sweep.progress import Watcher
from tuner.sweep.reading import read_file, sources_here
from tuner.sweep.simulating import NoRecorder, adapted, backend_of, tags_of
from tuner.sweep.stopping import StopRequests
from tuner.sweep.warm_start import sources_of, write_sources
from tuner.values import Source

DRAIN_S = 60.0  # how long the end of a sweep waits for the tracking store


@dataclass(frozen=True)
class Ran:
    """How a call of ``run`` ended.

    Attributes:
        result: The sweep's trials.
        end: Which limit was reached, or None if the sweep was stopped.
        left_out: What was not done, where it was stopped after its end: while its best model was being exported,
            or while MLflow took the last records. ``resume`` does it.
        exit_status: What the command line exits with.
    """

    result: SweepResult
    end: End | None
    exit_status: int
    left_out: str = ""


class Sweep:
    """A sweep under a root folder; made by ``from_file`` or ``open``.

    Args:
        spec: What to run.
        root: Folder of the records.
        storage_url: Optuna storage, or empty for a journal in the sweep's folder.
    """

    def __init__(self, spec: SweepSpec, root: Path | str = ".", storage_url: str = "") -> None:
        self.spec = spec
        self.dir: SweepDir = Root(Path(root).absolute()).sweep(spec.name)
        self._storage_url = database_url(storage_url) if storage_url else ""
        self.backend = "local"  # where its trials ran last
        self.notes: tuple[str, ...] = ()
        self._warm_start = ""  # what another tool's file wants to learn from

    @classmethod
    def from_file(
        cls,
        file: Path | str,
        root: Path | str = ".",
        name: str | None = None,
        overrides: Sequence[str] = (),
        command: Sequence[str] = (),
        storage_url: str = "",
    ) -> Sweep:
        """Read a search space file.

        Args:
            file: YAML file.
            root: Folder under which records are kept.
            name: Name of the sweep instead of the file's.
            overrides: ``KEY=VALUE`` with a dotted path of the file and a value read as YAML.
            command: Each trial is this command with its parameters filled in; the file may then be AI
                Platform's ``hptuning_config.yaml`` or another tool's.
            storage_url: A database for the study, which several drivers may share; empty for the one
                that the sweep has, a journal in its folder where it has none.

        Raises:
            InvalidInput: The file has mistakes; all of them are named.
        """
        read = read_file(Path(file), overrides, command)
        spec = replace(read.spec, name=check_name(name)) if name else read.spec
        sweep = cls(spec, root, storage_url)
        sweep.notes = read.notes
        sweep._warm_start = read.warm_start
        return sweep

    @classmethod
    def open(cls, name: str, root: Path | str = ".") -> Sweep:
        """Return the sweep that is under ``root``.

        Raises:
            InvalidInput: There is none of that name.
        """
        frozen = read_frozen(Root(Path(root).absolute()).sweep(name))
        sweep = cls(frozen.spec, root, frozen.storage_url)
        sweep.backend = frozen.backend
        return sweep

    def result(self) -> SweepResult:
        """Return what the sweep has recorded so far."""
        return SweepResult(self.dir, self.spec, self._storage_url)

    def run(
        self,
        trials: int | None = None,
        workers: int | None = None,
        timeout_s: float | None = None,
        trial_timeout_s: float | None = None,
        seed: int | None = None,
        backend: str = "local",
        tags: Mapping[str, str] | None = None,
        watcher: Watcher | None = None,
        sources: Sequence[str] = (),
        export: bool = True,
        on_trial_end: TrialEnd | None = None,
    ) -> SweepResult:
        """Run the sweep, or continue it where it was left, until its limits are reached.

        Args:
            trials: Total number of trials of the sweep, over all calls.
            workers: Trials at a time; never more than the cores.
            timeout_s: Running time of the sweep over all calls, in seconds.
            trial_timeout_s: Running time of one trial without pauses, in seconds.
            seed: Seed of the sweep; the same in every call.
            backend: ``local`` (processes), ``inline`` (this process, for a debugger), ``ray`` (a cluster) or
                ``simulated`` (learning curves that the file names, and a virtual clock).
            tags: Tags of all runs.
            watcher: Shows the progress; in a notebook, where there is none, a bar and a table below the cell.
            sources: What a new sweep learns from: names of sweeps under the root, URLs of Optuna
                storages, CSV files; see ``tuner.sweep.warm_start.read_source``.
            export: Whether the best model of a finished sweep is put on its MLflow run, where the model
                has a ``serving_input_receiver_fn``.
            on_trial_end: Called with each trial (a ``tuner.Trial``) that completes, is pruned or fails. If
                it raises, that is reported and the sweep goes on.

        Returns:
            The result; a sweep that was stopped has trials that are not settled.

        Raises:
            InvalidInput: The search space or the model has mistakes.
            SweepLocked: Another driver works on it.
            KeyboardInterrupt: Ctrl-C; the sweep, or the export of its best model, can be continued.
        """
        limits = {
            "trials": trials,
            "workers": workers,
            "timeout_s": timeout_s,
            "trial_timeout_s": trial_timeout_s,
            "seed": seed,
        }
        ran = self.drive(limits, backend, tags or {}, watcher or default_watcher(), sources, export, on_trial_end)
        if ran.end is None or ran.left_out:
            raise KeyboardInterrupt
        return ran.result

    def drive(
        self,
        limits: Mapping[str, Any],
        backend: str,
        tags: Mapping[str, str],
        watcher: Watcher,
        sources: Sequence[str] = (),
        export: bool = True,
        on_trial_end: TrialEnd | None = None,
    ) -> Ran:
        """Run or continue the sweep; what ``run`` and the command line stand on."""
        self.spec = changed_limits(self.spec, limits)
        check_tags(tags, "tags")
        check_backend(backend)
        if self.spec.command:
            check(self.spec, backend)
        for note in (*self.notes, *hints(self.spec)):
            watcher.say(f"note: {note}")
        scheduler = make_scheduler(self.spec)
        check_packages(self.spec.search.sampler.name)
        self._make_dir()
        stopping = StopRequests(self.dir.stop_file)
        with disk_faults(self.dir), ExitStack() as stack:
            peers = self._join(stack)
            backend = backend_of(self.dir, backend)
            tags = {**tags, **tags_of(backend)}
            frozen, changes = plan(self.dir, self.spec, tags, self._storage_url)
            earlier = sources_of(self.dir, sources or sources_here(self._warm_start, self.dir.root, watcher), self.spec)
            for line in changes:
                watcher.say(f"changed: {line}")
            over = nothing_to_run(self.dir, self.spec, self._storage_url) if frozen.is_written(self.dir) else None
            if over is not None and not sources and (ran := self._done_before(over, frozen, export)):
                watcher.say("nothing to do: it has ended before; larger limits continue it, as --trials")
                return ran
            idle = over is not None and backend == "local" and not self._storage_url  # what trials need stays away
            stack.enter_context(stopping.listening())
            placed = place(self.spec, self.dir, backend)
            workers, trials = placed.workers, placed.backend
            stack.callback(trials.close)
            space = open_model_space(self.spec, self.dir.driver_log_file) if earlier or not idle else None
            stack.callback(space.close if space else str)
            recorder = self._recorder(backend)
            stack.callback(recorder.close)
            recorder.start()
            importing = _import_beside("optuna")
            for note in (*placed.notes, *(() if idle else trials.open())):
                watcher.say(note)
            recorder.wait_ready()
            importing.join()  # a module of it that this thread asked for meanwhile would come half made
            walk = walk_of(space, self.spec)
            durable = backend != "simulated"
            log = RecordLog(self.dir.records_file, shared=bool(self._storage_url), durable=durable)
            stack.callback(log.close)
            with peers.turn():  # another driver may have made the sweep while the model was imported
                frozen, _ = plan(self.dir, self.spec, tags, self._storage_url)
                write_sources(self.dir, earlier)
                replace(frozen, backend=backend).write(self.dir)
                study = self._study(earlier, walk, durable)
                study.enqueue(self.spec.search.enqueue)
                if unnoted_s := peers.unnoted_s(study.spent_until):
                    study.set_attributes(seconds=study.spent_s + unnoted_s)
            for line in study.learned:
                watcher.say(line)
            log.append(opened(frozen, self._settings(workers), study.learned))
            parts = Parts(study, trials, scheduler, log, watcher, stopping, recorder.check, peers=peers)
            if on_trial_end is not None:
                told = settled_trials(on_trial_end, self.dir, self.spec, watcher, study.trial)
                parts = replace(parts, on_trial_end=told)
            end = Loop(self.spec, self.dir, adapted(parts), workers, placed.threads).run()
            trials.close()
            left_out = False
            if export and end is not None and not end.failed:
                left_out = export_best(self.result(), log, watcher, lambda: stopping.asked)
            ran = self._finish(peers, end, log, recorder, watcher, stopping)
            if left_out:
                return replace(ran, exit_status=stopping.exit_status, left_out="the best model was not exported")
            return ran

    def _done_before(self, over: End, frozen: Frozen, export: bool) -> Ran | None:
        """Return what a sweep that has no trial to run has come to, where nothing else is left to do either."""
        result = self.result()
        if (export and not over.failed and export_due(result)) or not nothing_to_send(self.dir, frozen, result.trials):
            return None
        return Ran(result, over, int(has_failed(over, result)))

    def _join(self, stack: ExitStack) -> Peers | Sole:
        """Take the sweep for this driver alone, or join those that share its study on a database."""
        if self.dir.spec_file.exists():
            self._storage_url = same_storage(self.spec.name, read_frozen(self.dir).storage_url, self._storage_url)
        if not self._storage_url:
            return Sole(stack.enter_context(DriverLock(self.dir.driver_file)).left)
        lock = StudyLock(self._storage_url, self.spec.name)
        with lock.held():
            open_storage(self.dir, self._storage_url)  # two drivers cannot make its tables at once
        return stack.enter_context(Peers(self.dir, lock))

    def _finish(
        self,
        peers: Peers | Sole,
        end: End | None,
        log: RecordLog,
        recorder: RecorderProcess | NoRecorder,
        watcher: Watcher,
        stopping: StopRequests,
    ) -> Ran:
        result = self.result()
        best = result.best_or_none
        reason = end.reason if end else "stopped"
        failed = end is not None and has_failed(end, result)
        if end is not None or peers.alone():  # others go on with a sweep that this driver leaves
            log.append(SweepClosed(time.time(), end is not None, reason, best.number if best else None, failed))
        before = stopping.signals
        arrived = recorder.drain(DRAIN_S, unless=lambda: stopping.signals > before)
        while line := recorder.check():
            watcher.say(line)
        interrupted = not arrived and stopping.signals > before
        if not arrived and not interrupted:
            watcher.say(
                f"MLflow has not taken everything: {recorder.status()}; nothing is lost, "
                f"`tuner resume {self.spec.name}` sends the rest"
            )
        result = self.result()  # only now do all trials have their runs
        if end is None:
            return Ran(result, None, stopping.exit_status)
        if interrupted:
            return Ran(result, end, stopping.exit_status, f"MLflow has not taken everything, {recorder.status()}")
        return Ran(result, end, 1 if failed else 0)

    def _make_dir(self) -> None:
        try:
            self.dir.trials_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InvalidInput(
                "root",
                [Problem("", f"cannot write to {self.dir.path}: {error.strerror}", "choose another --root")],
            ) from error

    def _study(self, earlier: Sequence[Source], walk: Walk | None, durable: bool) -> Study:
        if not self._storage_url:
            repair(self.dir.journal_file)  # what a killed driver had not written whole, it had not done
        try:
            return Study(self.spec, open_storage(self.dir, self._storage_url, durable), earlier, walk)
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(f"the study of {self.spec.name!r} cannot be opened: {error}") from error

    def _recorder(self, backend: str) -> RecorderProcess | NoRecorder:
        if backend == "simulated" and self.spec.simulation is not None and not self.spec.simulation.record:
            return NoRecorder()
        return RecorderProcess(self.dir, os.environ.get("MLFLOW_TRACKING_URI"), self.dir.driver_log_file)

    def _settings(self, workers: int) -> dict[str, Any]:
        search, train = self.spec.search, self.spec.train
        return {
            "trials": search.trials,
            "workers": workers,
            "sampler": search.sampler.name,
            "scheduler": search.scheduler.name,
            "seed": search.seed,
            "max_steps": train.max_steps,
            "evaluate_every": train.evaluate_every,
            **({"repeats": search.repeats} if search.repeats > 1 else {}),
        }


def has_failed(end: End, result: SweepResult) -> bool:
    """Whether a sweep that ended is a failure: by its limit of failures, or because no trial completed."""
    return end.failed or all(trial.state.value != "COMPLETE" for trial in result.trials)


def _import_beside(module: str) -> threading.Thread:
    """Import a module in a thread, while this one waits for other processes."""
    thread = threading.Thread(target=importlib.import_module, args=(module,), daemon=True)
    thread.start()
    return thread

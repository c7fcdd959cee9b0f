"""A sweep in Python: from a search space file to its result.

sweep = tuner.Sweep.from_file("search_spaces/housing.yaml")
result = sweep.run(trials=20, workers=2)
result.best.params, result.best.value, result.dataframe()
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuner.backends import DEFAULT
from tuner.config import hidden_spec
from tuner.config.manifest import (
    changed_limits,
    read_manifest,
    same_storage,
    whole_spec,
)
from tuner.domain.spec import SweepSpec
from tuner.driver.progress import Display
from tuner.files.paths import Root, SweepDir, check_name
from tuner.results import SweepResult
from tuner.study.database import database_url
from tuner.sweep.callbacks import Callbacks, EvaluationCallback, SweepCallback, TrialCallback
from tuner.sweep.declaration import Functions, Keywords, declared
from tuner.sweep.notebook import default_display
from tuner.sweep.retry import failed_trials, numbers_of
from tuner.sweep.run_options import RunOptions
from tuner.sweep.source_file import read_source_file
from tuner.text import counted

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from tuner.sweep.session import SweepSession


class Sweep:
    """A sweep under a root folder: of a mapping or keywords, of a file (``from_file``), or there already (``open``).

    sweep = tuner.Sweep(
        name="mine", model="model.py", objective="rmse", goal="minimize", max_steps=3000, evaluate_every=300, trials=20,
        parameters={"learning_rate": tuner.Float(1e-4, 1e-1, log=True), "units": tuner.Int(16, 256, step=16)},
    )

    Functions may stand in place of a model (``model_fn=..., train_input_fn=..., eval_input_fn=...``), from a notebook's
    cell too: they are pickled into the sweep's folder, and the process that trials are forked from loads them.

    Args:
        spec: What a search space file holds, as a mapping.
        root: Folder of the records.
        storage_url: Optuna storage, or empty for a journal in the sweep's folder.
        keywords: Keys of the file, keys of its sections, functions of the model; as in ``sweep.declaration.Keywords``.

    Raises:
        InvalidInput: It has mistakes; all of them are named.
    """

    def __init__(
        self,
        spec: SweepSpec | Mapping[str, Any] | None = None,
        /,
        root: Path | str = ".",
        storage_url: str = "",
        **keywords: Unpack[Keywords],
    ) -> None:
        self._functions: Functions = {}
        if not isinstance(spec, SweepSpec):
            spec, self._functions = declared(spec, keywords, Path(root).absolute())
        self.spec = spec
        self.dir: SweepDir = Root(Path(root).absolute()).sweep(spec.name)
        self._storage_url = database_url(storage_url) if storage_url else ""
        self.backend = DEFAULT  # where its trials ran last
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
                that the sweep has, a journal in its folder if it has none.

        Raises:
            InvalidInput: The file has mistakes; all of them are named.
        """
        read = read_source_file(Path(file), overrides, command)
        spec = replace(read.spec, name=check_name(name)) if name is not None else read.spec
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
        sweep_dir = Root(Path(root).absolute()).sweep(name)
        manifest = read_manifest(sweep_dir)
        sweep = cls(whole_spec(sweep_dir, manifest.spec), root, manifest.storage_url)
        sweep.backend = manifest.backend
        return sweep

    def result(self) -> SweepResult:
        """Return what the sweep has recorded so far."""
        return SweepResult(self.dir, hidden_spec(self.spec), self._storage_url)

    def run(
        self,
        trials: int | None = None,
        workers: int | None = None,
        timeout_s: float | None = None,
        trial_timeout_s: float | None = None,
        seed: int | None = None,
        backend: str = DEFAULT,
        tags: Mapping[str, str] | None = None,
        display: Display | None = None,
        sources: Sequence[str] = (),
        export: bool = True,
        on_trial_end: TrialCallback | None = None,
        retry: Sequence[int] = (),
        on_trial_start: TrialCallback | None = None,
        on_evaluation: EvaluationCallback | None = None,
        on_sweep_end: SweepCallback | None = None,
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
            display: Shows the progress; in a notebook, if there is none, a bar and a table below the cell.
            sources: What a new sweep learns from: names of sweeps under the root, URLs of Optuna
                storages, CSV files; see ``tuner.warm_start.sources.read_source``.
            export: Whether the best model of a finished sweep is put on its MLflow run, if the model
                has a ``serving_input_receiver_fn``.
            on_trial_end: Called with each trial (a ``tuner.Trial``) that completes, is pruned or fails. If
                it raises, that is reported and the sweep goes on.
            on_trial_start: Called with each trial whose process has begun, again when it goes on.
            on_evaluation: Called with a trial, the global step and metric to value when it was evaluated.
            on_sweep_end: Called with the result when the sweep has ended or was stopped.
            retry: Numbers of trials that failed and are to run again, each under its number, from its newest
                checkpoint.

        Returns:
            The result; a sweep that was stopped has trials that are not finished.

        Raises:
            InvalidInput: The search space or the model has mistakes, or a trial of ``retry`` has not failed.
            SweepLocked: Another driver works on it.
            KeyboardInterrupt: Ctrl-C; the sweep, or the export of its best model, can be continued.
        """
        callbacks = Callbacks(on_trial_start, on_evaluation, on_trial_end, on_sweep_end)
        if retry := numbers_of(retry):
            failed_trials(self.result(), retry)
        options = RunOptions(
            trials, workers, timeout_s, trial_timeout_s, seed, backend, tags or {}, sources, export, retry, callbacks
        )
        outcome = self.session(options, display or default_display()).run()
        if outcome.end is None or outcome.left_out:
            raise KeyboardInterrupt
        return outcome.result

    def session(self, options: RunOptions, display: Display) -> SweepSession:
        """Return one call of run, which the caller is to ``run``; the sweep takes the limits of its options.

        Raises:
            InvalidInput: A limit is none, or the sweep keeps its study in another storage.
        """
        from tuner.sweep.session import SweepSession  # and what trials need: not for commands on a sweep that is there

        self.spec = changed_limits(self.spec, options.limits)
        if self.dir.spec_file.exists():
            self._storage_url = same_storage(self.spec.name, read_manifest(self.dir).storage_url, self._storage_url)
        return SweepSession(
            self.spec, self.dir, options, display, self._storage_url, self._functions, self.notes, self._warm_start
        )

    def __repr__(self) -> str:
        search = self.spec.search
        what = f"{counted(len(self.spec.space.parameters), 'parameter')}, {counted(search.trials, 'trial')}"
        return f"<Sweep {self.spec.name!r}: {what}, {search.sampler.name}, {search.scheduler.name}, in {self.dir.path}>"

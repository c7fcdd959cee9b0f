"""What a search space file says, as frozen values: the sweep to be run.

Comes from ``tuner.config`` (YAML) or from Python; goes into the study, the jobs and the records.
Everything here has been validated; making one of these by hand validates nothing but types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tuner.domain.objective import Constraint, Objective
from tuner.errors import InvalidInput
from tuner.space import Space


@dataclass(frozen=True)
class ModelRef:
    """Where the user's model is: a module or a file, and the object in it.

    Attributes:
        module: Dotted module name, or an empty string if it is a file.
        file: Absolute path of a ``.py`` file, or an empty string if it is a module.
        object: Dotted name of an object in it, or an empty string for the module itself.
        import_paths: Folders put on ``sys.path`` before it is imported, absolute.
    """

    module: str = ""
    file: str = ""
    object: str = ""
    import_paths: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (self.file or self.module) + (f":{self.object}" if self.object else "")


@dataclass(frozen=True)
class TrainSettings:
    """How long a trial trains and how often it is evaluated.

    Attributes:
        max_steps: Global step at which a trial is complete; None if a command decides.
        evaluate_every: Global steps between checkpoints, each of which is evaluated; None if a
            command decides.
        checkpoint_input: ``auto``, ``True`` or ``False``: whether the position in the input is
            checkpointed with the model; ``auto`` does it if it can.
    """

    max_steps: int | None = None
    evaluate_every: int | None = None
    checkpoint_input: bool | str = "auto"

    def bounds(self) -> tuple[int, int]:
        """Return ``evaluate_every`` and ``max_steps``, for those who place something between the two.

        Raises:
            InvalidInput: A command decides one of them.
        """
        return self.every, self.end

    @property
    def every(self) -> int:
        """``evaluate_every``, for those who cannot do without it; raises InvalidInput if there is none."""
        if self.evaluate_every is None:
            raise InvalidInput("train.evaluate_every", "is missing")
        return self.evaluate_every

    @property
    def end(self) -> int:
        """``max_steps``, for those who cannot do without it; raises InvalidInput if there is none."""
        if self.max_steps is None:
            raise InvalidInput("train.max_steps", "is missing")
        return self.max_steps


@dataclass(frozen=True)
class Named:
    """A sampler or scheduler by its name, with its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Budget:
    """Other limits of a sweep than trials and time.

    Attributes:
        steps: Global steps trained over all trials, or None.
        target: Stop when the first objective is at least this good, or None.
        plateau: Stop when the best has not improved over this many finished trials, or None.
    """

    steps: int | None = None
    target: float | None = None
    plateau: int | None = None


@dataclass(frozen=True)
class SearchSettings:
    """How parameters are chosen, how trials are judged, and when the sweep ends.

    Attributes:
        trials: Total number of trials of the sweep, over all calls.
        workers: Trials at a time.
        timeout_s: Running time of the sweep over all calls, or None.
        trial_timeout_s: Running time of a trial without its pauses, or None.
        no_progress_timeout_s: A trial that makes no step within this time is ended, or None.
        retries: How often a trial whose attempt failed (it died, or raised after a checkpoint) is resumed.
        max_failed_trials: The sweep ends when more have failed, or None.
        max_consecutive_failures: The sweep ends when so many failed one after another.
        nan: ``fail``, or ``worst`` to count a NaN loss as the worst value.
        repeats: Seeds each set of parameters is trained with.
        max_checkpoint_bytes: Checkpoints of finished trials are given up, the worst trials' first, until all
            of the sweep take no more than this; or None.
        enqueue: Parameters to try first, each a mapping of some or all of them; the sampler draws the rest.
    """

    sampler: Named = Named("tpe")
    scheduler: Named = Named("none")
    trials: int = 20
    seed: int = 0
    workers: int | None = None
    timeout_s: float | None = None
    trial_timeout_s: float | None = None
    no_progress_timeout_s: float | None = None
    retries: int = 1
    max_failed_trials: int | None = None
    max_consecutive_failures: int = 3
    nan: str = "fail"
    repeats: int = 1
    budget: Budget = Budget()
    max_checkpoint_bytes: int | None = None
    enqueue: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class RecordSettings:
    """How a sweep is recorded.

    Attributes:
        plots: Whether the sweep's run gets plots, a page and a table of its trials as files.
        system_metrics: Whether the sweep's run gets metrics of the machine.
        training: Tags of what training itself writes that are recorded as ``train/TAG``, thinned.
        recorders: Of the user's own, beside MLflow and TensorBoard, ``package.module:Class`` each.
    """

    plots: bool = True
    system_metrics: bool = False
    training: tuple[str, ...] = ("loss",)
    recorders: tuple[Named, ...] = ()


@dataclass(frozen=True)
class Simulation:
    """Where simulated trials have their learning curves from, and how their workers behave.

    Attributes:
        curves: File of a table of recorded curves, absolute; empty if a task is named.
        task: Name of a synthetic task; empty if curves are given.
        neighbours: Number of recorded curves that are blended, the nearer the more; 1 for the nearest as it is.
        noise: Standard deviation that is added to each evaluation, in units of the metric.
        seconds_per_step: Of a synthetic task; a table has its own seconds.
        startup_s: Seconds from a trial's start to its first step, in each of its attempts.
        reaction_s: Seconds that a trial trains on when it is killed: how long its driver takes to hear and judge.
        straggler_share: Share of attempts that are slow, 0 to 1.
        straggler_factor: How many times as long they take.
        failures: Probability that an attempt of a trial dies before its end.
        event_files: Whether event files are written, as a real trial writes them.
        record: Whether the sweep is recorded in MLflow.
    """

    curves: str = ""
    task: str = ""
    neighbours: int = 1
    noise: float = 0.0
    seconds_per_step: float = 0.01
    startup_s: float = 0.0
    reaction_s: float = 0.0
    straggler_share: float = 0.0
    straggler_factor: float = 5.0
    failures: float = 0.0
    event_files: bool = False
    record: bool = True


@dataclass(frozen=True)
class Resources:
    """What each trial gets of the machines.

    Attributes:
        cpus: Cores, or None: one on a cluster, an equal share on this machine.
        gpus: Devices or a fraction of one, or None: one if there are any (on a cluster, none).
        custom: Ray's custom resources, name to amount.
    """

    cpus: float | None = None
    gpus: float | None = None
    custom: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ClusterSettings:
    """Which tasks a trial has that is a TensorFlow cluster; a chief is always among them.

    Attributes:
        workers: Tasks that train beside the chief.
        ps: Parameter servers, which hold the variables.
        evaluator: Whether a task of its own evaluates.
    """

    workers: int = 1
    ps: int = 1
    evaluator: bool = True

    @property
    def tasks(self) -> int:
        """How many processes a trial has."""
        return 1 + self.workers + self.ps + self.evaluator


@dataclass(frozen=True)
class RaySettings:
    """Which Ray cluster runs the trials, and what it shares with the driver.

    Attributes:
        address: ``HOST:PORT``, ``auto``, ``local``, or empty: what RAY_ADDRESS says, else a local one.
        storage: fsspec URL through which trials' files travel between nodes, or empty: all nodes see
            the sweep's folder.
        working_dir: Folder that is copied to all nodes, absolute, or empty: they can import the model.
    """

    address: str = ""
    storage: str = ""
    working_dir: str = ""


@dataclass(frozen=True)
class Notify:
    """Who is told when a sweep ends or fails.

    Attributes:
        command: Run by the shell, with ``TUNER_SWEEP``, ``TUNER_STATE``, ``TUNER_REASON`` and the like set; or empty.
        url: Gets a POST of JSON; ``$NAME`` in it is a variable of the environment. Empty for none.
    """

    command: str = ""
    url: str = ""


@dataclass(frozen=True)
class SweepSpec:
    """A sweep as it was asked for.

    Attributes:
        name: Name of the sweep and of the MLflow experiment; safe as a folder's name.
        model: The user's model, or None in script mode.
        command: The command of script mode as it was given, or an empty tuple.
        command_dir: The command's working directory, absolute, or an empty string.
        objectives: One or more.
        space: Parameters and constants.
        source: Text of the file as the user wrote it, with ``--set`` applied; frozen with the sweep.
        description: What the sweep is for, in Markdown; empty if nobody said.
        record: How it is recorded.
        simulation: What the simulated backend replays, or None.
        constraints: Bounds on evaluation metrics.
        resources: What each trial gets of the machines.
        ray: The cluster of the Ray backend.
        cluster: The tasks of each trial, or None: a trial is one process.
        notify: Who is told of the sweep's end.
        import_paths: Folders in which the user's own classes are looked for, beside the current one, absolute.
    """

    name: str
    objectives: tuple[Objective, ...]
    space: Space
    train: TrainSettings
    search: SearchSettings
    model: ModelRef | None = None
    command: tuple[str, ...] = ()
    command_dir: str = ""
    source: str = ""
    description: str = ""
    record: RecordSettings = RecordSettings()
    simulation: Simulation | None = None
    constraints: tuple[Constraint, ...] = ()
    resources: Resources = Resources()
    ray: RaySettings = RaySettings()
    cluster: ClusterSettings | None = None
    notify: Notify = Notify()
    import_paths: tuple[str, ...] = ()

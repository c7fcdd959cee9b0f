"""From the text of a search space file to a sweep: shape by pydantic, meaning by hand, all mistakes at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from tuner.config.checks import (
    check_folders,
    check_scripted,
    check_simulation,
    contradictions,
    read_enqueued,
)
from tuner.config.overrides import give_way, parts_meant, with_parts
from tuner.config.own_classes import check_recorders, check_sampler, read_scheduler
from tuner.config.parameters import read_parameters
from tuner.config.sections import (
    _model,
    _objectives,
    _ray,
    _record,
    _resources,
    _search,
    _train,
    import_paths_of,
    read_cluster,
    read_constraints,
    read_simulation,
)
from tuner.config.shape import KEYS
from tuner.config.shape_checks import check_shape, elsewhere
from tuner.config.yaml_text import apply, dump, parse, read_text
from tuner.domain.objective import Constraint, Objective
from tuner.domain.spec import (
    ModelRef,
    Notify,
    RaySettings,
    RecordSettings,
    Resources,
    SearchSettings,
    SweepSpec,
    TrainSettings,
)
from tuner.errors import InvalidInput, Problem
from tuner.files.paths import check_name

T = TypeVar("T")


def load_spec(file: Path, overrides: Sequence[str] = (), command: Sequence[str] = ()) -> SweepSpec:
    """Read a search space file.

    Args:
        file: YAML file.
        overrides: ``KEY=VALUE`` with a dotted path of the file and a value read as YAML.
        command: The command of script mode, or nothing.

    Raises:
        InvalidInput: The file has mistakes; all of them are named.
    """
    return parse_spec(read_text(file), str(file), file.absolute().parent, file.stem, overrides, command)


def parse_spec(
    text: str,
    source: str,
    folder: Path,
    stem: str = "",
    overrides: Sequence[str] = (),
    command: Sequence[str] = (),
    model: ModelRef | None = None,
) -> SweepSpec:
    """Read a search space from its text.

    Args:
        text: YAML.
        source: What messages call it.
        folder: Where a model's file is looked for, and the user's own classes.
        stem: Name of the sweep if the text has none.
        overrides: As of ``load_spec``.
        command: As of ``load_spec``.
        model: The model of a text that names none.

    Raises:
        InvalidInput: It has mistakes; all of them are named.
    """
    values = parse(text, source)
    parts = parts_meant(values, overrides)
    if overrides:
        give_way(values, overrides)
        values = apply(values, overrides, KEYS, elsewhere)
        text = dump(values)
    problems: list[Problem] = check_shape(values)
    found = _Sections(values, folder, bool(command), model, problems)
    name = _name(values.get("name", stem), found.bad, problems)
    if problems:
        raise InvalidInput(source, with_parts(problems, parts))
    assert found.train is not None and found.search is not None and found.space is not None
    return SweepSpec(
        name=name,
        objectives=found.objectives,
        space=found.space,
        train=found.train,
        search=found.search,
        model=found.model,
        command=tuple(command),
        command_dir=str(Path.cwd()) if command else "",
        source=text,
        description=str(values.get("description", "")),
        record=found.record,
        notify=Notify(**(values.get("notify") or {})),
        simulation=found.simulation,
        constraints=found.constraints,
        resources=found.resources,
        ray=found.ray,
        cluster=found.cluster,
        import_paths=found.import_paths,
    )


class _Sections:
    """The sections of a file, each read if its shape is right; more mistakes go to ``problems``.

    Attributes:
        bad: First keys of those whose shape is not.
        import_paths: Folders in which modules are looked for.
    """

    def __init__(
        self, values: dict[str, Any], folder: Path, scripted: bool, model: ModelRef | None, problems: list[Problem]
    ) -> None:
        self.import_paths = import_paths_of(folder)
        self.bad = {problem.where.split(".")[0] for problem in problems}
        self._problems = problems

        def section(key: str, read: Callable[[Any], T], otherwise: T) -> T:
            return otherwise if key in self.bad else read(values.get(key))

        self.space = read_parameters(values.get("parameters"), problems)
        self.simulation = section("simulation", lambda value: read_simulation(value, folder, problems), None)
        self.model = model
        if model is None and ("model" in values or self.simulation is None):
            self.model = section("model", lambda value: _model(value, folder, scripted, problems), None)
        self.train = section("train", lambda value: _train(value, scripted, problems), None)
        self.search = section("search", lambda value: _search(value or {}), None)
        self.objectives: tuple[Objective, ...] = ()
        self.objectives = section("objective", lambda value: _objectives(value, problems), self.objectives)
        self.resources = section("resources", lambda value: _resources(value or {}, problems), Resources())
        self.ray = section("ray", lambda value: _ray(value or {}, folder, problems), RaySettings())
        self.cluster = section("cluster", lambda _: read_cluster(values, self.train, scripted, problems), None)
        self.record = section("record", lambda value: _record(value or {}), RecordSettings())
        problems += check_recorders(self.record.recorders, self.import_paths)
        if self.train is not None and self.search is not None:
            self.search = self._checked(self.train, self.search, scripted)
        self.constraints: tuple[Constraint, ...] = ()
        if "constraints" not in self.bad:
            self.constraints = read_constraints(values.get("constraints"), self.objectives, problems)

    def _checked(self, train: TrainSettings, search: SearchSettings, scripted: bool) -> SearchSettings:
        """Look for what contradicts itself across sections; return the search with its starting points fitted."""
        problems = self._problems
        scheduler = read_scheduler(search.scheduler, self.import_paths, problems)
        problems += check_sampler(search.sampler, self.import_paths)
        problems += contradictions(train, search, scheduler, self.space, self.objectives)
        search = replace(search, enqueue=read_enqueued(search.enqueue, self.space, problems))
        problems += check_simulation(self.simulation, search, scheduler)
        if scripted:
            check_scripted(train, search, scheduler, problems)
        elif self.model is not None:
            problems += check_folders(self.objectives)
        return search


def _name(value: Any, bad: set[str], problems: list[Problem]) -> str:
    if "name" in bad:
        return ""
    try:
        return check_name(str(value))
    except InvalidInput as error:
        problems += [Problem("name", problem.message) for problem in error.problems]
        return ""

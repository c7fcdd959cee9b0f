"""The charts of one sweep, from what the study knows of its trials; only what varies is drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

from tuner.plots.axes import ABSENT, Scale, varying
from tuner.plots.chart import BLACK, BLUE, GREEN, GREY, ORANGE, Axis, Chart, Panel, Parallel, Series, wants_log
from tuner.ranking import nondominated
from tuner.repeats import Groups
from tuner.spec import SweepSpec
from tuner.study import TrialRecord
from tuner.study.importance import Importances, importances
from tuner.values import Objective, TrialState

MANY = 200  # trials from which on lines are drawn thinner
_SHOWN = (TrialState.COMPLETE, TrialState.PRUNED)


def make_charts(spec: SweepSpec, trials: Sequence[TrialRecord]) -> list[Chart | Parallel]:
    """Return the charts for which there is something to show, in the order in which they are read."""
    charts: list[Chart | Parallel | None] = []
    if len(spec.objectives) > 1:
        charts.append(pareto_front(spec, trials))
    charts += [
        history(spec, trials),
        learning_curves(spec, trials),
        importance(spec, trials),
        slices(spec, trials),
        parallel_coordinates(spec, trials),
    ]
    return [chart for chart in charts if chart is not None]


def history(spec: SweepSpec, trials: Sequence[TrialRecord]) -> Chart | None:
    """Objective of each trial in the order of their numbers, and the best so far: a mean where trials repeat."""
    panels = []
    for objective in spec.objectives:
        settled = [t for t in trials if t.state in _SHOWN and _finite(t, objective)]
        if not settled:
            continue
        best: list[tuple[float, float]] = []
        groups = Groups(spec.search.repeats, objective.goal)
        for trial in settled:
            groups.settle(trial.number, trial.tags, trial.state, trial.values[objective.metric])
            mean = groups.best.mean if groups.best is not None else None
            if mean is not None and (not best or mean != best[-1][1]):
                best.append((trial.number, mean))
        series = list(_by_state(settled, objective))
        if best:
            best.append((settled[-1].number, best[-1][1]))
            xs, ys = zip(*best, strict=True)
            series.append(Series("best so far", xs, ys, color=GREEN, marker="", line="step", width=2.0))
        log = wants_log(t.values[objective.metric] for t in settled)
        panels.append(Panel(tuple(series), Axis("trial", whole=True), Axis(_name(objective), log=log)))
    return Chart("history", "History", tuple(panels)) if panels else None


def learning_curves(spec: SweepSpec, trials: Sequence[TrialRecord]) -> Chart | None:
    """Every trial's evaluations over its steps; where a pruned one ended is marked."""
    shown = [t for t in trials if any(map(math.isfinite, t.curve.values()))]
    if not shown:
        return None
    objective = spec.objectives[0]
    best = _best(trials, objective)
    groups = {
        "not complete": ([t for t in shown if t.state not in _SHOWN], GREY),
        "pruned": ([t for t in shown if t.state is TrialState.PRUNED], ORANGE),
        "complete": ([t for t in shown if t.state is TrialState.COMPLETE], BLUE),
    }
    thin = len(shown) > MANY
    series = [
        _lines(name, members, color, 0.8 if thin else 1.2, 0.35 if thin else 0.75)
        for name, (members, color) in groups.items()
        if members
    ]
    ends = [(t, max(t.curve)) for t in groups["pruned"][0]]
    if ends:
        xs = tuple(float(step) for _, step in ends)
        ys = tuple(t.curve[step] for t, step in ends)
        words = tuple(f"trial {t.number}: {t.reason}" for t, _ in ends)
        series.append(Series("pruned here", xs, ys, words, color=ORANGE, marker="x", size=7))
    if best is not None:
        series.append(_lines(f"best: trial {best.number}", [best], BLACK, 2.5, 1.0))
    log = wants_log(value for t in shown for value in t.curve.values())
    panel = Panel(tuple(series), Axis("global step"), Axis(objective.metric, log=log))
    return Chart("learning_curves", "Learning curves", (panel,))


def importance(spec: SweepSpec, trials: Sequence[TrialRecord]) -> Chart | None:
    """How much of the objective's variation each parameter explains."""
    panels, methods = [], []
    for objective in spec.objectives:
        found: Importances | None = importances(spec, trials, objective)
        if found is None:
            continue
        methods.append(found.method)
        names = sorted(found.shares, key=lambda name: found.shares[name])
        ticks = tuple((float(place), name) for place, name in enumerate(names))
        words = tuple(f"{name}: {found.shares[name]:.1%}" for name in names)
        bars = Series("", tuple(found.shares[n] for n in names), tuple(p for p, _ in ticks), words)
        title = objective.metric if len(spec.objectives) > 1 else ""
        panels.append(Panel((bars,), Axis("share of the variation"), Axis(ticks=ticks), title, bars=True))
    note = "; ".join(dict.fromkeys(methods))
    return Chart("importance", "Importance of parameters", tuple(panels), note) if panels else None


def slices(spec: SweepSpec, trials: Sequence[TrialRecord]) -> Chart | None:
    """The objective over each parameter that varies; later trials are lighter."""
    objective = spec.objectives[0]
    shown = [t for t in trials if t.state in _SHOWN and _finite(t, objective)]
    panels = []
    log = wants_log(t.values[objective.metric] for t in shown)
    for name in varying(shown):
        having = [t for t in shown if name in t.params]
        scale = Scale.of(name, [t.params[name] for t in having], spec.space)
        series = [
            Series(
                state.value.lower(),
                tuple(scale.place(t.params[name]) for t in members),
                tuple(t.values[objective.metric] for t in members),
                tuple(_words(t) for t in members),
                marker="o" if state is TrialState.COMPLETE else "x",
                size=6 if state is TrialState.COMPLETE else 5,
                shades=tuple(float(t.number) for t in members),
            )
            for state in _SHOWN
            if (members := [t for t in having if t.state is state])
        ]
        y = Axis(_name(objective), log=log)
        panels.append(Panel(tuple(series), Axis(name, scale.log, scale.categories, scale.whole), y))
    note = "circles are complete trials, crosses are pruned ones"
    return Chart("slices", "Slices", tuple(panels), note, shades="trial") if panels else None


def parallel_coordinates(spec: SweepSpec, trials: Sequence[TrialRecord]) -> Parallel | None:
    """Each complete trial as a line through its parameters to its objectives."""
    objective = spec.objectives[0]
    shown = [t for t in trials if t.state is TrialState.COMPLETE and all(_finite(t, o) for o in spec.objectives)]
    names = varying(shown)
    if len(shown) < 2 or not names:
        return None
    shown.sort(key=lambda t: -objective.goal.loss(t.values[objective.metric]))  # the best are drawn last
    dimensions = [
        Scale.of(name, [t.params[name] for t in shown if name in t.params], spec.space).dimension(
            name, [t.params.get(name) if name in t.params else ABSENT for t in shown]
        )
        for name in names
    ]
    for each in spec.objectives:
        values = [t.values[each.metric] for t in shown]
        dimensions.append(Scale.numbers(values, wants_log(values)).dimension(each.metric, values))
    own = tuple(t.values[objective.metric] for t in shown)
    note = "complete trials; the darker a line, the better its " + objective.metric
    losses = tuple(map(objective.goal.loss, own))
    words = tuple(map(_words, shown))
    title = "Parallel coordinates"
    return Parallel("parallel_coordinates", title, tuple(dimensions), losses, own, words, note)


def pareto_front(spec: SweepSpec, trials: Sequence[TrialRecord]) -> Chart | None:
    """Complete trials over each pair of objectives; those that none is better than are marked."""
    shown = [t for t in trials if t.state is TrialState.COMPLETE and all(_finite(t, o) for o in spec.objectives)]
    if not shown:
        return None
    front = _front(shown, spec.objectives)
    others = [t for t in shown if t not in front]
    panels = []
    for one, other in itertools.combinations(spec.objectives, 2):
        series = []
        for name, unordered, color, marker in (
            ("complete", others, BLUE, "o"),
            ("Pareto front", front, ORANGE, "*"),
        ):
            members = sorted(unordered, key=lambda t: t.values[one.metric])
            if members:
                line = "-" if members[0] in front and len(spec.objectives) == 2 else ""
                xs = tuple(t.values[one.metric] for t in members)
                ys = tuple(t.values[other.metric] for t in members)
                words = tuple(map(_words, members))
                size = 11 if marker == "*" else 6
                series.append(Series(name, xs, ys, words, color, marker, line, 1.2, 1.0, size))
        axes = [Axis(_name(o), wants_log(t.values[o.metric] for t in shown)) for o in (one, other)]
        panels.append(Panel(tuple(series), axes[0], axes[1]))
    return Chart("pareto_front", "Pareto front", tuple(panels))


def _by_state(trials: Sequence[TrialRecord], objective: Objective) -> Iterator[Series]:
    for state, color, marker in ((TrialState.COMPLETE, BLUE, "o"), (TrialState.PRUNED, ORANGE, "x")):
        members = [t for t in trials if t.state is state]
        if members:
            xs = tuple(float(t.number) for t in members)
            ys = tuple(t.values[objective.metric] for t in members)
            yield Series(state.value.lower(), xs, ys, tuple(map(_words, members)), color, marker)


def _lines(name: str, trials: Iterable[TrialRecord], color: str, width: float, alpha: float) -> Series:
    """Return the curves of trials as one series."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    words: list[str] = []
    for trial in trials:
        for step, value in trial.curve.items():
            xs.append(float(step))
            ys.append(value if math.isfinite(value) else None)
            words.append(f"trial {trial.number}, step {step}: {value:.6g}")
        xs.append(None)
        ys.append(None)
        words.append("")
    marker = "o" if len(xs) <= 2 * len([x for x in xs if x is None]) else ""  # a line of one point is not seen
    return Series(name, tuple(xs), tuple(ys), tuple(words), color, marker, "-", width, alpha, 4.0)


def _words(trial: TrialRecord) -> str:
    """Return a trial in the lines of a hover box."""
    shown = [f"trial {trial.number}: {trial.state.value}"]
    shown += [f"{name} {value:.6g}" for name, value in trial.values.items()]
    shown += [_pair(name, value) for name, value in trial.params.items()]
    return "<br>".join(shown)


def _pair(name: str, value: object) -> str:
    return f"{name}={value:.4g}" if isinstance(value, float) else f"{name}={value}"


def _finite(trial: TrialRecord, objective: Objective) -> bool:
    return math.isfinite(trial.values.get(objective.metric, math.nan))


def _name(objective: Objective) -> str:
    of = objective.of
    rule = {"last": "", "best": " (best)", "mean": f" (mean of the last {of.count})"}[of.rule]
    return objective.metric + rule


def _best(trials: Iterable[TrialRecord], objective: Objective) -> TrialRecord | None:
    complete = [t for t in trials if t.state is TrialState.COMPLETE and _finite(t, objective)]
    return min(complete, key=lambda t: (objective.goal.loss(t.values[objective.metric]), t.number), default=None)


def _front(trials: Sequence[TrialRecord], objectives: Sequence[Objective]) -> list[TrialRecord]:
    losses = {t.number: [o.goal.loss(t.values[o.metric]) for o in objectives] for t in trials}
    front = set(nondominated(losses))
    return [t for t in trials if t.number in front]

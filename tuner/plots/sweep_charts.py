"""The charts of one sweep, from what the study knows of its trials; only what varies is drawn."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from tuner.domain.objective import Goal, Objective
from tuner.domain.pareto import nondominated
from tuner.domain.repeats import SeedGroups, groups_of
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import TrialRecord, TrialState
from tuner.plots.axes import ABSENT, Scale, varying
from tuner.plots.chart import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    Axis,
    Chart,
    Panel,
    Parallel,
    Series,
    is_drawable,
    robust_view,
    wants_log,
)
from tuner.plots.trial_series import MOST_BARS, STYLES, by_kind, by_value, curves, hover_text, is_finite, kinds, loss_of
from tuner.study.importance import Importances, importances

MANY = 200  # trials from which on lines are drawn thinner
MOST_DRAWN = 500  # of more trials the better ones are drawn, and an even choice of the others: a page stays small
MOST_POINTS = 4_000  # of a chart that has several points for each trial

MOST_PANELS = 12  # of so many parameters, those that mattered most are drawn
_SHOWN = (TrialState.COMPLETE, TrialState.PRUNED)


def make_charts(
    spec: SweepSpec, trials: Sequence[TrialRecord], found: Mapping[str, Importances | None] | None = None
) -> list[Chart | Parallel]:
    """Return the charts for which there is something to show, in the order in which they are read.

    Args:
        spec: The sweep.
        trials: All of its trials.
        found: Metric of each objective to which parameters mattered for it; None finds out.
    """
    if found is None:
        found = {objective.metric: importances(spec, trials, objective) for objective in spec.objectives}
    charts: list[Chart | Parallel | None] = []
    if len(spec.objectives) > 1:
        charts.append(pareto_front(spec, trials))
    first = found[spec.objectives[0].metric]
    mattered = sorted(first.shares, key=lambda name: first.shares[name], reverse=True) if first is not None else []
    charts += [
        history(spec, trials),
        learning_curves(spec, trials),
        importance(spec, found),
        slices(spec, trials, mattered),
        parallel_coordinates(spec, trials, mattered),
    ]
    return [replace(chart, title=f"{spec.name}: {chart.title}") for chart in charts if chart is not None]


def history(spec: SweepSpec, trials: Sequence[TrialRecord]) -> Chart | None:
    """Objective of each trial in the order of their numbers, and the best so far: a mean if trials repeat."""
    panels, notes = [], []
    for objective in spec.objectives:
        finished = [t for t in trials if t.state in _SHOWN and is_finite(t, objective)]
        if not finished:
            continue
        best: list[tuple[float, float]] = []
        groups = SeedGroups(spec.search.repeats, objective.goal)
        for trial in finished:
            value = trial.values[objective.metric] if trial.feasible else None
            groups.finish(trial.number, trial.tags, trial.state, value)
            mean = groups.best.mean if groups.best is not None else None
            if mean is not None and (not best or mean != best[-1][1]):
                best.append((trial.number, mean))
        drawn, choice = _drawn(finished, objective)
        series = list(by_kind(drawn, objective))
        if best:
            best.append((finished[-1].number, best[-1][1]))
            xs, ys = zip(*best, strict=True)
            series.append(Series("best so far", xs, ys, color=GREEN, marker="", line="step", width=2.0))
        y, outside = _value_axis(_name(objective), objective, [t.values[objective.metric] for t in finished])
        notes += [choice, outside]
        panels.append(Panel(tuple(series), Axis("trial", whole=True), y))
    return Chart("history", _titled("History", notes), tuple(panels)) if panels else None


def learning_curves(spec: SweepSpec, trials: Sequence[TrialRecord]) -> Chart | None:
    """Every trial's evaluations over its steps; where a pruned one ended is marked."""
    shown = [t for t in trials if any(map(is_drawable, t.curve.values()))]
    if not shown:
        return None
    objective = spec.objectives[0]
    best = groups_of(trials, spec).best_of_all()
    of_kind = kinds(shown)
    groups = {
        "not complete": ([t for t in shown if t.state not in _SHOWN], GREY),
        "infeasible": ([t for t in of_kind.get("infeasible", ()) if t.state is TrialState.COMPLETE], GREY),
        "pruned": ([t for t in shown if t.state is TrialState.PRUNED], ORANGE),
        **by_value(of_kind.get("complete", ()), objective),
    }
    points = sum(len(t.curve) for t in shown)
    drawn, choice = _drawn(shown, objective, MOST_POINTS * len(shown) // points)
    chosen = {t.number for t in drawn}
    thin = len(drawn) > MANY
    series = [
        curves(name, those, color, 0.8 if thin else 1.2, 0.35 if thin else 0.75)
        for name, (members, color) in groups.items()
        if (those := [t for t in members if t.number in chosen])
    ]
    ends = [(t, max(t.curve)) for t in groups["pruned"][0] if t.number in chosen]
    if ends:
        xs = tuple(float(step) for _, step in ends)
        ys = tuple(t.curve[step] for t, step in ends)
        words = tuple(f"trial {t.number}: {t.reason}" for t, _ in ends)
        series.append(Series("pruned here", xs, ys, words, color=ORANGE, marker="x", size=7))
    if best is not None:
        own = [t for t in shown if t.number == best.typical]
        series.append(curves(f"best: trial {best.typical}", own, BLACK, 2.5, 1.0))
    y, outside = _value_axis(objective.metric, objective, [value for t in shown for value in t.curve.values()])
    panel = Panel(tuple(series), Axis("global step"), y)
    return Chart("learning_curves", _titled("Learning curves", [choice, outside]), (panel,))


def importance(spec: SweepSpec, found_of: Mapping[str, Importances | None]) -> Chart | None:
    """How much of the objective's variation each parameter explains, by the objective's metric."""
    panels, methods = [], []
    for objective in spec.objectives:
        found = found_of[objective.metric]
        if found is None:
            continue
        methods.append(found.method)
        if without := [p.name for p in spec.space.parameters if p.name not in found.shares]:
            more = f" and {len(without) - MOST_BARS} more" if len(without) > MOST_BARS else ""
            methods.append(f"left out, as too few trials or values have them: {', '.join(without[:MOST_BARS])}{more}")
        names = sorted(found.shares, key=lambda name: found.shares[name])
        if left := names[:-MOST_BARS]:
            share = math.fsum(found.shares[name] for name in left)
            methods.append(f"{len(left)} more parameters explain {share:.1%} together")
            names = names[-MOST_BARS:]
        ticks = tuple((float(place), name) for place, name in enumerate(names))
        words = tuple(f"{name}: {found.shares[name]:.1%}" for name in names)
        bars = Series("", tuple(found.shares[n] for n in names), tuple(p for p, _ in ticks), words)
        share_of = Axis(f"share of the variation of {objective.metric}")
        panels.append(Panel((bars,), share_of, Axis(ticks=ticks), bars=True))
    note = "; ".join(dict.fromkeys(methods))
    return Chart("importance", "Importance of parameters", tuple(panels), note) if panels else None


def slices(spec: SweepSpec, trials: Sequence[TrialRecord], mattered: Sequence[str]) -> Chart | None:
    """The objective over each parameter that varies, of many those that mattered; later trials are lighter."""
    objective = spec.objectives[0]
    shown = [t for t in trials if t.state in _SHOWN and is_finite(t, objective)]
    panels = []
    y, outside = _value_axis(_name(objective), objective, [t.values[objective.metric] for t in shown])
    names, left = _few(varying(shown), mattered)
    drawn, choice = _drawn(shown, objective, MOST_POINTS // max(1, len(names)))
    for name in names:
        having = [t for t in drawn if name in t.params]
        scale = Scale.of(name, [t.params[name] for t in having], spec.space)
        series = [
            Series(
                kind,
                tuple(scale.place(t.params[name]) for t in members),
                tuple(t.values[objective.metric] for t in members),
                tuple(hover_text(t, names) for t in members),
                marker=STYLES[kind][1],
                size=STYLES[kind][2],
                shades=tuple(float(t.number) for t in members),
            )
            for kind, members in kinds(having).items()
        ]
        panels.append(Panel(tuple(series), Axis(name, scale.log, scale.categories, scale.whole), y))
    crosses = "pruned ones or break a constraint" if spec.constraints else "pruned ones"
    note = f"circles are complete trials, crosses are {crosses}{left}"
    return (
        Chart("slices", _titled("Slices", [choice, outside]), tuple(panels), note, shades="trial") if panels else None
    )


def parallel_coordinates(spec: SweepSpec, trials: Sequence[TrialRecord], mattered: Sequence[str]) -> Parallel | None:
    """Each complete trial as a line through its parameters, of many those that mattered, to its objectives."""
    objective = spec.objectives[0]
    shown = [t for t in _complete(spec, trials) if t.feasible]
    names, left = _few(varying(shown), mattered)
    if len(shown) < 2 or not names:
        return None
    shown, choice = _drawn(shown, objective)
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
    kept = " that keep to the constraints" if spec.constraints else ""
    note = f"complete trials{kept}; the darker a line, the better its {objective.metric}{left}"
    losses = tuple(map(objective.goal.loss, own))
    words = tuple(hover_text(trial, names) for trial in shown)
    title = _titled("Parallel coordinates", [choice])
    return Parallel("parallel_coordinates", title, tuple(dimensions), losses, own, words, note)


def pareto_front(spec: SweepSpec, trials: Sequence[TrialRecord]) -> Chart | None:
    """Complete trials over each pair of objectives; those that none is better than are marked."""
    shown = _complete(spec, trials)
    if not shown:
        return None
    front = _front([t for t in shown if t.feasible], spec.objectives)
    on_front = {t.number for t in front}
    others, choice = _drawn([t for t in shown if t.number not in on_front], spec.objectives[0])
    of_kind = kinds(others)
    panels = []
    for one, other in itertools.combinations(spec.objectives, 2):
        series = []
        for name, unordered, color, marker in (
            ("complete", of_kind.get("complete", ()), BLUE, "o"),
            ("infeasible", of_kind.get("infeasible", ()), GREY, "x"),
            ("Pareto front", front, ORANGE, "*"),
        ):
            members = sorted(unordered, key=lambda t: t.values[one.metric])
            if members:
                line = "-" if members[0].number in on_front and len(spec.objectives) == 2 else ""
                xs = tuple(t.values[one.metric] for t in members)
                ys = tuple(t.values[other.metric] for t in members)
                words = tuple(map(hover_text, members))
                size = 11 if marker == "*" else 6
                series.append(Series(name, xs, ys, words, color, marker, line, 1.2, 1.0, size))
        axes = [Axis(_name(o), wants_log(t.values[o.metric] for t in shown)) for o in (one, other)]
        panels.append(Panel(tuple(series), axes[0], axes[1]))
    return Chart("pareto_front", _titled("Pareto front", [choice]), tuple(panels))


def _drawn(
    trials: Sequence[TrialRecord], objective: Objective, most: int = MOST_DRAWN
) -> tuple[list[TrialRecord], str]:
    """Return which trials are drawn, and what is said of it: of very many the better half, and of the others some.

    Args:
        trials: In the order of their numbers.
        objective: What they are judged by.
        most: How many at most; at least ``MANY`` are drawn, and never more than ``MOST_DRAWN``.
    """
    most = min(max(most, MANY), MOST_DRAWN)
    if len(trials) <= most:
        return list(trials), ""
    ranked = sorted(trials, key=lambda t: loss_of(t, objective))
    best = {t.number for t in ranked[: most // 2]}
    others = [t for t in trials if t.number not in best]
    count = most - len(best)
    chosen = best | {others[index * len(others) // count].number for index in range(count)}
    return [
        t for t in trials if t.number in chosen
    ], f"{most} of {len(trials)} trials: the best {len(best)}, some others"


def _value_axis(title: str, objective: Objective, values: Sequence[float]) -> tuple[Axis, str]:
    """Return the axis of an objective's values, and what is out of its view, in a few words."""
    if wants_log(values):
        return Axis(title, log=True), ""
    view = robust_view(values, objective.goal)
    if view is None:
        return Axis(title), ""
    beyond = sum(not view[0] <= value <= view[1] for value in values if is_drawable(value))
    side, bound = ("above", view[1]) if objective.goal is Goal.MINIMIZE else ("below", view[0])
    return Axis(title, view=view), f"{beyond} of {len(values)} values are {side} {bound:.4g} (double click: all)"


def _titled(title: str, notes: Iterable[str]) -> str:
    return ", ".join([title, *(note for note in dict.fromkeys(notes) if note)])


def _few(names: Sequence[str], mattered: Sequence[str]) -> tuple[list[str], str]:
    """Return of many parameters those that mattered most, in their order, and what is said of the others."""
    if len(names) <= MOST_PANELS:
        return list(names), ""
    ranks = {name: rank for rank, name in enumerate(mattered)}
    chosen = set(sorted(names, key=lambda name: ranks.get(name, len(ranks)))[:MOST_PANELS])
    left = f"; the {MOST_PANELS} of {len(names)} parameters that mattered most" if ranks else ""
    return [name for name in names if name in chosen], left or f"; the first {MOST_PANELS} of {len(names)} parameters"


def _name(objective: Objective) -> str:
    of = objective.of
    return objective.metric if of.rule == "last" else f"{objective.metric} ({of})"


def _complete(spec: SweepSpec, trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Return complete trials, of which each objective can be shown."""
    return [t for t in trials if t.state is TrialState.COMPLETE and all(is_finite(t, o) for o in spec.objectives)]


def _front(trials: Sequence[TrialRecord], objectives: Sequence[Objective]) -> list[TrialRecord]:
    losses = {t.number: [o.goal.loss(t.values[o.metric]) for o in objectives] for t in trials}
    front = set(nondominated(losses))
    return [t for t in trials if t.number in front]

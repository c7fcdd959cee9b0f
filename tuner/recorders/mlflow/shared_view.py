"""The pages of a sweep in MLflow's UI: all trials with their columns, sorted, and charts of them.

MLflow keeps what its Share button makes in a tag of the experiment, and opens it by the key in the address. The
tag is JSON of the fields of its page (``ExperimentPageUIState`` and ``ExperimentPageSearchFacetsState`` in its
sources), deflated; what a version does not know it passes over. Every field is given, since versions before 3.14
fill in none.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tuner.domain.tags import STATE, STEP
from tuner.recorders.mlflow.batch import text
from tuner.recorders.mlflow.naming import ValidNames, valid_name
from tuner.recorders.mlflow.summary import SweepSummary

KEY = "sweep"
TAG = f"mlflow.sharedViewState.{KEY}"
_LONGEST = 5000  # characters of an experiment's tag that every MLflow 3 takes
_TRAINING = "workflowType=machine_learning"  # the pages for training, not for traces and prompts
_SLICES = 12  # parameters that have a chart of their own, at most
_SHOWN = 100  # runs that MLflow loads at a time


def trials_page(experiment: str) -> str:
    """Return the address, after the server's, of the table of all trials."""
    return f"#/experiments/{experiment}/runs?{_TRAINING}&viewStateShareKey={KEY}"


def charts_page(experiment: str) -> str:
    """Return the address, after the server's, of the charts of all trials."""
    return f"{trials_page(experiment)}&compareRunsMode=CHART"


def runs_page(experiment: str) -> str:
    """Return the address, after the server's, of the experiment as MLflow shows it by itself."""
    return f"#/experiments/{experiment}/runs?{_TRAINING}"


def run_page(experiment: str, run_id: str) -> str:
    """Return the address, after the server's, of a run."""
    return f"#/experiments/{experiment}/runs/{run_id}?{_TRAINING}"


def shared_view(summary: SweepSummary, parent: str, importance: Mapping[str, float]) -> str:
    """Return the value of the tag for a sweep.

    Args:
        summary: The sweep, which has been opened.
        parent: Id of its run, whose children are shown.
        importance: Parameter to its share for the first objective, 0 to 1, as far as it is known.
    """
    shares = {summary.names[name]: share for name, share in importance.items()}
    params = sorted(varying(summary), key=lambda name: -importance.get(name, -1.0))
    named = [summary.names[name] for name in params]
    everywhere = {summary.names[name] for name in params if all(name in found for found in summary.params.values())}
    for most in (len(named), 60, 30, 15, 5):
        state = _state(summary, parent, shares, named[:most], [name for name in named[:most] if name in everywhere])
        packed = base64.b64encode(zlib.compress(json.dumps(state).encode(), 9)).decode()
        if len(packed) + len("deflate;") <= _LONGEST:
            break
    return f"deflate;{packed}"


def varying(summary: SweepSummary) -> list[str]:
    """Return the parameters in which trials differ, in their order; all of them while there is one trial."""
    seen: dict[str, set[str]] = {}
    for params in summary.params.values():
        for name, value in params.items():
            seen.setdefault(name, set()).add(text(value))
    trials = list(summary.params.values())
    if len(trials) < 2:
        return list(seen)
    return [name for name, values in seen.items() if len(values) > 1 or any(name not in params for params in trials)]


def _state(
    summary: SweepSummary,
    parent: str,
    importance: Mapping[str, float],
    params: Sequence[str],
    everywhere: Sequence[str],
) -> dict[str, Any]:
    assert summary.opened is not None
    objectives = summary.opened.objectives
    names = ValidNames(f"objective/{metric}" for metric in objectives)
    values = [names[f"objective/{metric}"] for metric in objectives] if len(objectives) > 1 else ["objective"]
    columns = [
        _key("tags", STATE),
        *(_key("metrics", value) for value in values),
        _key("tags", STEP),
        *(_key("params", name) for name in params),
    ]
    sections, charts = _charts(objectives, values, importance, params, everywhere)
    return {
        "searchFilter": f"tags.`mlflow.parentRunId` = '{parent}'",
        "orderByKey": _key("metrics", values[0]),
        "orderByAsc": next(iter(objectives.values())) == "minimize",
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": ["0", _key("attributes", "Run Name"), "runDateAndNestInfo", *columns],  # the first ticks
        "columnWidths": {},
        "runsExpanded": {},
        "runsPinned": [],
        "runsHidden": [],
        "runsVisibilityMap": {},
        "runsHiddenMode": "SHOW_ALL",
        "compareRunSections": sections,
        "compareRunCharts": charts,
        "viewMaximized": False,
        "runListHidden": False,
        "isAccordionReordered": True,
        "useGroupedValuesInCharts": True,
        "hideEmptyCharts": True,
        "groupBy": None,
        "groupsExpanded": {},
        "autoRefreshEnabled": True,
        "globalLineChartConfig": {"xAxisKey": "step", "lineSmoothness": 0, "selectedXAxisMetricKey": ""},
        "chartsSearchFilter": "",
    }


def _charts(
    objectives: Mapping[str, str],
    values: Sequence[str],
    importance: Mapping[str, float],
    params: Sequence[str],
    everywhere: Sequence[str],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return sections and the cards in them: curves and coordinates, a slice a parameter, what differs."""
    charts = [_line(metric) for metric in objectives]
    charts.append(
        _card(
            "coordinates",
            "PARALLEL",
            "trials",
            selectedParams=list(everywhere),  # a trial that lacks one would not be drawn
            selectedMetrics=list(values),
            showAllRuns=True,
        )
    )
    if len(values) > 1:
        charts.append(_scatter("front", "trials", ("METRIC", values[0]), ("METRIC", values[1])))
    for name in params[:_SLICES]:
        charts.append(_scatter(f"slice {name}", "slices", ("PARAM", name), ("METRIC", values[0])))
    charts.append(
        _card(
            "difference",
            "DIFFERENCE",
            "difference",
            compareGroups=["Parameters", "Model metrics"],
            chartName="What differs",
            showChangeFromBaseline=False,
            showDifferencesOnly=True,
            baselineColumnUuid="",
        )
    )
    titles = {
        "trials": ", ".join(f"{metric} ({goal})" for metric, goal in objectives.items()),
        "slices": _slices_title(next(iter(objectives)), importance, params),
        "difference": "What differs",
    }
    sections = [
        {"uuid": name, "name": title, "display": True, "isReordered": True, "deleted": False, "isGenerated": False}
        for name, title in titles.items()
    ]
    return sections, charts


def _slices_title(metric: str, importance: Mapping[str, float], params: Iterable[str]) -> str:
    shares = [f"{name} {importance[name]:.0%}" for name in params if name in importance]
    return f"importance: {', '.join(shares)}" if shares else f"{metric} over each parameter"


def _line(metric: str) -> dict[str, Any]:
    name = valid_name(f"eval/{metric}")
    return _card(
        f"curves {metric}",
        "LINE",
        "trials",
        metricKey=name,
        selectedMetricKeys=[name],
        lineSmoothness=0,
        scaleType="linear",
        xAxisKey="step",
        xAxisScaleType="linear",
        selectedXAxisMetricKey="",
        yAxisKey="metric",
        yAxisExpressions=[],
        range={},
        ignoreOutliers=True,  # 5th to 95th percentile; a switch in the chart's menu
        useGlobalXaxisKey=True,
        useGlobalLineSmoothing=True,
    )


def _scatter(name: str, section: str, x: tuple[str, str], y: tuple[str, str]) -> dict[str, Any]:
    return _card(name, "SCATTER", section, xaxis={"key": x[1], "type": x[0]}, yaxis={"key": y[1], "type": y[0]})


def _card(name: str, kind: str, section: str, **settings: Any) -> dict[str, Any]:
    return {
        "uuid": name,
        "type": kind,
        "metricSectionId": section,
        "runsCountToCompare": _SHOWN,
        "deleted": False,
        "isGenerated": False,
        **settings,
    }


def _key(kind: str, name: str) -> str:
    return f"{kind}.`{name}`"

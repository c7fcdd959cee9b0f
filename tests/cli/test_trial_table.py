"""Trials at a glance, at any width; a trial whole; sorted, cut and filtered alike in the terminal and in Python."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

import tuner
from tuner.cli.grid import Column, grid
from tuner.cli.importance import importance_rows
from tuner.cli.sparkline import sparkline
from tuner.cli.tables import write_table
from tuner.cli.trial_table import ranges, write_trials
from tuner.domain.trial import TrialState
from tuner.errors import InvalidInput

SPACE = """
name: sim
objective: {metric: rmse}
parameters:
  learning_rate: {type: float, low: 1.0e-4, high: 1.0, log: true}
  hidden_units_of_the_tower: {type: int, low: 16, high: 256}
  optimizer: {type: categorical, choices: [adam, sgd]}
  momentum: {type: float, low: 0.0, high: 0.9, when: {optimizer: sgd}}
  batch_size: 128
train: {max_steps: 100, evaluate_every: 10}
search: {sampler: random, scheduler: median, trials: 20, workers: 1}
simulation: {task: surface, record: false}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown")
    (folder / "sim.yaml").write_text(SPACE)
    tuner.Sweep.from_file(folder / "sim.yaml", folder).run(backend="simulated")
    return folder


@pytest.fixture(scope="module")
def result(root):
    return tuner.Sweep.open("sim", root).result()


def call(*arguments):
    from tuner.cli import importance, listing, show  # noqa: F401
    from tuner.cli.app import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("width", [40, 60, 80, 160])
def test_a_table_fits_its_terminal_and_breaks_no_number(width, result, capsys):
    write_trials(result, result.trials, width)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    words = " ".join(lines).split()
    for trial in result.trials:
        assert f"{trial.value:.6g}" in words
        assert f"{trial.params['learning_rate']:.5g}" in words
    text = "\n".join(lines)
    assert text.count("batch_size=128") == 1  # what does not vary stands once
    pruned = [trial.number for trial in result.trials if trial.record.reason == "by median at step 10"]
    assert f"{ranges(pruned)}" in " ".join(words)


def test_wide_tables_go_on_below_and_headings_break_at_their_underscores():
    columns = [
        Column("trial", ["0", "1"]),
        Column("learning_rate", ["1e-3", "1e-2"], True),
        Column("units", ["8", "9"]),
    ]
    assert [line for line, _ in grid(columns, 80)] == [
        "trial  learning_rate  units",
        "0               1e-3  8",
        "1               1e-2  9",
    ]
    assert [line for line, _ in grid(columns, 23)] == [
        "       learning_",
        "trial       rate  units",
        "0           1e-3  8",
        "1           1e-2  9",
    ]
    assert next(grid(columns, 22))[0] == "      learning_"  # closer, and all side by side
    assert [line for line, _ in grid(columns, 16)] == [
        "       learning_",
        "trial       rate",
        "0           1e-3",
        "1           1e-2",
        "",
        "trial  units",
        "0      8",
        "1      9",
    ]


def test_text_in_the_last_column_goes_on_below_it_and_numbers_stay_whole(monkeypatch, capsys):
    monkeypatch.setattr("tuner.cli.grid.terminal_width", lambda: 58)
    row = {"sweep": "a_long_name", "best": 0.0727113, "seconds": 12345.5, "reason": "its driver died, nobody knows why"}
    write_table([row, {**row, "reason": ""}], list(row))
    assert capsys.readouterr().out.splitlines() == [
        "sweep             best  seconds  reason",
        "a_long_name  0.0727113  12345.5  its driver died, nobody",
        "                                 knows why",
        "a_long_name  0.0727113  12345.5",
    ]


def test_trials_are_sorted_cut_and_filtered(root, result):
    def numbers(*options):
        done = call("show", "sim", "--root", root, "--format", "json", *options)
        assert done.exit_code == 0, done.output
        return [row["trial"] for row in json.loads(done.stdout)]

    complete = sorted((t for t in result.trials if t.state is TrialState.COMPLETE), key=lambda t: t.value)
    assert numbers("--top", 3) == [t.number for t in complete[:3]]
    assert numbers("--sort", "rmse", "--top", 3) == numbers("--sort", "value", "--top", 3) == numbers("--top", 3)
    units = [
        result.trials[n].params["hidden_units_of_the_tower"] for n in numbers("--sort", "-hidden_units_of_the_tower")
    ]
    assert units == sorted(units, reverse=True)
    momenta = [result.trials[n].params.get("momentum") for n in numbers("--sort", "momentum")]
    there = [momentum for momentum in momenta if momentum is not None]
    assert momenta == sorted(there) + [None] * (len(momenta) - len(there))
    found = numbers("--where", "optimizer = sgd and (state = pruned or rmse < 0.5)")
    assert found and all(result.trials[n].params["optimizer"] == "sgd" for n in found)
    assert found == [t.number for t in result.select("optimizer = sgd and (state = pruned or rmse < 0.5)")]
    with pytest.raises(InvalidInput, match=r"--sort: 'units' is no field of these trials \(did you mean|fields: "):
        result.select(sort="units")
    mistake = call("show", "sim", "--root", root, "--where", "moment > 0.5")
    assert mistake.exit_code == 2 and "did you mean 'momentum'?" in mistake.output


def test_a_trial_is_shown_whole(root, result):
    trial = next(t for t in result.trials if t.state is TrialState.COMPLETE and "momentum" in t.params)
    text = call("show", f"sim:{trial.number}", "--root", root).stdout
    assert f"trial {trial.number} of sim: COMPLETE at step 100, rmse {trial.value:.6g}" in text
    for expected in (
        "parameters   learning_rate",
        "momentum",
        "constants    batch_size  128",
        "10 evaluations",
        "time",
    ):
        assert expected in text
    assert sparkline(list(trial.record.curve.values())) in text


def test_a_trial_that_may_go_on_has_the_value_that_it_has_come_to(result):
    record = result.trials[0].record
    running = replace(result.trials[0], record=replace(record, state=TrialState.RUNNING, values={}))
    assert running.values == {"rmse": list(record.curve.values())[-1]}
    assert running.row()["values"] == running.values


def test_importance_names_what_it_leaves_out_and_why(root, result):
    rows = importance_rows(result)
    assert sum(row["share"] or 0 for row in rows) == pytest.approx(1)
    assert {row["parameter"] for row in rows} == {parameter.name for parameter in result.spec.space.parameters}
    assert all(bool(row["left_out"]) == (row["share"] is None) for row in rows)
    assert json.loads(call("importance", "sim", "--root", root, "--format", "json").stdout) == rows
    assert "importance for rmse, " in call("importance", "sim", "--root", root).stdout


def test_numbers_of_a_list_are_numbers(root):
    (row,) = json.loads(call("list", "--root", root, "--format", "json").stdout)
    assert (row["trials"], row["total"]) == (20, 20)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([], ""),
        ([1.0], "▅"),
        ([0.0, 1.0, 2.0, 3.0], "▁▃▆█"),
        ([3.0, float("nan"), 1.0], "█ ▁"),
        ([1e6, 1e3, 1.0], "█▅▁"),  # by logarithms, else nothing could be told apart after the first
        (list(range(100)), "▁▃▆█"),
    ],
)
def test_a_curve_is_a_line_of_bars(values, line):
    assert sparkline(values, 4) == line


def test_numbers_in_a_row_are_a_range():
    assert ranges([4, 0, 2, 3, 9, 10]) == "0, 2-4, 9, 10"

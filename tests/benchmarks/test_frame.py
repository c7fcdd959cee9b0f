"""The frame of the benchmarks: names, tables, JSON."""

import json

import pytest

from benchmarks import __main__ as command
from benchmarks.report import cell, number
from benchmarks.result import Result, Row, Spread, absent


def test_an_unknown_benchmark_is_refused_with_the_nearest_name(capsys, monkeypatch):
    monkeypatch.setattr(command, "available", lambda: ["search", "scale"])
    assert command.main(["serch"]) == 2
    assert "did you mean 'search'?" in capsys.readouterr().err
    assert command.main(["zzz"]) == 2
    assert "expected one of search, scale" in capsys.readouterr().err


def test_json_for_a_folder_that_is_not_there_is_refused_before_anything_is_measured(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "available", lambda: ["search"])
    assert command.main(["search", "--json", str(tmp_path / "none" / "out.json")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_the_table_has_a_row_each_contender_and_the_json_what_was_measured(capsys, tmp_path):
    from benchmarks.report import show, write

    rows = [Row("tuner", {"seconds": Spread.of([2.0, 1.0, 4.0])}), Row("loop", {"seconds": 3.5, "note": "by hand"})]
    result = Result(rows, {"loop": 1.75, "never": float("inf")}, ["measured twice"])
    show("throughput", result, 1.0)
    shown = capsys.readouterr().out
    assert "2 (1 to 4)" in shown
    assert "measured twice" in shown
    write(tmp_path / "out.json", "throughput", result, 1.0, quick=True)
    data = json.loads((tmp_path / "out.json").read_text())
    assert [row["contender"] for row in data["rows"]] == ["tuner", "loop"]
    assert data["rows"][0]["seconds"] == {"samples": [2.0, 1.0, 4.0], "median": 2.0, "low": 1.0, "high": 4.0}
    assert data["ratios"] == {"loop": 1.75, "never": None}
    assert data["machine"]["cores"] >= 1
    assert data["versions"]["tuner"]


def test_a_load_that_is_not_ours_is_said_and_ours_is_not(monkeypatch):
    import os
    from types import SimpleNamespace

    import psutil

    from benchmarks import machine

    at = SimpleNamespace(clock=0.0, busy=100.0, ours=10.0)
    monkeypatch.setattr(machine.time, "monotonic", lambda: at.clock)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(os, "times", lambda: (at.ours, 0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr(psutil, "cpu_times", lambda: SimpleNamespace(user=at.busy, system=0.0, idle=7.0))
    others = machine.Others()
    at.clock, at.busy, at.ours = 10.0, 115.0, 25.0
    assert (others.share(), others.warning()) == (0.0, "")
    at.busy = 120.0
    assert others.share() == pytest.approx(0.25)
    assert others.warning().startswith("others used 25% of this machine's cores meanwhile")


def test_a_missing_peer_is_a_line_and_one_that_is_there_is_none():
    assert absent("json") == ""
    assert absent("Some Tuner", "no_such_module_xyz") == "Some Tuner is left out: no_such_module_xyz not installed"


def test_numbers_read_well():
    assert [number(value) for value in (12345, 12345.6, 0.000123, 1.5)] == ["12,345", "12,346", "0.000123", "1.5"]
    assert cell(None) == ""


def test_a_spread_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no samples"):
        Spread.of([])

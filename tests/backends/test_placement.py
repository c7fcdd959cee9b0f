"""How many cores a sweep takes to be there, and which backends run which sweeps."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.spaces import SIMULATED
from tuner.backends import BACKENDS, backend_class
from tuner.backends.placement import check_backend, make_placement
from tuner.backends.resources import cores
from tuner.config import parse_spec
from tuner.domain.spec import ClusterSettings, Resources
from tuner.errors import InvalidInput
from tuner.files.paths import Root

HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0

control_groups = pytest.mark.skipif(not HERE, reason="there are no control groups on this system")


@pytest.fixture
def groups(tmp_path):
    """Return a function that makes the control groups of this process: the own one, what holds it, all."""

    def make(own="max 100000", above="max 100000", top=None):
        folder = tmp_path / "cgroup" / "kubepods" / "pod7"
        folder.mkdir(parents=True)
        (folder / "cpu.max").write_text(f"{own}\n")
        (folder.parent / "cpu.max").write_text(f"{above}\n")
        if top:
            (tmp_path / "cgroup" / "cpu.max").write_text(f"{top}\n")
        (tmp_path / "own").write_text("0::/kubepods/pod7\n")
        return cores(tmp_path / "cgroup", tmp_path / "own")

    return make


@control_groups
@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, HERE),
        ({"own": "100000 100000"}, 1),
        ({"above": "50000 100000"}, 1),
        ({"top": "100000 100000"}, 1),
        ({"own": "6400000 100000"}, HERE if HERE <= 64 else 64),
        ({"own": f"{HERE * 100000 - 50000} 100000"}, HERE),
        ({"own": "nonsense"}, HERE),
    ],
)
def test_a_container_has_as_many_cores_as_its_limit_comes_to(limits, expected, groups):
    assert groups(**limits) == expected


@control_groups
def test_where_there_are_no_control_groups_all_cores_are_there(tmp_path):
    assert cores(tmp_path, tmp_path / "none") == HERE


@pytest.mark.parametrize(
    ("asked", "backend", "said"),
    [
        ({"command": ("python", "x.py")}, "inline", "backend: inline runs models, and there is a command; use local"),
        ({"command": ("python", "x.py")}, "ray", "ray runs models, and there is a command; use local or simulated"),
        ({"cluster": ClusterSettings(workers=1)}, "simulated", "which backend simulated does not run (use --backend"),
        ({"resources": Resources(custom={"tpu": 1})}, "local", "resources.custom: tpu: custom resources are Ray's"),
    ],
)
def test_what_a_backend_cannot_run_is_refused_by_the_facts_on_its_class(asked, backend, said, monkeypatch, tmp_path):
    monkeypatch.setattr(backend_class("ray"), "packages", ())
    spec = replace(parse_spec(SIMULATED, "space.yaml", tmp_path), **asked)
    with pytest.raises(InvalidInput, match=re.escape(said)):
        check_backend(spec, backend)
    check_backend(parse_spec(SIMULATED, "space.yaml", tmp_path), backend)


def test_a_sweep_that_only_simulates_is_refused_where_models_are_trained(tmp_path):
    spec = parse_spec(SIMULATED, "space.yaml", tmp_path)
    said = "model: is missing, expected a module or a .py file: backend local trains models (or simulate: --backend"
    with pytest.raises(InvalidInput, match=re.escape(said)):
        make_placement(spec, Root(tmp_path).sweep("sim"), "local")


def test_fewer_workers_than_were_asked_for_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr("tuner.backends.resources.cores", lambda: 4)
    spec = replace(parse_spec(SIMULATED, "space.yaml", tmp_path), command=("true",))

    def placed(workers):
        asked = replace(spec, search=replace(spec.search, workers=workers))
        return make_placement(asked, Root(tmp_path).sweep("sim"), "local")

    assert (placed(4).workers, placed(4).notes) == (4, ())
    room = "this machine has room for 4 trials at a time; --workers is 64"
    assert (placed(64).workers, placed(64).notes) == (4, (room,))


def test_every_backend_of_the_registry_says_how_it_places_a_sweeps_trials():
    assert all("place" in vars(backend_class(name)) for name in BACKENDS)


class TestPlacing:
    @pytest.mark.parametrize("backend", ["inline", "simulated"])
    def test_backends_that_run_no_clusters_are_refused_before_anything_starts(self, backend, tmp_path):
        with pytest.raises(InvalidInput, match=f"cluster of processes, which backend {backend} does not run"):
            make_placement(self.spec(), Root(tmp_path).sweep("tiny"), backend)

    def test_more_cores_than_there_are_for_all_tasks_of_a_trial_are_refused(self, tmp_path, monkeypatch):
        monkeypatch.setattr("tuner.backends.resources.cores", lambda: 8)
        spec = self.spec("resources: {cpus: 3}")
        with pytest.raises(
            InvalidInput, match=r"each trial asks for 12 cores \(4 tasks of its cluster\), this machine has 8"
        ):
            make_placement(spec, Root(tmp_path).sweep("tiny"), "local")
        assert make_placement(self.spec("resources: {cpus: 1}"), Root(tmp_path).sweep("tiny"), "local").workers == 2

    def test_more_devices_than_there_are_for_the_tasks_that_train_are_refused(self, tmp_path, monkeypatch):
        monkeypatch.setenv("TUNER_GPUS", "0,1")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        with pytest.raises(
            InvalidInput, match=r"each trial asks for 3 GPUs \(3 tasks of its cluster\), this machine has 2"
        ):
            make_placement(self.spec("resources: {gpus: 1}"), Root(tmp_path).sweep("tiny"), "local")

    def spec(self, more=""):
        text = (
            "name: tiny\nmodel: tuner.testing.tiny_model\nobjective: {metric: rmse}\nparameters:\n"
            "  learning_rate: {type: float, low: 0.001, high: 0.1}\ntrain: {max_steps: 40, evaluate_every: 10}\n"
        )
        return parse_spec(f"{text}cluster: {{}}\n{more}\n", "space.yaml", Path("/nowhere"))

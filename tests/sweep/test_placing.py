"""How many cores a sweep takes to be there."""

import os

import pytest

from tuner.sweep.placing import cores

HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0

pytestmark = pytest.mark.skipif(not HERE, reason="there are no control groups on this system")


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


def test_where_there_are_no_control_groups_all_cores_are_there(tmp_path):
    assert cores(tmp_path, tmp_path / "none") == HERE

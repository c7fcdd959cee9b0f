"""The register of what is replaced of TensorFlow and the Estimator package."""

import importlib
import importlib.util
import re
import sys
from pathlib import Path

import pytest

import tuner
from tuner.estimator.patch import PATCHES, STAND_INS, SWITCH, patched, patched_for_good

HERE = Path(tuner.__file__).parent / "estimator"


@pytest.mark.tf
@pytest.mark.parametrize("target", sorted({patch.target for patch in PATCHES}))
def test_what_the_register_names_is_there_and_is_put_back(tf, target):
    module, _, path = target.partition(":")
    owner = importlib.import_module(module)
    *kinds, name = path.split(".")
    for kind in kinds:
        owner = getattr(owner, kind)
    before = getattr(owner, name)
    entry = next(patch for patch in PATCHES if patch.target == target)
    with patched(target, entry.by, lambda original, *args, **kwargs: original(*args, **kwargs)):
        assert getattr(owner, name) is not before
    assert getattr(owner, name) is before


def test_what_replaces_is_a_module_here_and_nothing_is_replaced_beside_the_register():
    assert {patch.by for patch in PATCHES} <= {file.stem for file in HERE.glob("*.py")}
    users = {file.stem for file in HERE.glob("*.py") if re.search(r"patched(_for_good)?\(", file.read_text())} - {
        "patch"
    }
    assert users == {patch.by for patch in PATCHES}
    with pytest.raises(LookupError, match="register"), patched("json:dumps", "patch", lambda original: None):
        pass
    with pytest.raises(LookupError, match="to be put back"):
        patched_for_good(PATCHES[0].target, PATCHES[0].by, lambda original: None)


@pytest.mark.tf
def test_what_stands_in_for_a_module_is_in_the_register(tf):
    there = {name for name, module in sys.modules.items() if type(module).__module__ == "tuner.estimator.stand_ins"}
    assert there <= {entry.module for entry in STAND_INS if entry.refuses}
    assert all(entry.module in there or importlib.util.find_spec(entry.module) for entry in STAND_INS if entry.refuses)


def test_one_switch_leaves_out_what_only_saves_time(monkeypatch):
    json = importlib.import_module("json")
    from tuner.estimator import patch

    entries = (
        patch.Patch("json:dumps", "patch", "", "", saves_time=True),
        patch.Patch("json:loads", "patch", "", ""),
    )
    monkeypatch.setattr(patch, "PATCHES", entries)
    monkeypatch.setenv(SWITCH, "0")
    with (
        patched("json:dumps", "patch", lambda original, value: "replaced"),
        patched("json:loads", "patch", lambda original, text: "replaced"),
    ):
        assert json.dumps(1) == "1"
        assert json.loads("1") == "replaced"

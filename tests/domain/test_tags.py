"""Tags: each stands in one place, and those that earlier versions wrote are known."""

import ast
import re
import tarfile
from pathlib import Path

import tuner
from tuner.domain import tags

PACKAGE = Path(tuner.__file__).parent
TAGS = {name: value for name, value in vars(tags).items() if name.isupper()}
OLD = Path(__file__).parents[1] / "data" / "old_sweeps" / "first.tar.gz"

MODULES = ("__init__.py", "preload.py")  # files that name modules of this package, two of which are called as tags are


def texts(file):
    """Return the strings of a module, and the beginnings of those that are formatted."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_each_tag_stands_in_one_place():
    assert len(set(TAGS.values())) == len(TAGS)
    assert all(value.startswith("tuner.") for value in TAGS.values())
    families = tuple(value for value in TAGS.values() if value.endswith("."))
    written = {
        f"{file.relative_to(PACKAGE)}: {text}"
        for file in PACKAGE.rglob("*.py")
        if file != Path(tags.__file__) and "testing" not in file.parts
        for text in texts(file)
        if (text in TAGS.values() and file.name not in MODULES) or text.startswith(families)
    }
    assert not written


def test_tags_that_an_earlier_version_wrote_are_known_by_the_same_name():
    with tarfile.open(OLD) as archive:
        stream = archive.extractfile("mlflow.sql")
        assert stream is not None
        found = set(re.findall(r"'(tuner\.[\w.]+)'", stream.read().decode()))
    families = tuple(value for value in TAGS.values() if value.endswith("."))
    assert "tuner.command" in found
    found.discard("tuner.testing.tiny_model")  # a model, no tag
    assert [tag for tag in found if tag not in TAGS.values() and not tag.startswith(families)] == []

"""Whatever a file says: it becomes a search space that is taken, or an error of ours that names a place."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.importers.draws import FILES
from tuner.config import parse_spec
from tuner.config.yaml_text import parse
from tuner.errors import InvalidInput
from tuner.importers import import_text

NAMES = sorted(path.name for path in FILES.iterdir())
VALUES = {name: parse((FILES / name).read_text(), name) for name in NAMES}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.floats(allow_nan=True),
    st.sampled_from(["", "x", "0", "-1", "1e400", "nan", "grid", "GRID_SEARCH", "normal", "INTEGER"]),
    st.lists(st.sampled_from(["a", 1, None, {}]), max_size=3),
    st.dictionaries(st.sampled_from(["min", "values", "name", "minValue", "parameters"]), st.integers(), max_size=2),
)


def places(value, path=()):
    """Yield the path of each value in a nested one."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*path, key))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_a_file_with_something_odd_in_it_is_taken_or_refused_in_our_words(name, data):
    values = copy.deepcopy(VALUES[name])
    for _ in range(data.draw(st.integers(1, 2))):
        path = data.draw(st.sampled_from([path for path in places(values) if path] or [("spec",)]))
        target = values
        for key in path[:-1]:
            target = target[key]
        if data.draw(st.booleans()) and isinstance(target, dict):
            target.pop(path[-1], None)
        else:
            target[path[-1]] = data.draw(ODD)
    try:
        imported = import_text(json.dumps(values), name, "stem")
    except InvalidInput as error:
        assert all(problem.message for problem in error.problems)
        return
    if imported is not None:
        text = f"{imported.text}train: {{max_steps: 300, evaluate_every: 100}}\n"
        parse_spec(text, name, Path("/"), command=["true"])


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_file_with_other_text_in_it_is_taken_or_refused_in_our_words(data):
    name = data.draw(st.sampled_from(NAMES))
    text = (FILES / name).read_text()
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + data.draw(st.text(max_size=10)) + text[at + data.draw(st.integers(0, 20)) :]
    try:
        import_text(text, name, "stem")
    except InvalidInput as error:
        assert error.problems

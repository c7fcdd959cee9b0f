"""What a stranger reads: no long functions or modules, names known in their registry alone, plain English."""

import ast
import re
from pathlib import Path

import tuner
from tuner.backends import BACKENDS
from tuner.config.sampler_options import METHODS, SAMPLERS
from tuner.recorders import RECORDERS
from tuner.schedulers import SCHEDULERS

PACKAGE = Path(tuner.__file__).parent
TESTS = Path(__file__).parent
FUNCTION, MODULE = 50, 350
"""Lines at most: of a function without its docstring, of a module."""

OTHER_WORDS = {  # modules in which a word that is also a name of a registry means something else
    "backends/ray/connection.py": "local, an address of Ray's",
    "cli/export.py": "mlflow, a program",
    "hiding.py": "none, a value that hides nothing",
}


def modules():
    return {file.relative_to(PACKAGE).as_posix(): file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py")}


def length(function):
    first = function.body[0]
    docstring = first.end_lineno - first.lineno + 1 if ast.get_docstring(function) is not None else 0
    return function.end_lineno - function.lineno + 1 - docstring


def test_no_function_is_longer_than_fifty_lines():
    functions = (
        (file, node)
        for file, text in modules().items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    assert [f"{file}: {node.name}: {length(node)}" for file, node in functions if length(node) > FUNCTION] == []


def test_no_module_is_longer_than_three_hundred_and_fifty_lines():
    lengths = {file: text.count("\n") for file, text in modules().items()}
    assert {file: lines for file, lines in lengths.items() if lines > MODULE} == {}


def test_a_scheduler_sampler_backend_or_recorder_is_known_by_its_name_in_its_registry_alone():
    names = {*SCHEDULERS, *SAMPLERS, *METHODS, *BACKENDS, *RECORDERS}
    compared = {
        f"{file}: {word.value}"
        for file, text in modules().items()
        if not file.startswith("importers/") and file not in OTHER_WORDS  # what other tools call ours
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        for word in ast.walk(side)
        if isinstance(word, ast.Constant) and word.value in names
    }
    assert compared == set()


def test_where_stands_for_a_place_and_if_for_a_condition():
    pattern = re.compile(r"\b(None|[Ee]mpty|nothing|none|False|-1) where \w")
    assert [file for file, text in modules().items() if pattern.search(text)] == []


def test_at_least_half_of_the_modules_have_a_test_file_of_their_name():
    named = [PACKAGE / file for file in modules() if Path(file).stem not in ("__init__", "__main__", "_version")]
    tests = [TESTS / file.relative_to(PACKAGE).parent / f"test_{file.stem.lstrip('_')}.py" for file in named]
    there = sum(file.exists() for file in tests)
    assert there >= len(named) / 2, f"{there} of {len(named)}"

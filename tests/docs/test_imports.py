"""Whatever tests, benchmarks and pages import of the package is there, within texts and programs as strings too."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parents[2]
IMPORT = re.compile(r"^[ \t>]*from (tuner(?:\.\w+)*) import (\([^)]*\)|[^\n#;\"'`\\]+)", re.MULTILINE)
MODULE = re.compile(r"(?:^[ \t>]*import |python3? -m )(tuner(?:\.\w+)+)", re.MULTILINE)


def texts():
    files = [file for folder in ("tests", "benchmarks", "docs", ".ci") for file in (HERE / folder).rglob("*")]
    files += HERE.glob("*.md")
    files += (HERE / "tuner").rglob("*.py")
    for file in files:
        if (
            file.suffix in (".py", ".md", ".ipynb", "")
            and file.is_file()
            and file != Path(__file__)
            and "venv-" not in str(file)
        ):
            text = file.read_text(encoding="utf-8", errors="replace")
            yield file.relative_to(HERE).as_posix(), text.replace("\\n", "\n") if file.suffix == ".ipynb" else text


def file_of(module):
    path = HERE.joinpath(*module.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.exists()), None)


@cache
def names_of(module):
    """Return what a module defines or imports anywhere outside of functions, by its text alone."""
    found = set()
    nodes = list(ast.parse(file_of(module).read_text(encoding="utf-8")).body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            nodes += [child for child in ast.walk(node) if child is not node and isinstance(child, ast.stmt)]
        else:
            found |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            found |= {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return found


def missing(text):
    """Yield what a text imports of the package that is not there."""
    for module, names in IMPORT.findall(text):
        if file_of(module) is None:
            yield module
            continue
        for entry in re.sub(r"#[^\n]*", "", names).strip("()").split(","):
            name = entry.split(" as ")[0].strip()
            if name.isidentifier() and name not in names_of(module) and file_of(f"{module}.{name}") is None:
                yield f"{module}.{name}"
    yield from (module for module in MODULE.findall(text) if file_of(module) is None)


def test_what_is_imported_of_the_package_is_there():
    found = {f"{file}: {name}" for file, text in texts() for name in missing(text)}
    assert found == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from tuner.files.paths import Root, Gone", ["tuner.files.paths.Gone"]),
        ("x = '''\n  from tuner.sweep.gone import a\n'''", ["tuner.sweep.gone"]),
        ("from tuner.files.paths import (\n    Root,  # the root\n    Gone as There,\n)", ["tuner.files.paths.Gone"]),
        ("run `python -m tuner.gone FILE`", ["tuner.gone"]),
        ("from tuner.examples import housing", []),
        ("import tuner.files.paths", []),
    ],
)
def test_what_is_not_there_is_found(text, expected):
    assert list(missing(text)) == expected


def test_the_names_that_a_text_alone_shows_are_those_of_the_module():
    import tuner.text

    defined = {name for name in vars(tuner.text) if not name.startswith("__")}
    assert defined <= names_of("tuner.text")

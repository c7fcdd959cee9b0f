"""The import contract of pyproject.toml holds."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_imports_go_downwards_and_each_library_has_its_home():
    pytest.importorskip("importlinter", reason="layers are not tested: pip install -e '.[dev]'")
    code = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout[-3000:]

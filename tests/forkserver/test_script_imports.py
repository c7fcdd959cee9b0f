"""What the fork server imports for a script: what the script itself reaches, whenever it runs."""

import ast
from pathlib import Path

import pytest

from tuner.forkserver import script_imports
from tuner.forkserver.script_imports import imports_of_others
from tuner.script.command_line import Program

FILE, MODULE = Program("file", "train.py"), Program("module", "trainer.task")


@pytest.fixture
def write(tmp_path):
    def write(files):
        for name, text in files.items():
            file = tmp_path / f"{name}.py"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    return write


@pytest.fixture
def read(monkeypatch):
    """Count the files that are read."""
    counted = []
    parse = ast.parse
    monkeypatch.setattr(script_imports.ast, "parse", lambda text: (counted.append(text), parse(text))[1])
    return counted


def test_the_modules_that_a_script_reaches_are_followed_and_no_others(write, read, tmp_path):
    write(
        {
            "train": "import numpy as np\nimport helpers\nfrom layers import dense\n",
            "helpers": "import pandas\nimport train\n",
            "layers/dense": "from layers.common import *\nimport sklearn.metrics\n",
            "layers/common": "from pathlib import Path, PurePath\n",
            "beside": "import antigravity\n",
        }
    )
    for number in range(300):
        write({f"mlruns/other{number}": "import antigravity\n"})
    packages = tmp_path / ".venv" / "lib" / "site-packages" / "torch"
    packages.mkdir(parents=True)
    (packages / "__init__.py").write_text("import antigravity\n")
    assert imports_of_others(FILE, tmp_path) == [
        "import numpy",
        "import pandas",
        "import sklearn.metrics",
        "from pathlib import Path",
        "from pathlib import PurePath",
    ]
    assert len(read) == 4


def test_a_module_is_followed_through_its_packages_and_relative_imports(write, tmp_path):
    write(
        {
            "trainer/task": "from . import model\nfrom .data.rows import read\nfrom trainer import flags\n",
            "trainer/__init__": "import json\n",
            "trainer/model": "from ..outside import nothing\nimport csv\n",
            "trainer/flags": "import argparse\n",
            "trainer/data/__init__": "from .. import common\n",
            "trainer/data/rows": "from . import parts\nimport gzip\n",
            "trainer/data/parts": "import bz2\n",
            "trainer/common": "import lzma\n",
        }
    )
    assert set(imports_of_others(MODULE, tmp_path)) == {
        f"import {name}" for name in ("json", "csv", "argparse", "gzip", "bz2", "lzma")
    }


def test_a_package_that_runs_as_a_program_is_followed_from_its_main(write, tmp_path):
    write({"trainer/__main__": "from .model import build\n", "trainer/model": "import csv\n"})
    assert imports_of_others(Program("module", "trainer"), tmp_path) == ["import csv"]


def test_imports_that_may_never_run_are_left_to_the_script(write, tmp_path):
    write(
        {
            "train": (
                "from typing import TYPE_CHECKING\n"
                "if TYPE_CHECKING:\n    import torch\n"
                "try:\n    import ujson\nexcept ImportError:\n    import simplejson\n"
                "with open('x'):\n    import csv\n"
                "def main():\n    import antigravity\n"
                "class Reader:\n    import gzip\n    def read(self):\n        import bz2\n"
                "if __name__ == '__main__':\n    import argparse\n    import helpers\n"
            ),
            "helpers": "if __name__ == '__main__':\n    import this\nimport lzma\n",
        }
    )
    assert imports_of_others(FILE, tmp_path) == [
        "from typing import TYPE_CHECKING",
        "import ujson",
        "import csv",
        "import gzip",
        "import argparse",
        "import lzma",
    ]


def test_what_cannot_be_read_imports_nothing(write, tmp_path):
    assert imports_of_others(FILE, tmp_path) == []
    write({"train": "import numpy\nimport broken\nimport deep\n", "broken": "def :\n", "deep": "-" * 10000 + "1\n"})
    assert imports_of_others(FILE, tmp_path) == ["import numpy"]


@pytest.mark.parametrize("name", ["csv_trainer", "pandas_trainer"])
def test_trainers_have_their_libraries_imported_once(name):
    folder = Path(__file__).parents[1] / "data" / "trainers" / name
    found = imports_of_others(MODULE, folder)
    assert "import tensorflow" in found or "import tensorflow.compat.v1" in found
    assert ("import pandas" in found) == (name == "pandas_trainer")

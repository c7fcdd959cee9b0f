"""Print the lower bounds of pyproject.toml as pip's constraints: the oldest versions that a user may have."""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
extras = [entry for name in sys.argv[1:] for entry in project["optional-dependencies"][name]]
for entry in [*project["dependencies"], *extras]:
    name, bound = re.match(r"([\w.-]+)(?:\[.*?\])?(?:>=([\w.]+))?", entry).groups()
    if bound:
        print(f"{name}=={bound}")

"""Say what a script finds around itself; run by a fresh interpreter and in a forked process."""

import json
import os
import sys

import __main__

found = {
    "argv": sys.argv[:1] + [word for word in sys.argv[1:] if not word.startswith("--out=")],
    "name": __name__,
    "main_file": os.path.abspath(__main__.__file__),
    "is_main": __main__.__dict__ is globals(),
    "package": __package__,
    "spec": __spec__ and __spec__.name,
    "path": sys.path[0],
    "cwd": os.getcwd(),
    "stdin": sys.stdin.read(),
    "environment": {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("CLOUD_ML_", "PYTEST", "TF_", "PYTHON", "KMP", "MALLOC"))
        and key not in ("_", "SHLVL", "COLUMNS", "LINES")
    },
}
out = next(word for word in sys.argv if word.startswith("--out=")).removeprefix("--out=")
with open(out, "w") as stream:
    json.dump(found, stream)
raise SystemExit(int(os.environ.get("ECHO_STATUS", "0")))

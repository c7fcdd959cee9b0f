"""The command line, called in a process of its own or in this one."""

import subprocess
import sys

from typer.testing import CliRunner


def tuner(*arguments, **kwargs):
    command = [sys.executable, "-m", "tuner", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **kwargs)


def call(*arguments):
    from tuner.cli import export, listing, logs, rerun, show, stop  # noqa: F401
    from tuner.cli.app import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])

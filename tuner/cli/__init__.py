"""The command line: one module a command, each of which imports what it needs when it is called."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line: what of it is secret is hidden, and Ctrl-C answered, before anything takes time."""
    try:
        from tuner.cli.arguments import hide_arguments
        from tuner.cli.readers import outlive_readers

        hide_arguments()
        outlive_readers()
        from tuner.cli.command_line import run

        status = run(sys.argv[1:])
    except KeyboardInterrupt:
        print("tuner: interrupted", file=sys.stderr)  # noqa: T201
        status = 130
    sys.exit(status)


__all__ = ["main"]

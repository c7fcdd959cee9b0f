"""The command line: one module a command, each of which imports what it needs when it is called."""

from tuner.cli.app import main

__all__ = ["main"]

"""Backends: where trials run."""

from tuner.backends._base import Backend, Ended, Message, Reported, Started

__all__ = ["Backend", "Ended", "Message", "Reported", "Started"]

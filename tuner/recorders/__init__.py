"""Recorders: a sweep's records put where people look at them, by a process of their own."""

from tuner.recorders._base import Recorder

__all__ = ["Recorder"]

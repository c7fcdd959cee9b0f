"""Event files: read while they are being written, without TensorFlow."""

from tuner.events.command import CommandFollower
from tuner.events.file import Damage, EventFile
from tuner.events.first import FirstValues
from tuner.events.follower import Follower, read_all

__all__ = ["CommandFollower", "Damage", "EventFile", "FirstValues", "Follower", "read_all"]

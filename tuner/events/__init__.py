"""Event files: read while they are being written, without TensorFlow."""

from tuner.events.file import Damage, EventFile
from tuner.events.first import FirstValues
from tuner.events.follower import Follower, read_all

__all__ = ["Damage", "EventFile", "FirstValues", "Follower", "read_all"]

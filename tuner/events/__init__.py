"""Event files: read while they are being written, without TensorFlow."""

from tuner.events.event_file import Damage, EventFile
from tuner.events.first_values import FirstValueFilter
from tuner.events.follower import Follower, read_all
from tuner.events.script_follower import ScriptFollower

__all__ = ["Damage", "EventFile", "FirstValueFilter", "Follower", "ScriptFollower", "read_all"]

"""A display that keeps what it is told."""

from tuner.driver.progress import NullDisplay


class Lines(NullDisplay):
    """What a driver said, in order."""

    def __init__(self):
        self.lines = []

    def line(self, line):
        self.lines.append(line)

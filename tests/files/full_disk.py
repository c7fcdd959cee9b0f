"""A file on a disk that is nearly full."""

import errno
from io import FileIO


class NearlyFull(FileIO):
    """A file on a disk with room for so many bytes more: a write takes what fits, and fails where nothing does."""

    def __init__(self, file, room):
        super().__init__(file, "ab")
        self.room = room

    def write(self, data):
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = super().write(bytes(data)[: self.room])
        self.room -= taken
        return taken

"""One kind of input that comes from outside: made up by chance, read, and judged."""

from __future__ import annotations

import enum
import random
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar


class Outcome(enum.Enum):
    """What became of an input."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """With an error that says what was found."""


class Part(ABC):
    """A generator of inputs and what reads them.

    Args:
        folder: For files, the part's own.

    Attributes:
        notes: What whoever reads the counts must know.
    """

    name: ClassVar[str]
    notes: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @abstractmethod
    def made_up(self, chance: random.Random) -> Any:
        """Return an input; the same for the same chance. Its ``repr`` is kept if it fails."""

    @abstractmethod
    def check(self, made: Any, chance: random.Random) -> Outcome:
        """Have an input read.

        Raises:
            AssertionError: It was taken for what it is not, or refused in words that say nothing.
            Exception: Anything else is a fault of the reader, too.
        """

    def close(self) -> None:  # noqa: B027
        """Let go of what the part holds beside its folder."""

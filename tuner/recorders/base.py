"""What every recorder does: put a sweep's records where people look at them."""

from __future__ import annotations

from collections.abc import Sequence

from tuner.records.record import Record


class RecordsLost(Exception):
    """The store no longer has what was sent before: a new recorder is to be given everything again."""


class Recorder:
    """Send a sweep's records to a tracking store, in their order.

    A recorder is told to ``write`` until that returns; when it raises ConnectionError the store is
    away for now and the same records are written again later. So the same record may arrive more
    than once, also in another process: it must count once. What the store refuses for good costs that
    one value, is said, and holds nothing up. ``open`` and ``write`` may raise RecordsLost.

    Inherit, and define ``write`` at least; one of the user's own is made with the sweep's folder
    (``tuner.files.paths.SweepDir``) and its options.
    """

    def open(self) -> None:
        """Prepare the store; call it once, before ``write``.

        Raises:
            RecorderError: The store cannot be used as it is; the message says what to do.
            ConnectionError: It is away for now.
        """

    def recall(self, records: Sequence[Record]) -> None:
        """Take what was written by an earlier process, in its order; sends nothing.

        Call it after ``open`` and before ``write`` if a log is gone on with in its middle.
        """
        del records

    def write(self, records: Sequence[Record]) -> None:
        """Put ``records`` into the store; return when they are there.

        Raises:
            ConnectionError: It is away for now; nothing, some or all of them arrived.
        """
        raise NotImplementedError

    def attach(self, closing: bool) -> str:
        """Put there what goes beside records: files, the page of the sweep. Called when records have arrived.

        What cannot be stored is given up after some tries; records never wait for it.

        Args:
            closing: Nobody will call again soon, so nothing is put off.

        Returns:
            What is left to do now, in words; empty if nothing is.

        Raises:
            ConnectionError: The store is away for now.
        """
        del closing
        return ""

    def close(self) -> None:
        """Release what the recorder holds."""

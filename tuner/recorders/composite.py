"""Several recorders as one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from tuner.recorders.base import Recorder
from tuner.records.record import Record


class CompositeRecorder(Recorder):
    """Give each record to all; the first of them alone says whether it has arrived.

    One beside the first never holds it up: if it fails, that is said, and it is left out until the next process
    sends, which reminds it of everything (``recall``).

    Args:
        first: Whose errors count.
        beside: Returns names of the others and what makes them; called when the first records come, as the sweep is
            written down then. They get each record before the first does.
        say: Takes a line for people.
    """

    def __init__(
        self,
        first: Recorder,
        beside: Callable[[], Iterable[tuple[str, Callable[[], Recorder]]]],
        say: Callable[[str], None],
    ) -> None:
        self._first = first
        self._others = beside
        self._is_begun = False
        self._beside: dict[str, Recorder] = {}
        self._say = say

    def open(self) -> None:
        self._first.open()

    def recall(self, records: Sequence[Record]) -> None:
        self._begin()
        self._each(lambda recorder: recorder.recall(records))
        self._first.recall(records)

    def write(self, records: Sequence[Record]) -> None:
        self._begin()
        self._each(lambda recorder: recorder.write(records))
        self._first.write(records)

    def attach(self, closing: bool) -> str:
        self._each(lambda recorder: recorder.attach(closing))
        return self._first.attach(closing)

    def close(self) -> None:
        self._each(lambda recorder: recorder.close())
        self._first.close()

    def _begin(self) -> None:
        if self._is_begun:
            return
        self._is_begun = True
        try:
            others = list(self._others())
        except Exception as error:
            self._say(f"recorders beside MLflow are left out until the sweep is resumed: {error}")
            return
        for name, make in others:
            self._guarded(name, partial(self._make, name, make))

    def _each(self, call: Callable[[Recorder], object]) -> None:
        for name, recorder in list(self._beside.items()):
            self._guarded(name, partial(call, recorder))

    def _make(self, name: str, make: Callable[[], Recorder]) -> None:
        made = make()
        made.open()
        self._beside[name] = made

    def _guarded(self, name: str, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:
            self._beside.pop(name, None)
            line = (str(error).splitlines() or [""])[0]
            self._say(f"recorder {name} is left out until the sweep is resumed: {type(error).__name__}: {line}")

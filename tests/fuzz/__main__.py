"""Try inputs made to break their readers: ``python -m tests.fuzz SECONDS [--seed N] [--only PART] [--input N] [--keep FOLDER]``.

Five parts share the time: search space files, search spaces of other tools, event files, files of sweeps, pages. The
input NUMBER of a part is the same for the same seed, so ``--only PART --seed N --input NUMBER`` tries one again. Those that
fail are written into a folder, with what they did. The exit status is 1 if there are any.
"""

import argparse
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.fuzz.events import Events
from tests.fuzz.importers import Importers
from tests.fuzz.pages import Pages
from tests.fuzz.part import Outcome
from tests.fuzz.records import Records
from tests.fuzz.spaces import Spaces

PARTS = {part.name: part for part in (Spaces, Importers, Events, Records, Pages)}
LONGEST = 300  # seconds of one input, from which on it is taken to hang
EXCEPTION, WRONG = "exception", "wrong"
HEADS = ("part", "inputs", "accepted", "refused", "exceptions", "wrong in silence", "slowest, s", "seconds")


class Trying:
    """Have a part's inputs tried, and count what becomes of them.

    Attributes:
        seconds: Spent on it.
        slowest: Seconds of the processor that one input took at most.
    """

    def __init__(self, part, seed, keep):
        self.part, self.seed, self.keep = part, seed, keep
        self.counts = Counter()
        self.seconds = self.slowest = 0.0

    def one(self, number):
        """Try one input, by its number."""
        begun, cpu = time.monotonic(), time.process_time()
        chance = random.Random(f"{self.seed} {self.part.name} {number}")
        made = self.part.made_up(chance)
        signal.alarm(LONGEST)
        try:
            became = self.part.check(made, chance)
        except Exception as error:
            became = WRONG if isinstance(error, AssertionError) and _is_of_tests(error) else EXCEPTION
            self._keep(number, made, became)
        finally:
            signal.alarm(0)
        self.counts[became] += 1
        self.seconds += time.monotonic() - begun
        self.slowest = max(self.slowest, time.process_time() - cpu)

    def _keep(self, number, made, became):
        self.keep.mkdir(parents=True, exist_ok=True)
        file = self.keep / f"{self.part.name}-{self.seed}-{number}.txt"
        again = f"python -m tests.fuzz --only {self.part.name} --seed {self.seed} --input {number}"
        file.write_text(
            f"{became}: {again}\n\n{made!r}\n\n{traceback.format_exc()}", encoding="utf-8", errors="replace"
        )
        print(f"{became}: {file}", flush=True)

    def row(self):
        became = [self.counts[what] for what in (Outcome.ACCEPTED, Outcome.REFUSED, EXCEPTION, WRONG)]
        return [self.part.name, sum(became), *became, f"{self.slowest:.2f}", f"{self.seconds:.0f}"]


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("seconds", type=float, nargs="?", default=60.0, help="of all parts together")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 10**9)
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; several times for several")
    parser.add_argument("--input", type=int, help="try this one of each part alone")
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "tuner-fuzz", help="for what fails")
    arguments = parser.parse_args()
    signal.signal(signal.SIGALRM, _hangs)
    with tempfile.TemporaryDirectory() as folder:
        tried = []
        for name in arguments.only or PARTS:
            (Path(folder) / name).mkdir()
            tried.append(Trying(PARTS[name](Path(folder) / name), arguments.seed, arguments.keep))
        try:
            _share(tried, arguments)
        except KeyboardInterrupt:
            print("stopped; what was tried until then:")
        finally:
            for trying in tried:
                trying.part.close()
    print(f"seed {arguments.seed}; {', '.join(note for t in tried for note in t.part.notes) or 'no notes'}")
    _table([HEADS, *(trying.row() for trying in tried)])
    return int(any(trying.counts[WRONG] or trying.counts[EXCEPTION] for trying in tried))


def _share(tried, arguments):
    """Try inputs until the time is over, always of the part that has had the least of it."""
    if arguments.input is not None:
        for trying in tried:
            trying.one(arguments.input)
        return
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        trying = min(tried, key=lambda one: one.seconds)
        trying.one(trying.counts.total())


def _is_of_tests(error):
    """Whether an assertion of ours failed, and not one of a library's."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return Path(__file__).parent.parent in Path(frame.f_code.co_filename).parents


def _hangs(*_):
    raise TimeoutError(f"nothing came in {LONGEST} s")


def _table(rows):
    widths = [max(len(str(row[column])) for row in rows) for column in range(len(HEADS))]
    for row in rows:
        print("  ".join(str(cell).rjust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    sys.exit(main())

"""Search space files made to break the reader: a sample of those of ``python -m tests.fuzz``, and what it found once."""

import os
import random

from tests.fuzz.part import Outcome
from tests.fuzz.spaces import SpaceFile, assert_runs, outcome


def test_what_is_no_text_is_shown_in_the_message_of_a_duplicate():
    text = 'objective: {metric: rmse}\nparameters: {x: {a: 1, a: "\\uD800"}}\n'
    assert outcome(text, random.Random(0)) is Outcome.REFUSED


def test_what_is_taken_runs(tmp_path):
    for number in range(8):
        text = SpaceFile(random.Random(number)).parameters()
        assert_runs(text, tmp_path / "root")


def test_each_file_is_taken_whole_or_refused_in_our_words():
    chance = random.Random(int(os.environ.get("HOSTILE_SEED", "0")))
    found = set()
    for _ in range(int(os.environ.get("HOSTILE_FILES", "300"))):
        text = SpaceFile(chance).written()
        try:
            found.add(outcome(text, chance))
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\nby the file:\n{text[:3000]!r}") from error
    assert found == {Outcome.ACCEPTED, Outcome.REFUSED}

"""``python -m tests.fuzz``: a short run of each part that has no tests of its own folder, and what is kept of a failure."""

import random
import sys

import pytest

from tests.fuzz import __main__ as command
from tests.fuzz.events import Events
from tests.fuzz.part import Outcome, Part


class Odd(Part):
    """Numbers; three in four are answered as they must not be."""

    name = "odd"
    notes = ("four in all",)

    def made_up(self, chance):
        return chance.random()

    def check(self, made, chance):
        case = self.tried = getattr(self, "tried", -1) + 1
        assert case != 1, "wrong"
        if case == 2:
            raise KeyError("x")
        return Outcome.ACCEPTED if case == 0 else Outcome.REFUSED


def run(monkeypatch, *words):
    monkeypatch.setattr(command, "PARTS", {"odd": Odd})
    monkeypatch.setattr(sys, "argv", ["fuzz", *words])
    return command.main()


def test_event_files_made_up_by_chance_are_read_right(tmp_path):
    part, chance = Events(tmp_path), random.Random(0)
    assert {part.check(part.made_up(chance), chance) for _ in range(300)} == set(Outcome)


@pytest.mark.parametrize(("number", "status"), [(0, 0), (7, 0)])
def test_one_input_is_tried_again_by_its_number(monkeypatch, tmp_path, capsys, number, status):
    words = ["--seed", "3", "--only", "odd", "--input", str(number), "--keep", str(tmp_path / "kept")]
    assert run(monkeypatch, *words) == status
    head, *rows = capsys.readouterr().out.splitlines()
    assert head == "seed 3; four in all"
    assert [row.split()[:6] for row in rows[1:]] == [["odd", "1", "1", "0", "0", "0"]]


def test_what_fails_is_counted_and_kept_with_its_seed_and_the_status_is_one(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(command, "_share", lambda tried, _: [tried[0].one(number) for number in range(4)])
    assert run(monkeypatch, "--seed", "3", "--keep", str(tmp_path / "kept")) == 1
    assert capsys.readouterr().out.splitlines()[-1].split()[:6] == ["odd", "4", "1", "1", "1", "1"]
    wrong, raised = sorted((tmp_path / "kept").iterdir())
    assert (wrong.name, raised.name) == ("odd-3-1.txt", "odd-3-2.txt")
    made = repr(random.Random("3 odd 1").random())
    assert wrong.read_text().startswith(
        f"wrong: python -m tests.fuzz --only odd --seed 3 --input 1\n\n{made}\n\nTraceback"
    )
    assert "KeyError: 'x'" in raised.read_text()

"""What every scheduler must do, as tests to inherit.

    class TestMine(SchedulerContract):
        kind = MyScheduler
        options = {"bound": 0.5}        # as in a search space file

A sweep is played without trials, in a random order: see ``played_sweep``.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from tuner.domain.objective import Objective
from tuner.domain.spec import Named, SearchSettings, SweepSpec, TrainSettings
from tuner.schedulers import Scheduler, make_scheduler, options_of
from tuner.space import Categorical, Float, Int, Space
from tuner.testing.played_sweep import PlayedSweep

SEEDS = range(6)


class SchedulerContract:
    """Inherit, and set ``kind`` and its ``options``.

    Attributes:
        kind: The class.
        options: As in a search space file.
        trials: Of each sweep that is played.
        cuts: At so many events, drawn at random, each sweep is gone on with by another driver.
    """

    kind: ClassVar[type[Scheduler]]
    options: ClassVar[Mapping[str, Any]] = {}
    trials: ClassVar[int] = 20
    cuts: ClassVar[int] = 12

    def spec(self, seed: int) -> SweepSpec:
        """Return a sweep of one objective, or two if the class takes them, of short or long trainings, by the seed."""
        several = self.kind.goes_with_several_objectives and seed % 2
        place = f"{self.kind.__module__}:{self.kind.__qualname__}"
        search = SearchSettings(scheduler=Named(place, dict(self.options)), trials=self.trials, seed=seed)
        space = Space((Float("rate", 1e-4, 1.0, log=True), Int("units", 16, 256), Categorical("kind", ("a", "b"))))
        objectives = (Objective("rmse"), Objective("seconds")) if several else (Objective("rmse"),)
        return SweepSpec("played", objectives, space, TrainSettings(240 if seed // 2 % 2 else 90, 10), search)

    def played(self, seed: int) -> PlayedSweep:
        """Return a sweep at its beginning."""
        spec = self.spec(seed)
        return PlayedSweep(make_scheduler(spec), spec, seed)

    def test_its_options_are_known_and_json(self) -> None:
        """They are frozen with a sweep, and so read again by the next driver."""
        assert json.loads(json.dumps(dict(self.options), allow_nan=False)) == self.options
        assert set(self.options) <= set(options_of(self.kind))
        assert list(self.kind.check(self.options, self.spec(0).train)) == []

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_sweep_comes_to_its_end_whatever_its_trials_come_to(self, seed: int) -> None:
        """With losses that are no numbers, trials that fail, go on later or are pruned by somebody; all are drawn.

        On the way it names trials that it was told of alone, promotes paused ones alone, stops later than now, and
        begins nothing if nothing may begin.
        """
        played = self.played(seed).run()
        assert len(played.trials) == self.trials, "no trial runs, and none is wanted though there may be more"

    @pytest.mark.parametrize("seed", SEEDS)
    def test_the_same_history_gives_the_same_decisions(self, seed: int) -> None:
        """No other state decides: no clock, no chance but that of ``seed``, nothing of the class."""
        assert self.played(seed).run().said == self.played(seed).run().said

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_driver_that_is_told_the_history_goes_on_as_the_one_before_would_have(self, seed: int) -> None:
        """At any event: the same decisions, stops and promotions, and the same trials at the end."""
        whole = self.played(seed).run()
        chance = random.Random(seed)
        for cut in sorted(chance.sample(range(whole.events), min(self.cuts, whole.events))):
            before = self.played(seed).run(until=cut)
            after = before.restarted(make_scheduler(self.spec(seed))).run()
            expected = whole.said[len(before.said) :]
            for had, has in zip(expected, after.said, strict=False):
                assert has == had, f"from event {cut} of {whole.events} on by another driver: {has!r}, not {had!r}"
            assert len(after.said) == len(expected)

    def test_trials_of_earlier_sweeps_are_taken(self) -> None:
        """Before anything begins; what is made of them is its own affair."""
        spec = self.spec(0)
        scheduler = make_scheduler(spec)
        for loss in (0.3, 0.1, float("inf")):
            scheduler.learn({"rate": 0.01, "units": 32, "kind": "a"}, loss)
        assert len(PlayedSweep(scheduler, spec, 0).run().trials) == self.trials

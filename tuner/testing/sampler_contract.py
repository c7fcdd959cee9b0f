"""What every sampler must do in a sweep, as tests to inherit.

    class TestMine(SamplerContract):
        sampler = "rules:Mine"          # as in a search space file
        options = {"width": 0.5}

Trials are drawn and told without being trained; what becomes of each is drawn from its number.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import pytest

from tuner.config.own_classes import check_sampler
from tuner.config.sampler_options import sampler_kind
from tuner.domain.objective import Objective
from tuner.domain.spec import Named, SearchSettings, SweepSpec, TrainSettings
from tuner.domain.trial import FinishedTrial, Source, TrialState
from tuner.space import Categorical, Discrete, Float, Int, Space
from tuner.space.conditions import walk
from tuner.space.drawing import as_value
from tuner.space.parameters import Params
from tuner.study import Study
from tuner.study.storage import memory_storage
from tuner.user_class import is_place

SEEDS = range(4)


class SamplerContract:
    """Inherit, and set ``sampler`` and its ``options``.

    Attributes:
        sampler: Its name in a search space file, ``package.module:Class`` for one of your own.
        options: As in the file.
        space: From which it draws.
        trials: Of each sweep.
    """

    sampler: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    trials: ClassVar[int] = 16
    space: ClassVar[Space] = Space(
        (
            Float("rate", 1e-4, 1e-1, log=True),
            Float("keep", 0.2, 1.0, step=0.2),
            Int("units", 16, 64, step=16),
            Discrete("batch", (16, 64, 256)),
            Categorical("shape", ([1, 2], [3], True, 1)),
            Float("momentum", 0.0, 0.9, when={"units": (16, 32)}),
        ),
        {"layers": 2},
    )

    def spec(self, seed: int) -> SweepSpec:
        """Return a sweep, of one objective or of two if the sampler searches for several, by the seed."""
        several = sampler_kind(self.sampler).several_objectives and seed % 2
        objectives = (Objective("rmse"), Objective("seconds")) if several else (Objective("rmse"),)
        search = SearchSettings(sampler=Named(self.sampler, dict(self.options)), trials=self.trials, seed=seed)
        return SweepSpec("drawn", objectives, self.space, TrainSettings(30, 10), search)

    def drawn(self, study: Study, seed: int, trials: int) -> Iterator[Params]:
        """Draw trials, tell what becomes of each, and yield their parameters.

        One of each is complete, worse than any number, failed, pruned, paused or still running.
        """
        metrics = [objective.metric for objective in self.spec(seed).objectives]
        for _ in range(trials):
            record = study.ask()
            yield record.params
            _tell(study, record.number, metrics, random.Random(f"{seed} {record.number}"))

    def test_its_options_are_known_and_json(self) -> None:
        """They are frozen with a sweep, and so read again by the next driver."""
        assert json.loads(json.dumps(dict(self.options), allow_nan=False)) == self.options
        if is_place(self.sampler):
            assert list(check_sampler(Named(self.sampler, self.options), ())) == []
        else:
            assert set(self.options) <= set(sampler_kind(self.sampler).options)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_it_draws_from_the_space_whatever_became_of_the_trials_before(self, seed: int) -> None:
        """All parameters whose conditions hold and no others, each with a value that it may have."""
        for params in self.drawn(self._study(seed), seed, self.trials):
            expected = walk(self.space, lambda parameter, has=params: has[parameter.name])  # type: ignore[misc]
            assert params == expected
            for name, parameter in self.space.by_name.items():
                assert name not in params or as_value(parameter, params[name]) == params[name]

    @pytest.mark.parametrize("seed", SEEDS)
    def test_another_driver_draws_what_the_one_before_would_have(self, seed: int) -> None:
        """At any trial: what is drawn depends on the seed, the trial's number and the study, and on nothing else."""
        whole = list(self.drawn(self._study(seed), seed, self.trials))
        for cut in range(1, self.trials, 5):
            storage = memory_storage()
            before = list(self.drawn(self._study(seed, storage), seed, cut))
            assert before + list(self.drawn(self._study(seed, storage), seed, self.trials - cut)) == whole

    @pytest.mark.parametrize("seed", SEEDS)
    def test_a_draw_that_was_cut_off_is_taken_up_with_the_same_parameters(self, seed: int) -> None:
        """If the driver dies behind the first or second parameter of a trial, the next one draws the others alike."""
        whole = list(self.drawn(self._study(seed), seed, self.trials))
        for cut, held in ((1, 1), (self.trials - 2, 2)):
            storage = memory_storage()
            study = self._study(seed, storage)
            list(self.drawn(study, seed, cut))
            with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
                _die_behind(storage, held, patch)
                study.ask()
            assert self._study(seed, storage).take_up(cut).params == whole[cut]

    def test_it_draws_beside_starting_points(self) -> None:
        """Of which each fixes some parameters, all if the sampler lists its points; it draws the others."""
        study = self._study(0)
        drawn = list(self.drawn(self._study(2), 2, 6))
        points = [dict(list(params.items())[place % 2 :][:1]) for place, params in enumerate(drawn)]
        if sampler_kind(self.sampler).lists_values:
            points = [dict(params) for params in drawn]
        study.enqueue(points)
        for point, params in zip(points, self.drawn(study, 0, self.trials), strict=False):
            assert dict(params) == {**params, **point}

    def test_trials_of_earlier_sweeps_are_taken(self) -> None:
        """Before anything is drawn; what is made of them is its own affair."""
        earlier = tuple(
            FinishedTrial(params, {"rmse": 1.0 / (number + 1)})
            for number, params in enumerate(self.drawn(self._study(2), 2, self.trials))
        )
        study = Study(self.spec(0), memory_storage(), [Source("earlier", earlier)])
        assert len(list(self.drawn(study, 0, self.trials))) == self.trials

    def _study(self, seed: int, storage: Any = None) -> Study:
        return Study(self.spec(seed), storage or memory_storage())


def _tell(study: Study, number: int, metrics: Sequence[str], chance: random.Random) -> None:
    fate = chance.choice(["COMPLETE", "COMPLETE", "COMPLETE", "infinite", "FAIL", "PRUNED", "PAUSED", "RUNNING"])
    values: dict[str, float] = {}
    for step in (10, 20, 30) if fate in ("COMPLETE", "infinite") else (10,):
        values = {metric: math.inf if fate == "infinite" else chance.random() for metric in metrics}
        study.report(number, step, values)
    if fate == "PAUSED":
        study.note(number, state=fate)
    elif fate != "RUNNING":
        state = TrialState.COMPLETE if fate == "infinite" else TrialState(fate)
        study.finish(number, state, {} if state is TrialState.FAIL else values)


def _die_behind(storage: Any, held: int, patch: pytest.MonkeyPatch) -> None:
    """Let the driver of a study die once ``held`` more parameters are stored."""
    store, left = storage.set_trial_param, iter([True] * held)

    def dying(*args: Any) -> None:
        if not next(left, False):
            raise KeyboardInterrupt
        store(*args)

    patch.setattr(storage, "set_trial_param", dying)

"""The study of a sweep: ask, report, tell, and what is there to go on from."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from tuner.domain.seeds import derive
from tuner.domain.spec import SweepSpec
from tuner.domain.trial import Source, TrialRecord, TrialState
from tuner.errors import Infeasible
from tuner.space.conditions import Walk
from tuner.space.conditions import walk as walk_space
from tuner.space.parameters import Params, ParamValue
from tuner.space.points import fitted_point
from tuner.study import frozen_trial
from tuner.study.constraints import loss_of, set_constraints
from tuner.study.encoding import read, store, store_loosely, suggest, told_values
from tuner.study.frozen_trial import ATTRIBUTE, FORGOTTEN, STEP, STORED, HeldTrial, begun, number_of, record_of
from tuner.study.transfer import as_optuna_trials

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial
    from optuna.trial import Trial as OptunaTrial


class Study:
    """The study of one sweep, open for its driver.

    Args:
        spec: The sweep.
        storage: Optuna's storage.
        sources: Finished trials of other sweeps, for the sampler to learn from.
        walk: Goes through the space, if the model defines it by running; else the sweep's space is.

    Attributes:
        learned: What became of them, a line for each source.
    """

    def __init__(
        self, spec: SweepSpec, storage: BaseStorage, sources: Sequence[Source] = (), walk: Walk | None = None
    ) -> None:
        import optuna

        from tuner.study.samplers import make_sampler

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._spec = spec
        self._storage = storage
        self._ids: dict[int, int] = {}
        self._attributes: dict[int, dict[str, Any]] = {}
        self._may_have_enqueued = True  # whether a trial that was enqueued may wait
        self._walk: Walk = walk or partial(walk_space, spec.space)
        self._defined_by_file = walk is None
        self._earlier, self.learned = as_optuna_trials(sources, spec, self._walk)
        self._study = optuna.create_study(
            study_name=spec.name,
            storage=storage,
            pruner=optuna.pruners.NopPruner(),
            directions=[objective.goal.value for objective in spec.objectives],
            load_if_exists=True,
        )
        self._plain = STORED not in self.attributes
        search = spec.search
        one = spec.objectives[0] if len(spec.objectives) == 1 else None
        # Of the same seed as the sweep that it learns from, it would begin with the trials that it knows.
        seed = derive(search.seed, "earlier", *(source.name for source in sources)) if sources else search.seed
        sampler = make_sampler(
            search.sampler, spec.space, seed, self._earlier, search.repeats, one, self._plain, spec.import_paths
        )
        self._study.sampler = sampler
        sampler.prepare(self._study)
        for frozen in storage.get_all_trials(self._study._study_id, deepcopy=False):
            if number_of(frozen) != frozen.number:
                self._ids[number_of(frozen)] = frozen._trial_id
        self._name_objectives()

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Attributes of the study that are ours."""
        found: dict[str, Any] = self._study.user_attrs.get(ATTRIBUTE, {})
        return found

    def set_attributes(self, **values: Any) -> None:
        """Set attributes of the study, beside those that are there."""
        self._study.set_user_attr(ATTRIBUTE, {**self.attributes, **values})

    @property
    def spent_s(self) -> float:
        """Running time of the sweep so far, in seconds, as it was noted."""
        return float(self.attributes.get("seconds", 0.0))

    @property
    def spent_until(self) -> float:
        """When that was noted, in seconds since 1970."""
        return float(self.attributes.get("noted_at", 0.0))

    def spend(self, seconds: float) -> None:
        """Note that the sweep ran so much longer, up to now: of the driver that is at work nothing is left to note."""
        self.set_attributes(seconds=self.spent_s + seconds, noted_at=time.time())

    def _name_objectives(self) -> None:
        """Leave with the study what its values are values of, for those who open it with Optuna."""
        names = [objective.metric for objective in self._spec.objectives]
        if self._study.metric_names != names:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # experimental in Optuna
                self._study.set_metric_names(names)

    def enqueue(self, starting_points: Sequence[Mapping[str, ParamValue]]) -> None:
        """Have the next ``ask`` return the first of these, and so on; what they leave out is drawn.

        Called again with the same ones, or more, it adds what was not added before.
        """
        begin = int(self.attributes.get("enqueued", 0))
        if begin >= len(starting_points):
            return
        found = self._storage.get_all_trials(self._study._study_id, deepcopy=False)
        there = {frozen.user_attrs.get(ATTRIBUTE, {}).get("enqueued") for frozen in found}
        for index in range(begin, len(starting_points)):
            if index not in there:  # else a driver died before it had counted this one
                params = self._encode(self._fitted(starting_points[index]))
                self._study.enqueue_trial(params, user_attrs={ATTRIBUTE: {"enqueued": index}})
            self._may_have_enqueued = True
            self.set_attributes(enqueued=index + 1)

    def ask(self) -> TrialRecord:
        """Draw the parameters of a new trial.

        One that the model's own space calls infeasible is returned as PRUNED, with those drawn before that, and is
        to be finished.
        """
        trial = self._study.ask() if self._may_wait() else self._new()
        self._ids[trial.number] = trial._trial_id
        try:
            return TrialRecord(trial.number, TrialState.RUNNING, self._drawn(trial))
        except Infeasible as error:
            return _infeasible(self._record(self._storage.get_trial(trial._trial_id)), error)

    @property
    def has_enqueued(self) -> bool:
        """Whether parameters that were enqueued have not been asked for yet."""
        from optuna.trial import TrialState as Optuna

        return self._may_wait() and bool(self._storage.get_all_trials(self._study._study_id, False, (Optuna.WAITING,)))

    @property
    def earlier(self) -> list[tuple[dict[str, ParamValue], float]]:
        """Parameters and first loss of the finished trials of other sweeps, in this space."""
        space, goal = self._spec.space, self._spec.objectives[0].goal
        return [(read(t.params, t.distributions, space), loss_of(t, goal)) for t in self._earlier]

    def _may_wait(self) -> bool:
        """Whether a trial that was enqueued may not have been asked for yet; others may enqueue on a database."""
        from optuna.storages import JournalStorage
        from optuna.trial import TrialState as Optuna

        if self._may_have_enqueued and isinstance(self._storage, JournalStorage):
            self._may_have_enqueued = bool(
                self._storage.get_all_trials(self._study._study_id, False, (Optuna.WAITING,))
            )
        return self._may_have_enqueued

    def _new(self) -> OptunaTrial:
        """Make a trial as ``ask`` of Optuna does, which looks through all trials for one that waits."""
        from optuna.trial import Trial

        self._study._thread_local.cached_all_trials = None  # what samplers look at, once a trial
        return Trial(self._study, self._storage.create_new_trial(self._study._study_id))

    def begin(self, params: Params, tags: Mapping[str, str], memory: Mapping[str, Any] | None = None) -> TrialRecord:
        """Begin a trial with parameters that were decided elsewhere.

        Args:
            params: All of them; constants are passed over.
            tags: Of its run; they stand from the moment at which the trial exists.
            memory: What the scheduler keeps with it, as JSON.
        """
        import optuna

        now = optuna.trial.create_trial(
            state=optuna.trial.TrialState.RUNNING,
            user_attrs={ATTRIBUTE: {"tags": dict(tags), **({"memory": dict(memory)} if memory else {})}},
            system_attrs={"fixed_params": self._encode(params)},
        )
        trial_id = self._storage.create_new_trial(self._study._study_id, template_trial=now)
        return self.take_up(self._storage.get_trial_number_from_id(trial_id))

    def reopen(self, number: int) -> None:
        """Let a trial that failed run again under its number; nothing is done with any other.

        Optuna opens no trial that has ended, so a new one of its takes the place of the failed one, which stays.
        """
        import optuna

        failed = self._storage.get_trial(self._id(number))
        if record_of(failed, self._spec).state is not TrialState.FAIL:
            return
        again = optuna.trial.create_trial(
            state=optuna.trial.TrialState.RUNNING,
            params=failed.params,
            distributions=failed.distributions,
            intermediate_values=failed.intermediate_values,
            user_attrs=frozen_trial.anew(failed.user_attrs, number),
            system_attrs={**failed.system_attrs, "fixed_params": failed.params},
        )
        self._ids[number] = self._storage.create_new_trial(self._study._study_id, template_trial=again)
        self.forget_cached(number)

    def forget_cached(self, number: int) -> None:
        """Forget what was read of a trial: another driver may have changed it."""
        self._attributes.pop(number, None)

    def take_up(self, number: int) -> TrialRecord:
        """Return a trial that was left unfinished, with the parameters that it had not drawn yet.

        PRUNED if the model's own space calls them infeasible; see ``ask``.
        """
        import optuna

        self.forget_cached(number)
        trial = optuna.trial.Trial(self._study, self._id(number))
        try:
            self._drawn(trial)
        except Infeasible as error:
            return _infeasible(self._record(self._storage.get_trial(self._id(number))), error)
        return self._record(self._storage.get_trial(self._id(number)))

    def report(self, number: int, step: int, values: Mapping[str, float]) -> None:
        """Report an evaluation; a step that has values keeps them.

        Optuna keeps the first objective; the rest stands in an attribute for each step, because Optuna
        takes no reports of trials with several objectives.

        Args:
            number: Of the trial.
            step: Global step.
            values: Metric to value: the objectives, and what constraints are on.
        """
        first = self._spec.objectives[0].metric
        others = {metric: float(value) for metric, value in values.items() if metric != first}
        if others:
            self._storage.set_trial_user_attr(self._id(number), f"{STEP}{step}", others)
        self._storage.set_trial_intermediate_value(self._id(number), step, float(values[first]))

    def note(self, number: int, **values: Any) -> None:
        """Set attributes of a trial, beside those that are there: state, reason, seconds, attempts."""
        noted = self._noted(number)
        noted.update(frozen_trial.noted_as(values))
        self._storage.set_trial_user_attr(self._id(number), ATTRIBUTE, noted)

    def finish(
        self,
        number: int,
        state: TrialState,
        values: Mapping[str, float],
        constraints: Mapping[str, float] | None = None,
        **noted: Any,
    ) -> None:
        """Tell the study that a trial will not run again.

        Args:
            number: Of a trial that is not finished.
            state: COMPLETE, PRUNED or FAIL.
            values: Each objective's value; empty if there is none.
            constraints: What counts of each constraint's metric, for samplers that know constraints.
            noted: Attributes of the trial, as of ``note``.
        """
        if self._storage.get_trial(self._id(number)).state.is_finished():
            return  # another driver took this one for dead, and has finished its trial
        if constraints:
            noted["constraints"] = dict(constraints)
        self.note(number, state=state.value, values=dict(values), **noted)
        self._tell(number, state, values, constraints or {})

    def tell_again(self, record: TrialRecord) -> None:
        """Tell Optuna of a trial that was finished by a driver that died before it had told."""
        self._tell(record.number, record.state, record.values, record.constraints)

    def _tell(
        self, number: int, state: TrialState, values: Mapping[str, float], constraints: Mapping[str, float]
    ) -> None:
        from optuna.trial import TrialState as Optuna

        ordered = told_values(values, self._spec.objectives)
        trial_id = self._id(number)
        set_constraints(self._storage, trial_id, self._spec.constraints, constraints)
        frozen = self._storage.get_trial(trial_id)
        told = Optuna[state.value]
        if told is Optuna.COMPLETE and ordered is None:
            told = Optuna.FAIL
        if told is Optuna.FAIL:
            ordered = None
        self._study.sampler.after_trial(self._study, frozen, told, ordered)
        self._storage.set_trial_state_values(trial_id, told, ordered)
        self._attributes.pop(number, None)

    def forget(self, number: int) -> None:
        """Show a finished trial no more; the sampler still knows it, and it still counts."""
        self.set_attributes(**{FORGOTTEN: sorted({*self.attributes.get(FORGOTTEN, []), number})})

    def trial(self, number: int) -> TrialRecord:
        """Return a trial as it stands."""
        return self._record(self._storage.get_trial(self._id(number)))

    def trials(self) -> list[TrialRecord]:
        """Return all trials that were begun, by number."""
        found = self._storage.get_all_trials(self._study._study_id, deepcopy=False)
        return list(begun([HeldTrial.of_optuna(frozen) for frozen in found], self._spec))

    def _drawn(self, trial: OptunaTrial) -> dict[str, ParamValue]:
        """Draw what a trial has not drawn yet; return its parameters and constants."""
        params = self._walk(lambda parameter: suggest(trial, parameter, self._plain))
        others = {} if self._defined_by_file else {k: v for k, v in params.items() if k not in trial.params}
        if others:
            self.note(number_of(self._storage.get_trial(trial._trial_id)), constants=others)
        return params

    def _fitted(self, point: Mapping[str, ParamValue]) -> Mapping[str, ParamValue]:
        """Return a starting point with the values that the space has: one of an earlier version may have others."""
        return fitted_point(point, self._spec.space)[0] if self._defined_by_file else point

    def _encode(self, params: Params) -> dict[str, Any]:
        """Return parameters as the study holds them, or takes them to be fixed."""
        return store(params, self._spec.space, self._plain) if self._defined_by_file else store_loosely(params)

    def _id(self, number: int) -> int:
        if number not in self._ids:
            self._ids[number] = self._storage.get_trial_id_from_study_id_trial_number(self._study._study_id, number)
        return self._ids[number]

    def _noted(self, number: int) -> dict[str, Any]:
        if number not in self._attributes:
            frozen = self._storage.get_trial(self._id(number))
            self._attributes[number] = dict(frozen.user_attrs.get(ATTRIBUTE, {}))
        return self._attributes[number]

    def _record(self, frozen: FrozenTrial) -> TrialRecord:
        return record_of(frozen, self._spec)


def _infeasible(record: TrialRecord, error: Infeasible) -> TrialRecord:
    return replace(record, state=TrialState.PRUNED, reason=f"infeasible: {error.message}")

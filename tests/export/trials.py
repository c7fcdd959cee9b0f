"""A trial that may be exported, for tests."""

from tuner.domain.objective import Aggregation, Constraint, Goal, Objective
from tuner.domain.trial import TrialRecord, TrialState
from tuner.results import Trial


def trial(sweep_dir, curve, there, goal=Goal.MINIMIZE, state=TrialState.COMPLETE, of="last", **record):
    folder = sweep_dir.trial(3).path
    folder.mkdir(parents=True)
    for step in there:
        (folder / f"model.ckpt-{step}.index").touch()
    objective = Objective("rmse", goal, Aggregation(of, 2 if of == "mean" else 1))
    values = {"rmse": objective.of.value(list(curve.values()), goal)} if curve else {}
    constraints = (Constraint("size", high=5.0),) if "others" in record else ()
    record = TrialRecord(3, state, {}, curve=curve, values=values, **record)
    return Trial(record, (objective,), None, str(folder), constraints)

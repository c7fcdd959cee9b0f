"""Every scheduler of the registry goes through the contract suite."""

from tuner.schedulers import SCHEDULERS, scheduler_class
from tuner.testing.scheduler_contract import SchedulerContract

OPTIONS = {
    "median": [{"startup_trials": 2}, {"startup_trials": 2, "rank": "nondominated"}],
    "percentile": [{"startup_trials": 2, "interval_steps": 25, "warmup_steps": 15}],
    "patience": [{"patience": 2, "rank": "nondominated"}],
    "asha": [{"eta": 2, "rank": "nondominated"}],
    "asha_stopping": [{"eta": 2, "rank": "nondominated"}],
    "hyperband": [{"eta": 2, "rank": "nondominated"}],
    "pbt": [{"population": 4, "every": 20, "rank": "nondominated"}],
}
"""Other options than their own, by which each is tried once more."""

FEWER = {"freeze_thaw": {"trials": 10, "cuts": 1}}  # each decision of a model takes some hundredths of a second

for name in SCHEDULERS:
    for place, options in enumerate([{}, *OPTIONS.get(name, [])]):
        facts = {"kind": scheduler_class(name), "options": options, **FEWER.get(name, {})}
        called = f"Test{name.title().replace('_', '')}{place or ''}"
        globals()[called] = type(called, (SchedulerContract,), {**facts, "__module__": __name__})

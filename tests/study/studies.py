"""A sweep for tests of its study."""

from tuner.domain.objective import Objective
from tuner.domain.spec import Named, SearchSettings, SweepSpec, TrainSettings
from tuner.space import Categorical, Float, Int, Space
from tuner.study import Study
from tuner.study.storage import open_journal


def spec(sampler="random", seed=0, **options):
    space = Space(
        (
            Float("rate", 1e-4, 1e-1, log=True),
            Int("units", 16, 64, step=16),
            Categorical("shape", ([1, 2], [3], True, 1)),
            Float("momentum", 0.0, 0.9, when={"units": (16, 32)}),
        ),
        {"batch": 8},
    )
    search = SearchSettings(sampler=Named(sampler, options), seed=seed)
    return SweepSpec("s", (Objective("rmse"),), space, TrainSettings(100, 10), search)


def study(sweep_dir, **kwargs):
    return Study(spec(**kwargs), open_journal(sweep_dir.journal_file))

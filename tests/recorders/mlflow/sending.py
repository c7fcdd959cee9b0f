"""Records of a sweep sent to MLflow, and what is there then."""

from tests.events.event_records import record, several_event, version_event
from tuner.domain.trial import Evaluation, TrialState
from tuner.files.run_ids import run_ids
from tuner.recorders.mlflow.reader import MlflowReader
from tuner.recorders.mlflow.recorder import MlflowRecorder
from tuner.recorders.mlflow.uploads import TRIES
from tuner.records.record import Evaluated, SweepOpened, TrialChanged, TrialOpened

OPENED = SweepOpened(
    "b" * 32,
    "sweep",
    1_700_000_000.0,
    {"rmse": "minimize"},
    "name: sweep\n",
    {"trials": 2, "max_steps": 1000},
    {"team": "houses"},
    {"mlflow.user": "me", "tuner.command": "tuner run"},
    options={"training": ["loss"], "plots": True},
)


class Made:
    """Files that are there at once."""

    def __init__(self, **importance):
        self.importance = importance

    def done(self):
        return True

    def stop(self):
        pass


def trial(number, values, state=TrialState.COMPLETE, at=1_700_000_010.0):
    """The records of a trial with an evaluation every 100 steps."""
    yield TrialOpened(number, at, {"rate": 0.1 * (number + 1), "on": True})
    yield TrialChanged(number, at, TrialState.RUNNING)
    for index, value in enumerate(values, 1):
        yield Evaluated(number, Evaluation(100 * index, at + index, "eval", {"rmse": value, "loss": value**2}))
    yield TrialChanged(number, at + 50, state, "", {"rmse": values[-1]}, 100 * len(values))


def write(sweep_dir, records, sweep_files=None, client=None):
    """Send records as the sender does."""
    recorder = MlflowRecorder(sweep_dir, client=client, sweep_files=sweep_files)
    recorder.open()
    recorder.write(records)
    for _ in range(TRIES + 1):
        if not recorder.attach(closing=True):
            break
    recorder.close()


def read(sweep_dir, number=0):
    return MlflowReader(sweep_dir).read(run_ids(sweep_dir)[number])


def training(sweep_dir, number, steps, file="events.out.tfevents.1700000000.here"):
    folder = sweep_dir.trial(number).path
    folder.mkdir(exist_ok=True)
    events = [several_event(step, {"loss": 1.0 / step, "other": 1.0}) for step in steps]
    (folder / file).write_bytes(b"".join(map(record, [version_event(), *events])))

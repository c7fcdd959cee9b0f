"""Files of a sweep, damaged: every command refuses in clear words, or is right, or ``verify`` says that it may not be."""

import json
import shutil
import socket

from typer.testing import CliRunner

import tuner
from tests.fuzz.part import Outcome, Part
from tests.spaces import SIMULATED
from tuner.cli import app as cli
from tuner.domain.job import Job, JobResult, JobStatus
from tuner.domain.spec import TrainSettings
from tuner.driver.progress import NullDisplay
from tuner.files.paths import Root
from tuner.files.run_ids import RunIds
from tuner.sweep import RunOptions

WAYS = {
    "flip": lambda data, at: data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :],
    "cut": lambda data, at: data[:at],
    "double": lambda data, at: data[:at] + data[max(0, at - 40) : at] + data[at:],
    "line twice": lambda data, at: b"".join(
        line * (1 + (i == data[:at].count(b"\n"))) for i, line in enumerate(data.splitlines(True))
    ),
    "line gone": lambda data, at: b"".join(
        line for i, line in enumerate(data.splitlines(True)) if i != data[:at].count(b"\n")
    ),
    "lines behind gone": lambda data, at: data[: data.rfind(b"\n", 0, at) + 1],
    "digit": lambda data, at: data[:at] + data[at : at + 80].replace(b"1", b"7", 1) + data[at + 80 :],
    "no UTF-8": lambda data, at: data[:at] + b"\xff" + data[at + 1 :],
    "NUL": lambda data, at: data[:at] + b"\0" * 20 + data[at + 20 :],
    "carriage return": lambda data, at: data[:at] + b"\r" + data[at:],
    "another type": lambda data, at: data.replace(b'": ', b'": [7],"_":', 1).replace(b'":', b'":[7],"_":', 1),
    "nothing": lambda data, at: b"",
}
FILES = [
    "attached.jsonl",
    "best_model.json",
    "curves.jsonl",
    "curves.sent",
    "driver.lock",
    "earlier.jsonl",
    "runs.jsonl",
    "simulated.jsonl",
    "space.yaml",
    "stop.request",
    "study.journal",
    "sweep.json",
    "trials/0001/job.json",
    "trials/0001/result.json",
]
COMMANDS = (
    "list",
    "show sim",
    "show sim:1",
    "best sim",
    "verify sim",
    "resume sim",
    "delete sim:1 --yes",
    "delete sim --yes",
)


def make_sweep(root):
    """Make a simulated sweep of four trials, and beside it files that real trials and MLflow leave."""
    (root / "sim.yaml").write_text(SIMULATED.replace("trials: 2", "trials: 4"))
    sweep = tuner.Sweep.from_file(root / "sim.yaml", root)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    ids = RunIds(sweep.dir.runs_file)
    ids.remember("p" * 32)
    for trial in range(4):
        ids.make(trial)
        ids.remember(f"{trial:032d}", trial)
        folder = sweep.dir.trial(trial)
        folder.path.mkdir(exist_ok=True)
        Job(trial, 1, {"rate": 0.1}, 3, TrainSettings(90, 90)).write(folder.job_file)
        JobResult(JobStatus.FINISHED, 1, 90, tags={"a": "b"}).write(folder.result_file)
    sweep.dir.attached_file.write_text('{"trial": 0}\n{"trial": 1}\n{"closed": 17.5}\n')
    sweep.dir.sent_file.write_text("1000\n")
    sweep.dir.best_model_file.write_text('{"trial": 1, "step": 90}\n')
    sweep.dir.driver_file.write_text(json.dumps({"pid": 17, "host": socket.gethostname(), "time": 17.5}))
    sweep.dir.stop_file.write_text("17\n")
    line = {"from": "other", "params": {"rate": 0.1, "units": 20}, "values": {"rmse": 1.0}}
    sweep.dir.earlier_file.write_text(f"{json.dumps(line)}\n{json.dumps(line)}\n")
    return sweep.dir.path


def run(root, command):
    """Run a command of tuner's on a root; raises if it ends otherwise than by a clear line."""
    words = [*command.replace(" --yes", "").split(), "--root", str(root)]
    found = CliRunner().invoke(cli.app, words)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    if "this is a fault of tuner" in found.output:
        raise RuntimeError(f"{command}: {found.output}")
    return found


def told(found):
    """Return what ``tuner show`` tells of each trial that can be held against the truth; None if it refused."""
    if found.exit_code:
        return None
    return {row["trial"]: (row["state"], row["params"], row["values"], row["step"]) for row in json.loads(found.stdout)}


class Records(Part):
    """Files of sweeps."""

    name = "records"

    def __init__(self, folder):
        super().__init__(folder)
        from tuner.cli import best, delete, listing, resume, show, verify  # noqa: F401

        self.whole = folder / "whole"
        self.whole.mkdir()
        self.sweep = make_sweep(self.whole)
        self.truth = told(run(self.whole, "show sim --format json"))

    def made_up(self, chance):
        """Return one or two files, each with what it has become."""
        made = {}
        for name in chance.sample(FILES, chance.choice((1, 1, 1, 2))):
            if chance.random() < 0.4:
                name = chance.choice(("study.journal", "curves.jsonl", "sweep.json"))
            data = (self.sweep / name).read_bytes()
            for _ in range(chance.choice((1, 1, 2))):
                way = chance.choice(list(WAYS))
                data = WAYS[way](data, chance.randrange(len(data))) if data else data
            made[name] = data
        return made

    def check(self, made, chance):
        root = self.folder / "damaged"
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(self.whole, root)
        for name, data in made.items():
            (Root(root).sweep("sim").path / name).write_bytes(data)
        refused = False
        for command in ("list", "show sim:1", "best sim"):
            refused |= run(root, command).exit_code != 0
        refused |= self.is_answered(root, "as it is")
        if chance.random() < 0.7:
            refused |= run(root, "resume sim").exit_code != 0
            self.is_answered(root, "after resume")
        for command in ("delete sim:1", "delete sim"):
            refused |= run(root, command).exit_code != 0
        return Outcome.REFUSED if refused else Outcome.ACCEPTED

    def is_answered(self, root, when):
        """Whether the trials are refused, or said to differ from what else is there; if neither, they are right."""
        found = told(run(root, "show sim --format json"))
        verified = run(root, "verify sim")
        differ = verified.exit_code != 0 or "is damaged" in verified.output
        assert found is None or differ or found == self.truth, f"{when}: shown {found}, expected {self.truth}"
        return found is None or differ

"""A trial that hangs is ended with where it stands, and shows it before."""

import re
import subprocess
import sys
import threading
import time

import pytest

import tuner
from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay
from tuner.sweep import RunOptions

pytestmark = [pytest.mark.slow, pytest.mark.tf]


def test_a_trial_that_hangs_shows_its_stacks_and_is_ended_with_where_it_stands(space_file, root):
    class Display(NullDisplay):
        def line(self, line):
            if line.startswith("trial 0: running"):
                threading.Thread(target=ask).start()

    def ask():
        command = [sys.executable, "-m", "tuner", "logs", "tiny:0", "--stacks", "--root", str(root)]
        while "in _strike" not in "".join(shown) and time.monotonic() < deadline:
            shown.append(subprocess.run(command, capture_output=True, text=True).stdout)

    shown, deadline = [], time.monotonic() + 60
    file = space_file(
        parameters="learning_rate: {type: float, low: 0.001, high: 0.1}\nfault_at: 5\nfault_there: hang",
        search="{trials: 1, sampler: random, retries: 0, no_progress_timeout: 15s}",
    )
    ran = tuner.Sweep.from_file(file, root).session(RunOptions(), Display()).run()
    trial = ran.result.trials[0]
    assert trial.state is TrialState.FAIL
    assert re.fullmatch(
        r"made no step for 15 s, it stands at line \d+ of tiny.py; its log has the stack", trial.record.reason
    )
    log = (root / "mlruns/sweeps/tiny/trials/0000/log.txt").read_text()
    assert "time.sleep(3600)" in log
    assert "in _strike" in "".join(shown)

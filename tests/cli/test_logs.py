"""``tuner logs`` of a trial, of a task of a cluster."""

import subprocess
import sys

from tests.cli.command import call


def test_logs_takes_a_trial_either_way_and_says_what_to_type_where_there_is_none(named):
    assert call("logs", "sim:1", "--root", named).stdout == "the log of 1\n"
    assert call("logs", "sim", "--trial", 1, "--root", named).stdout == "the log of 1\n"
    command = [sys.executable, "-m", "tuner", "logs", "sim", "--root", str(named)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert f"expected a trial (type: tuner logs sim:0 --root {named})" in done.stderr


def test_logs_of_a_cluster_are_those_of_its_tasks(named):
    from tuner.sweep import Sweep

    alone = call("logs", "sim:0", "--task", "worker-0", "--root", named)
    assert alone.exit_code == 2 and "it is one process" in alone.output
    trial_dir = Sweep.open("sim", named).dir.trial(1)
    for name in ("worker-0", "ps-0"):
        trial_dir.task(name).path.mkdir(parents=True)
        trial_dir.task(name).log_file.write_text(f"the log of {name}\n")
    assert call("logs", "sim:1", "--task", "worker-0", "--root", named).stdout == "the log of worker-0\n"
    for arguments in (["--task", "chief"], []):
        assert call("logs", "sim:1", *arguments, "--root", named).stdout == "the log of 1\n"
    wrong = call("logs", "sim:1", "--task", "worker0", "--root", named)
    assert wrong.exit_code == 2
    assert (
        "no task 'worker0': it has chief, ps-0, worker-0" in wrong.output and "did you mean 'worker-0'?" in wrong.output
    )

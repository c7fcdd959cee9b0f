"""``tuner rerun``."""

import json

import pytest

from tests.cli.command import tuner


@pytest.mark.slow
def test_a_trial_run_again_equals_its_record_and_a_record_that_was_changed_is_noticed(space_file, root):
    search = "{sampler: random, scheduler: {name: asha, eta: 2}, trials: 3, seed: 1}"
    assert tuner("run", space_file(search=search), "--root", root, "--workers", 1).returncode == 0
    rows = json.loads(tuner("show", "tiny", "--root", root, "--format", "json").stdout)
    before = sorted((path, path.stat().st_mtime_ns) for path in (root / "mlruns" / "sweeps").rglob("*"))
    for state in ("COMPLETE", "PRUNED"):  # one that paused on its way, and one that was never promoted
        number = next(row["trial"] for row in rows if row["state"] == state)
        done = tuner("rerun", "tiny", "--trial", number, "--root", root)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "all equal to the last bit" in done.stdout
    assert sorted((path, path.stat().st_mtime_ns) for path in (root / "mlruns" / "sweeps").rglob("*")) == before
    job = root / "mlruns" / "sweeps" / "tiny" / "trials" / "0000" / "job.json"
    data = json.loads(job.read_text())
    job.write_text(json.dumps({**data, "seed": data["seed"] + 1}))
    done = tuner("rerun", "tiny", "--trial", 0, "--root", root)
    assert done.returncode == 1 and "recorded" in done.stdout
    assert tuner("rerun", "tiny", "--trial", 9, "--root", root).returncode == 2

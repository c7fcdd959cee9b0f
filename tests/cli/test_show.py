"""``tuner show`` of a trial."""

import json

from tests.cli.command import call


def test_show_of_a_trial_has_that_trial_alone(named):
    (row,) = json.loads(call("show", "sim:1", "--root", named, "--format", "json").stdout)
    assert row["trial"] == 1
    assert len(json.loads(call("show", "sim", "--root", named, "--format", "json").stdout)) == 2
    missing = call("show", "sim:7", "--root", named)
    assert missing.exit_code == 2
    assert "has no trial 7: it has trials 0 to 1" in missing.output
    assert "did you mean 'sim'? sweeps here: sim" in call("show", "simm", "--root", named).output

"""Folders outside of the trials' own: one trial each, and known afterwards."""

import pytest

from tuner.errors import TrialError
from tuner.files.outside import claim, trained_outside
from tuner.files.paths import SweepDir


def test_a_folder_is_the_first_trials_in_all_its_lives_and_no_other_ones(tmp_path):
    sweep = SweepDir(tmp_path / "sweep")
    fixed = tmp_path / "fixed"
    fixed.mkdir()
    (tmp_path / "link").symlink_to(fixed)
    for number in (0, 1):
        sweep.trial(number).path.mkdir(parents=True)
    claim(sweep.trial(0), str(fixed))
    claim(sweep.trial(0), str(fixed))
    with pytest.raises(TrialError, match=r"where trial 0 has trained.*--job-dir \{trial_dir\}"):
        claim(sweep.trial(1), str(tmp_path / "link"))
    claim(sweep.trial(1), "gs://bucket/model")
    claim(sweep.trial(1), str(tmp_path / "gone"))
    assert sorted(trained_outside(sweep)) == [(0, str(fixed)), (1, "gs://bucket/model")]

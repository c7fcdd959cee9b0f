"""What the processes of an export leave, if the disk was full when they wrote it."""

import pytest

from tuner.errors import SweepError
from tuner.export.export import done_or_fault, verdict_of


@pytest.mark.parametrize("name", ["done.json", "fault.json", "verdict.json"])
def test_a_file_that_is_not_whole_is_a_failed_export(tmp_path, name):
    (tmp_path / "log.txt").write_text("OSError: No space left on device\n")
    (tmp_path / name).write_text('{"invalid": ')
    with pytest.raises(SweepError, match=f"{name} of the export is not whole"):
        if name == "verdict.json":
            verdict_of(tmp_path, {}, tmp_path / "log.txt", 1)
        else:
            done_or_fault(tmp_path, tmp_path / "log.txt", 1)

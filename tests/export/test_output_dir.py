"""The folder of an export."""

from pathlib import Path

import pytest

from tuner.errors import InvalidInput
from tuner.export.output_dir import check_out_dir


def test_a_folder_that_is_not_empty_or_cannot_be_written_is_refused(tmp_path):
    check_out_dir(tmp_path / "new" / "one")
    (tmp_path / "empty").mkdir()
    check_out_dir(tmp_path / "empty")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(InvalidInput, match="is not empty"):
        check_out_dir(tmp_path / "full")
    with pytest.raises(InvalidInput, match="is a file"):
        check_out_dir(tmp_path / "full" / "file")
    with pytest.raises(InvalidInput, match="cannot write"):
        check_out_dir(tmp_path / "full" / "file" / "below")
    with pytest.raises(InvalidInput, match=r"of /proc forbids it \(name another folder\)"):
        check_out_dir(Path("/proc/model"))

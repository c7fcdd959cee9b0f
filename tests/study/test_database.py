"""What ``--storage`` takes."""

import pytest

import tuner
from tests.spaces import SIMULATED
from tuner.driver.progress import NullDisplay
from tuner.errors import InvalidInput
from tuner.study.database import database_url
from tuner.sweep import RunOptions


def test_a_file_that_is_named_from_the_current_folder_is_the_same_from_any_other(tmp_path, monkeypatch):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    monkeypatch.chdir(tmp_path)
    sweep = tuner.Sweep.from_file("sim.yaml", tmp_path, storage_url="sqlite:///study.db")
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(tuner.Sweep.open("sim", tmp_path).result().trials) == len(sweep.result().trials) > 0
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("url", ["postgresql://me:secret@host/db", "mysql://host/db", "sqlite:////tmp/study.db"])
def test_others_are_taken_as_they_are(url):
    assert database_url(url) == url


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite://", "is a database in memory"),
        ("sqlite:///:memory:", "is a database in memory"),
        ("nonsense", "is no database URL"),
    ],
)
def test_what_no_other_process_could_open_is_refused(url, said, tmp_path):
    (tmp_path / "sim.yaml").write_text(SIMULATED)
    with pytest.raises(InvalidInput, match=said):
        tuner.Sweep.from_file(tmp_path / "sim.yaml", tmp_path, storage_url=url)

"""Which MLflow run holds which trial, in a file."""

from tuner.files.run_ids import RunIds


def test_a_torn_line_of_run_ids_is_closed_and_skipped(tmp_path):
    file = tmp_path / "runs.jsonl"
    file.write_bytes(b'{"run_id": "p"}\n{"trial": 0, "run_id": "a"}\n{"trial": 1, "run')
    ids = RunIds(file)
    ids.remember("b", 1)
    assert (RunIds(file).parent, RunIds(file).trial(0), RunIds(file).trial(1)) == ("p", "a", "b")

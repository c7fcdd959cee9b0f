"""The journal, cut off and repaired."""

import json

from tests.study.studies import spec, study
from tuner.study import read_trials
from tuner.study.journal_file import repair


def test_a_journal_cut_at_any_byte_of_its_last_line_is_written_on_after_repair(sweep_dir):
    study(sweep_dir).ask()
    whole = sweep_dir.journal_file.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(last, len(whole), 7):
        sweep_dir.journal_file.write_bytes(whole[:cut])
        (sweep_dir.path / "study.journal.lock").symlink_to("dead")
        repair(sweep_dir.journal_file)
        one = study(sweep_dir)
        one.ask()
        assert len(read_trials(sweep_dir, spec())) == 2
        assert all(json.loads(line) for line in sweep_dir.journal_file.read_bytes().splitlines())

"""An export whose processes do not do what they are to do."""

import pytest

from tests.conftest import MODELS
from tests.export.trials import trial
from tuner.domain.job import Job
from tuner.domain.spec import ModelRef, TrainSettings
from tuner.errors import SweepError
from tuner.export import Choice, export, export_trial

# Half a second later than a check that dies at once: it is no longer there when it is told to begin.
SAVES = "import pathlib, sys, time; time.sleep(0.5); (pathlib.Path(sys.argv[1]) / 'done.json').write_text('{}')"


@pytest.mark.parametrize(
    ("saving", "checking", "expected"),
    [
        (SAVES, "print('no memory left'); raise SystemExit(3)", "checks the export ended with exit status 3"),
        (
            SAVES,
            "import os; print('no memory left', flush=True); os.kill(os.getpid(), 9)",
            "checks the export was killed",
        ),
        ("import os; print('no memory left', flush=True); os.kill(os.getpid(), 9)", "input()", "exports was killed"),
    ],
)
def test_an_export_whose_process_dies_says_how_and_what_it_said_last(
    sweep_dir, tmp_path, monkeypatch, saving, checking, expected
):
    died = trial(sweep_dir, {10: 1.0}, [10])
    Job(3, 1, {}, 1, TrainSettings(10, 10), ModelRef(file=str(MODELS / "served.py"))).write(sweep_dir.trial(3).job_file)
    monkeypatch.setattr(export, "SAVING", ("-c", saving))
    monkeypatch.setattr(export, "CHECKING", ("-c", checking))
    (tmp_path / "stage").mkdir()
    with pytest.raises(SweepError, match=expected) as raised:
        export_trial(sweep_dir, None, died, Choice(10, 1.0), tmp_path / "stage")
    assert "no memory left" in raised.value.hint

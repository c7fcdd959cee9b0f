"""Sweeps in a notebook: what is shown while they run, and how a result shows itself."""

import pytest

from tuner.domain.trial import TrialState
from tuner.driver.progress import NullDisplay, Progress, TrialProgress
from tuner.sweep.notebook import NotebookWatcher, default_display, to_html

PROGRESS = Progress(
    (TrialProgress(3, 40, 100, 0.5), TrialProgress(4, 0, 100, None)),
    8,
    {TrialState.COMPLETE: 2, TrialState.PRUNED: 1},
    (1, 0.25),
    75.0,
    None,
)


def test_a_bar_the_running_trials_and_the_last_lines_are_shown():
    shown = to_html(PROGRESS, ["trial 1: COMPLETE <b>"])
    assert "3 of 8 trials (2 complete, 1 pruned), best 0.25 (trial 1), 1m15s" in shown
    assert "width:37.5%" in shown and "width:40.0%" in shown
    assert "40 / 100" in shown
    assert "&lt;b&gt;" in shown


def test_it_is_drawn_in_one_place_and_not_too_often(monkeypatch):
    display = pytest.importorskip("IPython.display")
    drawn, updated, now = [], [], [0.0]

    class Handle:
        def update(self, shown):
            updated.append(shown.data)

    monkeypatch.setattr(display, "display", lambda shown, display_id: drawn.append(shown) or Handle())
    display = NotebookWatcher(clock=lambda: now[0])
    for _ in range(100):
        now[0] += 0.1
        display.update(PROGRESS)
    assert len(drawn) == 1
    assert 15 <= len(updated) <= 20


def test_outside_of_a_notebook_nothing_is_shown():
    assert isinstance(default_display(), NullDisplay)


@pytest.mark.slow
def test_a_sweep_runs_in_a_notebook_and_shows_itself_and_its_result(space_file, root):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    file = space_file(search="{sampler: random, trials: 2}")
    cells = [
        f"import tuner\nresult = tuner.Sweep.from_file({str(file)!r}, {str(root)!r}).run(workers=2)",
        "result",
        "result.plot('history').to_dict()['data'][0]['type']",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    ran, shown, plotted = (cell.outputs for cell in notebook.cells)
    (progress,) = [output for output in ran if output.output_type == "display_data"]
    assert "2 of 2 trials" in progress.data["text/html"]
    assert "trial 1: COMPLETE" in progress.data["text/html"]
    assert shown[0].data["text/html"].count("<tr") == 3
    assert plotted[0].data["text/plain"] == "'scatter'"

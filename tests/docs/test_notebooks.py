"""The notebooks of the documentation run from beginning to end, in an empty folder."""

import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.tf
@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_runs_and_its_plots_survive_being_saved(file, tmp_path, database, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="notebooks are not run: pip install -e '.[test]'")
    nbclient = pytest.importorskip("nbclient", reason="notebooks are not run: pip install -e '.[test]'")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")]))
    (tmp_path / "first").mkdir()
    for folder in (tmp_path, tmp_path / "first"):
        shutil.copy(database, folder / "mlflow.db")
    notebook = nbformat.read(file, as_version=4)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", ()) if "data" in output]
    assert any("text/html" in output["data"] for output in shown)

"""A sweep's folder that is copied, renamed or moved with its project: one rule for all commands."""

import json
import shutil

import pytest
from typer.testing import CliRunner

import tuner
from tests.spaces import SIMULATED
from tuner.cli import app as cli
from tuner.config.manifest import read_manifest, relocated
from tuner.domain.spec import ModelRef
from tuner.driver.progress import NullDisplay
from tuner.errors import InvalidInput
from tuner.files.paths import Root
from tuner.files.run_ids import RunIds
from tuner.operations.delete import plan_deletion
from tuner.sweep import RunOptions


@pytest.fixture
def sweep(root):
    """A simulated sweep whose runs stand in MLflow."""
    import mlflow

    (root / "sim.yaml").write_text(SIMULATED)
    sweep = tuner.Sweep.from_file(root / "sim.yaml", root)
    sweep.session(RunOptions(backend="simulated"), NullDisplay()).run()
    client = mlflow.MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    experiment = client.create_experiment("sim", (root / "mlruns").as_uri())
    ids = RunIds(sweep.dir.runs_file)
    for trial in (None, 0, 1):
        ids.remember(client.create_run(experiment).info.run_id, trial)
    return sweep


def stages(root, sweep_dir):
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    ids = RunIds(sweep_dir.runs_file)
    return {client.get_run(run).info.lifecycle_stage for run in (ids.parent, *ids.trials.values())}


@pytest.fixture(scope="module", autouse=True)
def commands():
    from tuner.cli import best, compare, delete, importance, listing, logs, resume, run, show, verify  # noqa: F401


def said(root, words):
    done = CliRunner().invoke(cli.app, [*words.split(), "--root", str(root)])
    return done.exit_code, done.output + done.stderr


def test_a_copy_is_named_by_every_command_and_its_deletion_leaves_the_runs_of_the_sweep_alone(sweep, root):
    copy = Root(root).sweep("other")
    shutil.copytree(sweep.dir.path, copy.path)
    for command in ("show", "best", "verify", "resume", "importance", "compare", "logs"):
        status, lines = said(root, f"{command} other{':0' if command == 'logs' else ''}")
        assert (status, "is a copy of the sweep 'sim'" in lines) == (2, True), (command, lines)
    status, lines = said(root, f"run {root}/sim.yaml --name other --backend simulated")
    assert (status, "is a copy of the sweep 'sim'" in lines) == (2, True), lines
    status, lines = said(root, "list")
    assert (status, "is a copy of" in " ".join(lines.split())) == (0, True)
    deletion = plan_deletion(copy)
    assert deletion.kept == ("the MLflow runs, which are those of sim as well",)
    deletion.carry_out()
    assert not copy.path.exists()
    assert stages(root, sweep.dir) == {"active"}
    assert said(root, "show sim")[0] == 0


def test_a_sweep_that_is_deleted_names_its_copies(sweep, root):
    copy = Root(root).sweep("other")
    shutil.copytree(sweep.dir.path, copy.path)
    assert f"{copy.path}, a copy whose runs these are, too" in plan_deletion(sweep.dir).kept


def test_a_renamed_folder_is_refused_by_every_command_with_the_command_that_renames_it_back(sweep, root):
    renamed = Root(root).sweep("other")
    sweep.dir.path.rename(renamed.path)
    for command in ("show", "best", "verify", "resume", "delete"):
        status, lines = said(root, f"{command} other")
        assert (status, f"mv {renamed.path} {sweep.dir.path}" in lines.replace("\n", "")) == (2, True), (command, lines)
    renamed.path.rename(sweep.dir.path)
    assert said(root, "show sim")[0] == 0
    assert stages(root, sweep.dir) == {"active"}


def test_a_project_that_was_moved_with_its_root_has_its_model_at_the_new_place(tmp_path, space_file):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    (old / "tiny.py").write_text("")
    spec = tuner.Sweep.from_file(space_file(model=old / "tiny.py"), old / "records").spec
    assert relocated(spec, str(old / "records"), new / "records") == spec  # it is still there
    old.rename(new)
    for before, now in ((old / "records", new / "records"), (old, new)):
        moved = relocated(spec, str(before), now).model
        assert moved.file == str(new / "tiny.py")
        assert str(new) in moved.import_paths or moved.import_paths == spec.model.import_paths
    assert relocated(spec, str(old / "records"), tmp_path / "elsewhere/runs").model == spec.model
    assert relocated(spec, "", new).model == spec.model
    assert isinstance(spec.model, ModelRef)


def test_the_root_is_written_with_the_sweep_and_one_without_it_is_read_as_before(sweep):
    data = json.loads(sweep.dir.spec_file.read_text())
    assert data.pop("root") == str(sweep.dir.root.path)
    sweep.dir.spec_file.write_text(json.dumps(data))
    assert read_manifest(sweep.dir).spec == sweep.spec
    with pytest.raises(InvalidInput):
        read_manifest(Root(sweep.dir.root.path).sweep("nothing"))

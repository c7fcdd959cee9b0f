"""A command line that cannot be is answered with what was found, what was expected, what to type; help in order."""

import os
import re
import subprocess
import sys

import pytest

from tuner.cli.app import GROUPS
from tuner.cli.command_line import run


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("name: mine\nobjective: {metric: rmse}\n")
    folder = tmp_path / "mlruns/sweeps/demo/trials"
    for number in (0, 7, 12):
        (folder / f"{number:04d}").mkdir(parents=True)
    (folder.parent / "sweep.json").write_text("{}")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tune mine.yaml", "there is no command 'tune'\n  did you mean: tuner run"),
        ("shwo demo", "did you mean: tuner show"),
        ("ls", "did you mean: tuner list"),
        ("rm demo", "did you mean: tuner delete"),
        ("kill demo", "did you mean: tuner stop"),
        ("status", "did you mean: tuner list"),
        ("xyz", "commands: init, check, import, "),
        ("mine.yaml", "to run that search space: tuner run mine.yaml"),
        ("version", "type: tuner --version"),
        ("help", "type: tuner --help"),
        ("run", "SPACE.yaml is missing\n  search space files here: mine.yaml"),
        ("show", "NAME[:N] is missing\n  sweeps here: demo"),
        ("export demo", "OUT_DIR is missing"),
        ("run mine.yaml --sampler random", "for one run: --set search.sampler=random"),
        ("run mine.yaml --method freeze_thaw", "for one run: --set search.method=freeze_thaw"),
        ("run mine.yaml --scheduler freeze_thaw", "for one run: --set search.method=freeze_thaw"),
        ("run mine.yaml --scheduler=asha", "for one run: --set search.scheduler=asha"),
        ("run mine.yaml --max_steps 300", "for one run: --set train.max_steps=300"),
        ("run mine.yaml --steps", "for one run: --set train.max_steps=VALUE"),
        ("run mine.yaml --epochs 10", "counted in global steps, not epochs"),
        ("run mine.yaml --direction maximize", "for one run: --set objective.goal=maximize"),
        ("run mine.yaml --n-trials 30", "did you mean --trials?"),
        ("run mine.yaml --n_jobs 3", "did you mean --workers?"),
        ("run mine.yaml --trial_timeout 3m", "did you mean --trial-timeout?"),
        ("run mine.yaml --trails 3", "did you mean --trials?"),
        ("run mine.yaml --gpus 1", "resources: {gpus: 1}"),
        ("run mine.yaml --learning_rate 0.1", "--set KEY=VALUE"),
        ("run mine.yaml --trials many", "--trials: found 'many', expected a whole number of at least 1"),
        ("run mine.yaml --trials 0", "--trials: found '0', expected a whole number of at least 1"),
        ("run mine.yaml --trials", "tuner run: --trials has no value behind it\n  see: tuner run -h"),
        ("show demo 7", "a trial is written NAME:N: tuner show demo:7"),
        ("show demo --where units > 3", "a condition stands in quotes"),
        ("show demo --order-by rmse", "did you mean --sort?"),
        ("show demo --json", "did you mean --format json?"),
        ("show demo --format yaml", "--format: found 'yaml', expected one of table, json, csv"),
        ("show demo --format jsn", "expected one of table, json, csv\n  did you mean 'json'?\n"),
        ("best demo other", "tuner compare NAME NAME"),
        ("ui demo --prot 5001", "did you mean --port?"),
        ("ui demo --port 80000", "--port: found '80000', expected a whole number from 1 to 65535"),
        ("ui demo --host 0.0.0.0", "ssh -L 5000:127.0.0.1:5000"),
        ("run mine.yaml --seed -1", "--seed: found '-1', expected a whole number of at least 0"),
        ("run mine.yaml -n 3", "options are written whole: --trials, --name"),
        ("run mine.yaml -trials 3", "has no option -trials\n  did you mean --trials?"),
        ("run mine.yaml -trials=3", "has no option -trials\n  did you mean --trials?"),
        ("run mine.yaml --hlep", "did you mean --help?"),
        ("run mine.yaml --no-exports", "did you mean --no-export?"),
        ("run mine.yaml --export=false", "--export takes no value\n  did you mean --no-export?"),
        ("run --config mine.yaml", "the file stands alone: tuner run SPACE.yaml"),
        ("run -f mine.yaml", "the file stands alone: tuner run SPACE.yaml"),
        ("delete -y demo", "it asks nothing, so leave that out"),
        ("delete demo other", "it takes one NAME at a time"),
        ("list demo other", "one sweep: tuner show demo\n"),
        ("--root . list", "it stands behind the command: tuner list --root ."),
        ("--debug show demo", "it stands behind the command: tuner show demo --debug"),
        ("--trials 3 run mine.yaml", "it stands behind the command: tuner run mine.yaml --trials 3"),
        ("-V", "options are written whole: --version"),
        ("help run", "type: tuner run -h"),
        ("logs demo:7 -n 20", "tuner logs NAME:N | tail -n 20"),
        ("run mine.yaml --study s", "did you mean --name?"),
        ("run mine.yaml --load-if-exists", "a sweep of that name that is there is continued"),
        (
            "run mine.yaml --study-name s --storage sqlite:///a.db --direction minimize --n-trials=3 -- python a.py --b",
            "has no option --study-name\n  did you mean --name?\n"
            "  nor --direction: that is objective.goal of the search space file; for one run: --set "
            "objective.goal=minimize\n  nor --n-trials: did you mean --trials?\n  see:",
        ),
        ("resume demo --set search.trials=9", "the sweep goes on as it began, so this takes --trials, --workers,"),
        ("resume demo --sampler tpe", "a sweep of other settings: tuner run SPACE.yaml --set KEY=VALUE --name OTHER"),
        ("resume demo --trails 3", "did you mean --trials?"),
        ("RUN mine.yaml", "did you mean: tuner run\n"),
        ("show demo: 7", "a trial is written NAME:N: tuner show demo:7\n"),
        ("best demo --top 3", "several: tuner show NAME --sort METRIC --top N"),
        ("best demo --trial 3", "a trial: tuner show NAME:N"),
        ("retry demo --trial 3", "one trial: tuner retry NAME:N"),
        ("check mine.yaml --trials 3", "it tries one step and records nothing: leave that out"),
        ("list --sort best", "that is of trials: tuner show NAME"),
        ("delete --all", "it takes one NAME at a time"),
        ("importance demo other", "it takes one NAME at a time"),
        ("init a b", "what has a blank in it stands in quotes"),
        ("simulate mine.yaml", "did you mean: tuner run SPACE.yaml --backend simulated"),
        ("studies", "did you mean: tuner list"),
    ],
)
def test_what_cannot_be_is_answered_with_what_to_type(line, expected, here, capsys):
    assert run(line.split()) == 2
    said = capsys.readouterr()
    assert expected in said.err
    assert said.err.startswith("tuner: ")
    assert "  see: tuner" in said.err and said.out == ""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (["run", "mnie.yaml"], "mnie.yaml: no such file (did you mean 'mine.yaml'?)"),
        (["run", "other"], "other: no such file (did you mean 'spaces/other.yaml'?)"),
        (["run", "space/othr.yaml"], "no such file (did you mean 'spaces/other.yaml'?)"),
        (["run", "xyz.yaml"], "no such file (search space files here: mine.yaml)"),
        (["run", "mine.yaml", "--name", ""], "name: '' cannot name a sweep"),
        (["run", "mine.yaml", "--set", "rate=0.1"], "it is a parameter: --set parameters.rate=..."),
        (["run", "mine.yaml", "--backend", "raay"], "unknown backend 'raay' (did you mean 'ray'?)"),
        (["run", "mine.yaml", "mine.yaml"], "found two search space files, mine.yaml and mine.yaml, expected one"),
        (["run", "mine.yaml", "--storage", "sqlite:///no/x.db"], "/no for sqlite:///no/x.db (make it first)"),
        (["show", "demo/7"], "'demo/7' cannot name a sweep: it is a path, expected NAME (did you mean demo:7?)"),
        (["show", "mlruns/sweeps/demo"], "(did you mean demo?)"),
        (["best", "spaces/demo.yaml"], "(did you mean demo?)"),
        (["show", "7"], "no sweep '7' under "),
        (["show", "mine.yaml"], "it is a search space file, whose sweep has not begun: tuner run mine.yaml;"),
        (["show", "demo", "--root", "spaces"], "no sweep 'demo' under {here}/spaces (there is one with --root .)"),
        (["show", "dmeo", "--root", "spaces"], "(there are no sweeps here; there are some with --root .)"),
        (["show", "DEMO"], "(did you mean 'demo'? sweeps here: demo)"),
        (["show", "demo:1:2"], "found 'demo:1:2', expected NAME, or NAME:N with the number of a trial (its trials: "),
        (["compare", "demo,other"], "(with blanks between them: demo other, where several are taken)"),
        (["curves", "demo", "spaces"], "(as spaces/curves.csv)"),
        (["run", "demo"], "found the sweep 'demo', expected a search space file (to go on with it: tuner resume demo)"),
        (["run", "mlruns/sweeps/demo"], "(to go on with it: tuner resume demo)"),
        (["run", "demo", "--root", "spaces"], "(to go on with it: tuner resume demo)"),
        (["list", "--root", "spaecs"], "there is no folder {here}/spaecs (did you mean 'spaces'?)"),
        (["modernize", "modle.py"], "modle.py is not there, expected a folder of a trainer (did you mean 'model.py'?)"),
        (["check", "mine.yaml", "--set", "model=modle.py"], "/modle.py' (did you mean 'model.py'?)"),
        (["run", "mine.yaml", "--set", "simulation={curves: mine.yml}"], "/mine.yml' (did you mean 'mine.yaml'?)"),
        (["modernize", "mine.yaml"], "mine.yaml is no Python file, expected one, or a folder of a trainer"),
        (["run", "mine.yaml", "--timeout", "5min"], "found '5min'; write 5m"),
        (["run", "mine.yaml", "--timeout", "2", "h"], "found 'h' beside SPACE.yaml, expected an option, or -- and the"),
        (["run", "--", "python", "train.py"], "SPACE.yaml is missing in front of -- (as in: tuner run SPACE.yaml -- "),
        (
            ["run", "mine.yaml", "--", "python model.py"],
            "(quotes make one word of it; without them: -- python model.py)",
        ),
        (["run", "mine.yaml", "--storage", "a.db"], "of that file it is sqlite:///a.db"),
        (["run", "mine.yaml", "--storage", "sqlite://a.db"], "expected a file, as in sqlite:///a.db, or no --storage"),
        (["run", "mine.yaml", "--set", "search/trials=3"], "(did you mean search.trials?)"),
        (
            ["run", "mine.yaml", "--set", "parameters.rat.low=0.1"],
            "the file has no parameter 'rat' to set a part of: did ",
        ),
        (["show", "demo:best"], "(the best: tuner best demo, tuner export demo OUT_DIR)"),
        (["logs", "demo:five"], "expected NAME, or NAME:N with the number of a trial (its trials: tuner show demo)"),
        (
            ["export", "out", "demo"],
            "found the sweep 'demo' behind 'out', expected it first (type: tuner export demo out)",
        ),
        (["plot", "out", "demo:7"], "(type: tuner plot demo:7 out)"),
        (["report", "a.html", "demo"], "(type: tuner report demo a.html)"),
        (["curves", "a.csv", "demo"], "(type: tuner curves demo a.csv)"),
        (["watch", "demo:7", "--root", "."], "(type: tuner watch demo --root .;"),
        (["run", "mine.yaml", "--set", "search.trials", "12"], "(did you mean --set search.trials=12?)"),
        (["check", "mine.yaml", "--set", "search.trials", "12"], "(did you mean --set search.trials=12?)"),
        (["run", "mine.yaml", "model.py"], "-- python model.py; a model stands in the file: model: model.py"),
        (["watch", "demo:7"], "found the trial 'demo:7', expected a sweep"),
    ],
)
def test_a_value_that_cannot_be_is_answered_with_what_to_type(line, expected, here, tmp_path, capsys):
    (tmp_path / "spaces").mkdir()
    (tmp_path / "spaces/other.yaml").write_text("name: other\n")
    (tmp_path / "mine.yaml").write_text(
        "name: mine\nobjective: {metric: rmse}\nparameters: {rate: {type: float, low: 0, high: 1}}\n"
        "train: {max_steps: 30, evaluate_every: 10}\nsimulation: {task: surface}\n"
    )
    (tmp_path / "model.py").touch()
    assert run(line) == 2
    said = capsys.readouterr()
    assert expected.replace("{here}", str(tmp_path)) in said.err
    assert said.err.startswith("tuner: ") and said.out == ""


def test_help_has_every_command_in_its_group_and_says_no_types(capsys):
    from tuner.cli.app import app

    assert run(["-h"]) == 0
    shown = capsys.readouterr().out
    places = [shown.index(f"\n  {name} ") for names in GROUPS.values() for name in names]
    assert places == sorted(places)
    registered = [command.name for command in app.registered_commands]
    assert sorted(registered) == sorted(name for names in GROUPS.values() for name in names)
    for name in registered:
        assert run([name, "-h"]) == 0
        shown = capsys.readouterr().out
        assert not re.search("<[a-z]", shown), name
        assert max(map(len, shown.splitlines())) <= 100


def test_a_shell_completes_commands_sweeps_and_trials(here):
    def completed(line):
        words = line.split(" ")
        env = {**os.environ, "_TUNER_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
        code = "from tuner.cli import main; main()"
        return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True).stdout.split()

    assert "importance" in completed("tuner im")
    assert completed("tuner show d") == ["demo"]
    assert completed("tuner show demo:") == ["demo:0", "demo:7", "demo:12"]

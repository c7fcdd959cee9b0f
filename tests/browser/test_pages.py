"""A real browser on a real ``tuner ui`` after a real sweep; what it showed is kept in ``build/screenshots``."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path
from types import SimpleNamespace

import pytest

import tuner
from tuner.cli.export import _description
from tuner.export import choose_checkpoint
from tuner.files.run_ids import RunIds
from tuner.recorders.mlflow.models import Models, model_tags

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.tf]

REPOSITORY = Path(__file__).parents[2]
SCREENSHOTS = REPOSITORY / "build" / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
STEPS, EVERY = 60, 10
TRIALS = int(os.environ.get("TUNER_BROWSER_TRIALS", "6"))  # 40 for pictures to look at


@pytest.fixture(scope="module")
def sweep(tmp_path_factory, database):
    """A finished sweep of the housing example, shortened."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copy(database, folder / "mlflow.db")
    few = ["--trials", TRIALS, "--set", f"train.max_steps={STEPS}", "--set", f"train.evaluate_every={EVERY}"]
    line = [sys.executable, "-m", "tuner", "run", REPOSITORY / "search_spaces" / "housing.yaml", "--root", folder, *few]
    done = subprocess.run([*map(str, line)], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    return tuner.Sweep.open("housing", folder)


@pytest.fixture(scope="module")
def pages(sweep):
    """The addresses that ``tuner ui`` says; it ends by Ctrl-C and leaves no process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    root = str(sweep.dir.root.path)
    line = [sys.executable, "-m", "tuner", "ui", "housing", "--root", root, "--port", str(port)]
    ui = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    said = {}
    for text in ui.stdout:
        name, _, address = text.partition(": ")
        said[name] = address.strip()
        if "Ctrl-C" in text:
            break
    yield said
    ui.send_signal(signal.SIGINT)
    _, errors = ui.communicate(timeout=60)
    assert ui.returncode == 130, errors
    assert subprocess.run(["pgrep", "-f", root], capture_output=True, text=True).stdout == ""


@pytest.fixture(scope="module")
def browser(pages, tmp_path_factory):
    """A page of a browser with a profile of its own; whatever it asks for is on loopback."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="pages are not tested: pip install -e '.[browser]'")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("pages are not tested: apt-get install chromium")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    asked = set()
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=program,
            headless=True,
            args=FLAGS,
            viewport={"width": 1700, "height": 1000},
        )
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: asked.add(urllib.parse.urlsplit(request.url)[:2]))
        yield page
        context.close()
    away = {host for scheme, host in asked if scheme.startswith(("http", "ws")) and not host.startswith("127.0.0.1:")}
    assert away == set()


def keep(page, name):
    """Keep what the page shows, without the pane of MLflow's assistant."""
    close = page.get_by_role("button", name="Close", exact=True)
    if close.count():
        close.first.click()
        page.wait_for_timeout(500)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def address(pages, path):
    """Return the address of another page of the same experiment."""
    base, _, rest = pages["trials"].partition("/#/experiments/")
    experiment = rest.split("/")[0]
    return f"{base}/#/{path.format(experiment=experiment)}", experiment


def test_the_page_of_the_sweep_tells_what_it_is_and_links_its_trials(browser, pages, sweep):
    browser.goto(pages["MLflow"])
    browser.get_by_text("Child runs").first.wait_for()
    children = browser.get_by_role("link", name=re.compile(r"^housing-\d{4}$"))  # of many the page lists the newest
    children.first.wait_for()
    assert children.count() >= min(TRIALS, 5)
    text = browser.inner_text("body")
    best = sweep.result().best
    assert f"trial {best.number}" in text
    assert "best_model" in text  # the exported one
    keep(browser, "sweep")


def test_the_table_shows_all_trials_the_best_first_with_state_objective_step_and_what_varies(browser, pages, sweep):
    browser.goto(pages["trials"])
    browser.get_by_text(f"{TRIALS} matching runs").wait_for()
    ranked = sorted((t for t in sweep.result().trials if t.value is not None), key=lambda t: t.value)
    names = browser.locator("[col-id='attributes.`Run Name`'].ag-cell")
    names.first.wait_for()
    shown = [name.split()[-1] for name in names.all_inner_texts()]  # behind its colour
    assert shown[:2] == [f"housing-{t.number:04d}" for t in ranked[:2]]
    heads = browser.locator(".ag-header-cell")
    shown = [head.strip() for head in heads.all_inner_texts() if head.strip()]
    varying = {"learning_rate", "layers", "units", "optimizer"}
    assert shown[2:5] == ["tuner.state", "objective", "tuner.step"]
    assert varying <= set(shown)
    assert "batch_size" not in shown
    states = browser.locator("[col-id='tags.`tuner.state`'].ag-cell").all_inner_texts()
    assert [state.strip() for state in states][:2] == [t.state.value for t in ranked[:2]]
    keep(browser, "trials")


def test_the_charts_show_curves_coordinates_and_slices_by_importance_of_all_trials(browser, pages, sweep):
    browser.goto("about:blank")
    browser.goto(pages["charts"])
    for title in ("rmse (minimize)", "eval/rmse", "Parallel Coordinates", "importance: "):
        browser.get_by_text(title).first.wait_for()
    browser.get_by_text("importance: ").first.scroll_into_view_if_needed()
    most = next(iter(sweep.result().importance()))
    browser.get_by_text(f"{most} vs. objective").first.wait_for()
    evaluated = [t for t in sweep.result().trials if t.record.curve]
    wanted = {f"housing-{t.number:04d} (eval/rmse)" for t in evaluated}
    browser.wait_for_function(
        "wanted => wanted.every(name => document.body.innerText.includes(name))", arg=sorted(wanted)[:1]
    )
    lines = browser.locator(".js-plotly-plot").evaluate_all("plots => plots.flatMap(p => p.data.map(t => t.x.length))")
    assert len(lines) >= len(evaluated)
    keep(browser, "charts")


def test_a_trial_says_how_it_ended_and_leads_to_its_sweep(browser, pages, sweep):
    trial = sweep.result().trials[0]
    browser.goto("about:blank")
    browser.goto(address(pages, f"experiments/{{experiment}}/runs/{trial.run_id}?workflowType=machine_learning")[0])
    browser.get_by_text("Trial 0 of the sweep").wait_for()
    browser.get_by_text(trial.state.value, exact=True).first.wait_for()
    keep(browser, "child")
    link = browser.get_by_role("link", name="all trials").get_attribute("href")
    assert pages["trials"].endswith(link)


def test_a_trial_has_a_line_chart_of_its_metric_with_a_point_an_evaluation(browser, pages, sweep):
    trial = sweep.result().best
    browser.goto(
        address(pages, f"experiments/{{experiment}}/runs/{trial.run_id}/model-metrics?workflowType=machine_learning")[0]
    )
    legend = browser.get_by_text(f"housing-{trial.number:04d} (eval/rmse)")
    legend.first.wait_for()
    legend.first.scroll_into_view_if_needed()
    lines = browser.locator(".js-plotly-plot").evaluate_all(
        "plots => plots.flatMap(plot => (plot.data || []).map(trace => [trace.x || [], trace.y || []]))"
    )
    curve = trial.record.curve
    assert [list(curve), list(curve.values())] in [[list(map(int, x)), list(map(float, y))] for x, y in lines], lines
    keep(browser, "trial")


def test_four_trials_are_compared_by_parallel_coordinates_of_parameters_and_objective(browser, pages, sweep):
    runs = [trial.run_id for trial in sweep.result().trials if trial.value is not None][:4]
    _, experiment = address(pages, "")
    query = {"runs": json.dumps(runs), "experiments": json.dumps([experiment]), "workflowType": "machine_learning"}
    browser.goto(address(pages, f"compare-runs?{urllib.parse.urlencode(query)}")[0])
    browser.get_by_text("Comparing 4 Runs from 1 Experiment").wait_for()
    browser.locator(".axis-title").get_by_text("eval/rmse").wait_for()  # of its own accord
    axes = browser.locator(".axis-title").all_text_contents()
    assert {"layers", "learning_rate"} <= {axis.strip() for axis in axes}
    keep(browser, "compare")


@pytest.mark.parametrize("plot", ["history", "learning_curves", "parallel_coordinates", "importance", "slices"])
def test_the_plots_of_the_sweep_open(browser, pages, plot):
    parent = urllib.parse.urlsplit(pages["MLflow"]).fragment.split("/runs/")[1].split("?")[0]
    browser.goto("about:blank")
    browser.goto(
        address(pages, f"experiments/{{experiment}}/runs/{parent}/artifacts/plots?workflowType=machine_learning")[0]
    )
    browser.get_by_text(f"{plot}.png", exact=True).first.click()
    browser.get_by_text(f"plots/{plot}.png", exact=True).wait_for()
    browser.wait_for_function("Array.from(document.images).some(image => image.complete && image.naturalWidth > 300)")
    keep(browser, f"plot_{plot}")


def test_a_registered_model_says_which_trial_it_is_in_words_that_read_well_in_lists_too(browser, pages, sweep):
    best, choice = sweep.result().best, choose_checkpoint(sweep.dir, sweep.result().best)
    models, parent = Models.open(sweep.dir, None), RunIds(sweep.dir.runs_file)
    model_id = models.find(parent.experiment, parent.parent, model_tags(sweep.dir, best.number, choice.step))
    description = _description(sweep, best, SimpleNamespace(choice=choice, checked="equal predictions"))
    models.register(model_id, "houses", "champion", description)
    browser.goto("about:blank")
    browser.goto(address(pages, "models/houses")[0])
    browser.get_by_text("Models registered by tuner export.").first.wait_for()
    begin = f"housing:{best.number}, rmse {choice.value:.6g}"  # a list cuts it behind that
    browser.get_by_text(begin).first.wait_for()
    keep(browser, "registered")
    browser.goto("about:blank")
    browser.goto(address(pages, "models/houses/versions/1")[0])
    browser.get_by_text(f"{begin} at step {choice.step}: trial {best.number} of the sweep housing.").first.wait_for()
    assert "**" not in browser.inner_text("body") and "`" not in browser.inner_text("body")
    keep(browser, "version")

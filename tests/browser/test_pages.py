"""A real browser on a real ``tuner ui`` after a real sweep; what it showed is kept in ``build/screenshots``.

Pictures of more trials, to look at: ``TUNER_BROWSER_TRIALS=40 python -m pytest tests/browser/test_pages.py``, and
``TUNER_BROWSER_TRIALS=500 TUNER_BROWSER_BACKEND=simulated`` before the same.
"""

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
from tests.browser.until import TIMEOUT_S, until
from tuner.cli.export import _description
from tuner.export import choose_checkpoint
from tuner.files.run_ids import RunIds
from tuner.recorders.mlflow.models import Models, model_tags

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.tf]

REPOSITORY = Path(__file__).parents[2]
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
# MLflow opens a pane of its assistant by itself once, which moves all the rest.
NO_ASSISTANT = "try { localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true') } catch {}"
TRIALS = int(os.environ.get("TUNER_BROWSER_TRIALS", "6"))
BACKEND = os.environ.get("TUNER_BROWSER_BACKEND", "local")
SIMULATED = BACKEND == "simulated"
SCREENSHOTS = REPOSITORY / "build" / "screenshots" / f"{TRIALS}_trials"
LOADED = 100  # runs that MLflow's table has at first


@pytest.fixture(scope="module")
def sweep(tmp_path_factory, database):
    """A finished sweep of the housing example, shortened."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copy(database, folder / "mlflow.db")
    few = ["--trials", TRIALS, "--set", f"train.max_steps={STEPS}", "--set", f"train.evaluate_every={EVERY}"]
    if SIMULATED:
        few += ["--backend", BACKEND, "--set", "simulation.task=surface"]
    command = ["run", REPOSITORY / "search_spaces" / "housing.yaml", *few]
    while command:
        line = [sys.executable, "-m", "tuner", *command, "--root", folder]
        done = subprocess.run([*map(str, line)], capture_output=True, text=True, timeout=500)
        assert done.returncode == 0, done.stderr
        command = ["resume", "housing"] if "MLflow has not taken everything" in done.stderr else []
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
        page.set_default_timeout(TIMEOUT_S * 1000)
        page.add_init_script(NO_ASSISTANT)
        page.on("request", lambda request: asked.add(urllib.parse.urlsplit(request.url)[:2]))
        yield page
        context.close()
    away = {host for scheme, host in asked if scheme.startswith(("http", "ws")) and not host.startswith("127.0.0.1:")}
    assert away == set()


def show(page, url):
    """Open an address by itself: from another of MLflow's pages, what that one showed would stay for a while."""
    page.goto("about:blank")
    page.goto(url)


def shows(place, *texts):
    """Wait until a place shows all texts."""
    until(place.inner_text, lambda shown: all(text in shown for text in texts))


def keep(page, name):
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def lines(page):
    """Return the x and y of what the charts of a page have drawn by now."""
    return page.locator(".js-plotly-plot").evaluate_all(
        "plots => plots.flatMap(plot => (plot.data || []).map(trace => [[...(trace.x || [])], [...(trace.y || [])]]))"
    )


def address(pages, path):
    """Return the address of another page of the same experiment."""
    base, _, rest = pages["trials"].partition("/#/experiments/")
    experiment = rest.split("/")[0]
    return f"{base}/#/{path.format(experiment=experiment)}", experiment


def test_the_page_of_the_sweep_tells_what_it_is_and_links_its_trials(browser, pages, sweep):
    show(browser, pages["MLflow"])
    browser.get_by_text("Child runs").first.wait_for()
    children = browser.get_by_role("link", name=re.compile(r"^housing-\d{4}$"))  # of many the page lists the newest
    children.nth(min(TRIALS, 5) - 1).wait_for()
    exported = [] if SIMULATED else ["best_model"]
    shows(browser.locator("body"), f"trial {sweep.result().best.number}", *exported)
    keep(browser, "sweep")


def test_the_table_shows_all_trials_the_best_first_with_state_objective_step_and_what_varies(browser, pages, sweep):
    show(browser, pages["trials"])
    browser.get_by_text(f"{min(TRIALS, LOADED)} matching runs").wait_for()
    ranked = sorted((t for t in sweep.result().trials if t.value is not None), key=lambda t: t.value)
    for place, trial in enumerate(ranked[:2]):
        alike = [f"housing-{t.number:04d}" for t in ranked if t.value == trial.value]
        name = browser.locator(
            f".ag-row[row-index='{place}'] [col-id='attributes.`Run Name`']"
        )  # in any order in the page
        until(name.inner_text, lambda shown, alike=alike: shown.split()[-1:] and shown.split()[-1] in alike)
        state = browser.locator(f".ag-row[row-index='{place}'] [col-id='tags.`tuner.state`']")
        shows(state, trial.state.value)
    heads = browser.locator(".ag-header-cell")
    varying = {"learning_rate", "layers", "units", "optimizer"}
    shown = until(
        lambda: [head.strip() for head in heads.all_inner_texts() if head.strip()],
        lambda shown: shown[2:5] == ["tuner.state", "objective", "tuner.step"] and varying <= set(shown),
    )
    assert "batch_size" not in shown
    keep(browser, "trials")


def test_the_charts_show_curves_coordinates_and_slices_by_importance_of_all_trials(browser, pages, sweep):
    show(browser, pages["charts"])
    most = next(iter(sweep.result().importance()))
    shows(browser.locator("body"), "rmse (minimize)", "eval/rmse", "Parallel Coordinates", "importance: ")
    browser.get_by_text("importance: ").first.scroll_into_view_if_needed()
    evaluated = [t for t in sweep.result().trials if t.record.curve]
    first = min(evaluated, key=lambda trial: trial.value)
    shows(browser.locator("body"), f"{most} vs. objective", f"housing-{first.number:04d} (eval/rmse)")
    until(lambda: lines(browser), lambda drawn: len(drawn) >= min(len(evaluated), LOADED))
    keep(browser, "charts")


def test_a_trial_says_how_it_ended_and_leads_to_its_sweep(browser, pages, sweep):
    trial = sweep.result().trials[0]
    show(browser, address(pages, f"experiments/{{experiment}}/runs/{trial.run_id}?workflowType=machine_learning")[0])
    browser.get_by_text("Trial 0 of the sweep").wait_for()
    browser.get_by_text(trial.state.value, exact=True).first.wait_for()
    keep(browser, "child")
    link = browser.get_by_role("link", name="all trials")
    until(lambda: link.get_attribute("href"), lambda href: href is not None and pages["trials"].endswith(href))


def test_a_trial_has_a_line_chart_of_its_metric_with_a_point_an_evaluation(browser, pages, sweep):
    trial = sweep.result().best
    path = f"experiments/{{experiment}}/runs/{trial.run_id}/model-metrics?workflowType=machine_learning"
    show(browser, address(pages, path)[0])
    legend = browser.get_by_text(f"housing-{trial.number:04d} (eval/rmse)")
    legend.first.wait_for()
    legend.first.scroll_into_view_if_needed()
    curve = trial.record.curve
    until(lambda: lines(browser), lambda drawn: [list(curve), list(curve.values())] in drawn)
    keep(browser, "trial")


def test_four_trials_are_compared_by_parallel_coordinates_of_parameters_and_objective(browser, pages, sweep):
    runs = [trial.run_id for trial in sweep.result().trials if trial.value is not None][:4]
    _, experiment = address(pages, "")
    query = {"runs": json.dumps(runs), "experiments": json.dumps([experiment]), "workflowType": "machine_learning"}
    show(browser, address(pages, f"compare-runs?{urllib.parse.urlencode(query)}")[0])
    browser.get_by_text("Comparing 4 Runs from 1 Experiment").wait_for()
    axes = browser.locator(".axis-title")
    until(  # of its own accord
        lambda: {axis.strip() for axis in axes.all_text_contents()},
        lambda shown: {"layers", "learning_rate", "eval/rmse"} <= shown,
    )
    keep(browser, "compare")


@pytest.mark.parametrize("plot", ["history", "learning_curves", "parallel_coordinates", "importance", "slices"])
def test_the_plots_of_the_sweep_open(browser, pages, plot):
    parent = urllib.parse.urlsplit(pages["MLflow"]).fragment.split("/runs/")[1].split("?")[0]
    path = f"experiments/{{experiment}}/runs/{parent}/artifacts/plots?workflowType=machine_learning"
    show(browser, address(pages, path)[0])
    opened = browser.get_by_text(f"plots/{plot}.png", exact=True)

    def clicked():
        """A click is lost if the list is drawn anew meanwhile, as it is once its answer has come."""
        browser.get_by_text(f"{plot}.png", exact=True).first.click()
        browser.wait_for_timeout(2000)
        return opened.count()

    until(clicked, bool)
    browser.wait_for_function("Array.from(document.images).some(image => image.complete && image.naturalWidth > 300)")
    keep(browser, f"plot_{plot}")


@pytest.mark.skipif(SIMULATED, reason="a simulated sweep has no model")
def test_a_registered_model_says_which_trial_it_is_in_words_that_read_well_in_lists_too(browser, pages, sweep):
    best, choice = sweep.result().best, choose_checkpoint(sweep.dir, sweep.result().best)
    models, parent = Models.open(sweep.dir, None), RunIds(sweep.dir.runs_file)
    model_id = models.find(parent.experiment, parent.parent, model_tags(sweep.dir, best.number, choice.step))
    description = _description(sweep, best, SimpleNamespace(choice=choice, checked="equal predictions"))
    models.register(model_id, "houses", "champion", description)
    body = browser.locator("body")
    begin = f"housing:{best.number}, rmse {choice.value:.6g}"  # a list cuts it behind that
    show(browser, address(pages, "models/houses")[0])
    shows(body, "Models registered by tuner export.", begin)
    keep(browser, "registered")
    show(browser, address(pages, "models/houses/versions/1")[0])
    shows(
        body, f"{begin} at step {choice.step}: trial {best.number} of the sweep housing.", "Checked: equal predictions"
    )
    until(body.inner_text, lambda shown: "**" not in shown and "`" not in shown)
    keep(browser, "version")

"""A real browser on a real ``tuner ui`` after a real sweep; what it showed is kept in ``build/screenshots``."""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest

import tuner

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
STEPS, EVERY, TRIALS = 60, 10, 5


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
    sync_api = pytest.importorskip("playwright.sync_api", reason="!!!! NO PLAYWRIGHT HERE: PAGES ARE NOT TESTED !!!!")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        pytest.skip("!!!! NO CHROMIUM HERE: PAGES ARE NOT TESTED !!!!")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    asked = set()
    with sync_api.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=program,
            headless=True,
            args=FLAGS,
            viewport={"width": 1400, "height": 900},
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
    for number in range(TRIALS):
        browser.get_by_role("link", name=f"housing-{number:04d}").first.wait_for()
    text = browser.inner_text("body")
    best = sweep.result().best
    assert f"trial {best.number}" in text
    assert "best_model" in text  # the exported one
    keep(browser, "sweep")


def test_the_sweep_has_its_trials_under_it_in_the_table(browser, pages):
    browser.goto(pages["trials"])
    name = "[col-id='attributes.`Run Name`'].ag-cell"
    browser.locator(name).get_by_text("housing", exact=True).wait_for()
    assert browser.locator(name).count() == 1  # one row, the others are below it
    browser.locator(f"{name} button").first.click()
    browser.get_by_text("housing-0000").first.wait_for()
    shown = browser.locator(name).all_inner_texts()
    assert sorted(re.findall(r"housing-\d+", " ".join(shown))) == [f"housing-{n:04d}" for n in range(TRIALS)]
    keep(browser, "trials")


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
    metrics = browser.get_by_role("combobox").nth(1)
    metrics.click()
    metrics.fill("objective")
    browser.keyboard.press("Enter")
    browser.keyboard.press("Escape")
    browser.locator(".axis-title").get_by_text("objective").wait_for()
    axes = browser.locator(".axis-title").all_text_contents()
    assert {"layers", "learning_rate", "objective"} <= {axis.strip() for axis in axes}
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

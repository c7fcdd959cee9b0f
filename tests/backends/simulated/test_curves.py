"""Where simulated trials have their curves from: tables of recorded ones, and the synthetic task."""

import pandas
import pytest

from tuner.backends.simulated.synthetic import SyntheticCurves
from tuner.backends.simulated.table import TableCurves
from tuner.domain.objective import Goal, Objective
from tuner.domain.spec import Simulation, TrainSettings
from tuner.errors import InvalidInput
from tuner.space import Categorical, Float, Int, Space

SPACE = Space(
    (
        Float("rate", 1e-4, 1.0, log=True),
        Int("units", 16, 256),
        Categorical("optimizer", ("adam", "sgd", "none")),
        Float("momentum", 0.0, 1.0, when={"optimizer": ("sgd",)}),
    )
)
TRAIN = TrainSettings(30, 10)
RMSE = (Objective("rmse"),)
TRIALS = [
    {"rate": 0.01, "units": 64, "optimizer": "adam"},
    {"rate": 0.01, "units": 64, "optimizer": "sgd", "momentum": 0.9},
    {"rate": 0.01, "units": 64, "optimizer": "sgd", "momentum": 0.1},
    {"rate": 1.0, "units": 64, "optimizer": "none"},
]


def table(file, steps=(10, 20, 30), trials=TRIALS):
    rows = [
        {"trial": n, "step": step, "seconds": step / 10, "metrics.rmse": n + 1 / step}
        | {f"params.{name}": value for name, value in params.items()}
        for n, params in enumerate(trials)
        for step in steps
    ]
    frame = pandas.DataFrame(rows)
    frame.to_parquet(file) if file.suffix == ".parquet" else frame.to_csv(file, index=False)
    return file


@pytest.mark.parametrize("name", ["curves.csv", "curves.csv.gz", "curves.parquet"])
def test_a_trial_has_the_curve_of_the_nearest_recorded_one(tmp_path, name):
    curves = TableCurves(table(tmp_path / name), SPACE, RMSE, TRAIN, Simulation())
    assert len(curves) == 4
    assert curves.nearest({"rate": 0.02, "units": 70, "optimizer": "adam"}) == 0
    assert curves.nearest({"rate": 0.02, "units": 70, "optimizer": "sgd", "momentum": 0.8}) == 1
    assert curves.nearest({"rate": 0.001, "units": 16, "optimizer": "sgd", "momentum": 0.2}) == 2
    assert curves.nearest({"rate": 0.001, "units": 16, "optimizer": "none"}) == 3
    course = curves.begin({"rate": 0.02, "units": 70, "optimizer": "adam"}, 0)
    assert course.at(20)["rmse"] == pytest.approx(0.05)
    assert course.seconds(0, 20) == 2.0
    assert course.seconds(20, 30) == 1.0
    with pytest.raises(ValueError, match="do not say how a trial goes on"):
        curves.fork(course, 20, {}, 0)


def test_a_table_that_lacks_what_the_sweep_needs_is_refused_with_all_of_it(tmp_path):
    file = table(tmp_path / "curves.csv")
    space = Space((*SPACE.parameters, Float("dropout", 0.0, 1.0)))
    with pytest.raises(InvalidInput) as caught:
        TableCurves(file, space, (Objective("accuracy"),), TRAIN, Simulation())
    assert "dropout" in str(caught.value)
    assert "they have: rate, units, optimizer, momentum" in str(caught.value)
    assert "'accuracy' is not among the metrics" in str(caught.value)
    with pytest.raises(InvalidInput, match="no evaluation at step 5 "):
        TableCurves(file, SPACE, RMSE, TrainSettings(30, 5), Simulation())
    with pytest.raises(InvalidInput, match="no evaluation at step 40 "):
        TableCurves(file, SPACE, RMSE, TrainSettings(40, 10), Simulation())
    (tmp_path / "none.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="has no column 'trial'"):
        TableCurves(tmp_path / "none.csv", SPACE, RMSE, TRAIN, Simulation())
    (tmp_path / "torn.csv.gz").write_bytes(b"\x1f\x8b nonsense")
    with pytest.raises(InvalidInput, match="cannot be read as a table"):
        TableCurves(tmp_path / "torn.csv.gz", SPACE, RMSE, TRAIN, Simulation())


def surface(goal=Goal.MINIMIZE, **settings):
    return SyntheticCurves(SPACE, (Objective("rmse", goal),), TrainSettings(1000, 10), Simulation(task="x", **settings))


def test_a_synthetic_curve_is_a_function_of_parameters_and_seed():
    params = {"rate": 0.02, "units": 70, "optimizer": "adam"}
    one, other = surface(noise=0.1).begin(params, 3), surface(noise=0.1).begin(params, 3)
    assert [one.at(s) for s in (10, 500)] == [other.at(s) for s in (10, 500)]
    assert one.at(10) != surface(noise=0.1).begin(params, 4).at(10)
    smooth = surface().begin(params, 3)
    falling = [smooth.at(step)["rmse"] for step in range(10, 1001, 10)]
    assert falling == sorted(falling, reverse=True)
    rising = surface(Goal.MAXIMIZE).begin(params, 3)
    assert rising.at(1000)["rmse"] == pytest.approx(1 - falling[-1])


def test_a_synthetic_fork_goes_on_from_its_donors_loss_down_or_up_to_its_own_level():
    curves = surface()
    good = curves.begin({"rate": 0.02, "units": 70, "optimizer": "adam"}, 0)
    bad = {"rate": 1.0, "units": 256, "optimizer": "none"}
    up = curves.fork(good, 800, bad, 1)
    assert up.at(800) == good.at(800)
    assert good.at(800)["rmse"] < up.at(820)["rmse"] < up.at(1000)["rmse"] <= curves.begin(bad, 1).at(1000)["rmse"]
    down = curves.fork(curves.begin(bad, 1), 100, {"rate": 0.02, "units": 70, "optimizer": "adam"}, 2)
    assert down.at(100)["rmse"] > down.at(200)["rmse"] > down.at(1000)["rmse"]
    same = curves.fork(good, 100, {"rate": 0.02, "units": 70, "optimizer": "adam"}, 0)
    assert same.at(500)["rmse"] == pytest.approx(good.at(500)["rmse"])

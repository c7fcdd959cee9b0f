"""Words of other tools lead to the key or name that they mean."""

import pytest

from tuner.config.load import parse_spec
from tuner.errors import InvalidInput

FILE = {
    "objective": "{metric: rmse, goal: minimize}",
    "parameters": "{rate: {type: float, low: 0.1, high: 1.0}, units: {type: int, low: 1, high: 8}}",
    "train": "{max_steps: 300, evaluate_every: 100}",
    "search": "{sampler: random, trials: 3}",
    "simulation": "{task: surface}",
}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"parameters": "{rate: {type: float, min: 0.1, max: 1.0}}"}, "unknown key 'min' (did you mean 'low'?)"),
        ({"parameters": "{rate: {type: float, minValue: 0.1, maxValue: 1}}"}, "'maxValue' (did you mean 'high'?)"),
        ({"parameters": "{rate: {type: uniform, low: 0.1, high: 1}}"}, "'uniform' (did you mean 'float'?)"),
        ({"parameters": "{rate: {type: loguniform, low: 0.1, high: 1}}"}, "(did you mean 'float' with log: true?)"),
        ({"parameters": "{rate: {low: 0.1, high: 1}}"}, "type: is missing (did you mean 'float'?)"),
        ({"parameters": "{rate: {type: choice, choices: [1, 2]}}"}, "'choice' (did you mean 'categorical'?)"),
        ({"parameters": "{rate: {type: categorical, values: [1, 2]}}"}, "'values' (did you mean 'choices'?)"),
        ({"objective": "{metric: rmse, direction: minimize}"}, "'direction' (did you mean 'goal'?)"),
        ({"objective": "{metric: rmse, mode: max}"}, "'mode' (did you mean 'goal'?)"),
        ({"objective": "rmse"}, "expected a mapping like {metric: rmse, goal: minimize}"),
        ({"search": "freeze_thaw"}, "(write search: {method: freeze_thaw})"),
        ({"search": "asha"}, "(write search: {scheduler: asha})"),
        ({"search": "{method: true}"}, "search.method: found True, expected a name, or a mapping with a name"),
        ({"method": "freeze_thaw"}, "unknown key 'method' (it stands in search: search.method)"),
        ({"train": "{epochs: 10, evaluate_every: 100}"}, "'epochs' (did you mean 'max_steps'?)"),
        ({"search": "{sampler: bayes}"}, "unknown sampler 'bayes' (did you mean 'tpe'?)"),
        ({"search": "{sampler: TPE}"}, "unknown sampler 'TPE' (did you mean 'tpe'?)"),
        ({"search": "{sampler: TPESampler}"}, "unknown sampler 'TPESampler' (did you mean 'tpe'?)"),
        ({"search": "{sampler: CmaEsSampler}"}, "(did you mean 'cmaes'?)"),
        ({"search": "{scheduler: ASHAScheduler}"}, "(did you mean 'asha'?)"),
        (
            {"train": "{evaluate_every: 100}"},
            "max_steps: is missing (as in train: {max_steps: 3000, evaluate_every: 300})",
        ),
        ({"search": "{sampler: grid_search}"}, "(did you mean 'grid'?)"),
        ({"search": "{scheduler: early_stopping}"}, "(did you mean 'patience'?)"),
        ({"search": "{scheduler: {name: asha, reduction_factor: 3}}"}, "(did you mean 'eta'?)"),
        ({"search": "{pruner: median}"}, "'pruner' (did you mean 'scheduler'?)"),
        ({"search": "{num_samples: 3}"}, "'num_samples' (did you mean 'trials'?)"),
        ({"search": "{max_parallel_trials: 3}"}, "(did you mean 'workers'?)"),
        ({"trials": "3"}, "unknown key 'trials' (it stands in search: search.trials)"),
        ({"max_steps": "3"}, "unknown key 'max_steps' (it stands in train: train.max_steps)"),
        ({"goal": "minimize"}, "unknown key 'goal' (it stands in objective: objective.goal)"),
        ({"search_space": "{}"}, "unknown key 'search_space' (did you mean 'parameters'?)"),
        ({"serach": "{}"}, "unknown key 'serach' (did you mean 'search'?)"),
    ],
)
def test_a_word_of_another_tool_leads_to_ours(given, expected, tmp_path):
    text = "".join(f"{key}: {value}\n" for key, value in {**FILE, **given}.items())
    with pytest.raises(InvalidInput) as error:
        parse_spec(text, "mine.yaml", tmp_path, "mine")
    assert expected in str(error.value)


def test_set_names_the_section_of_a_key(tmp_path):
    text = "".join(f"{key}: {value}\n" for key, value in FILE.items())
    with pytest.raises(InvalidInput, match=r"--set: unknown key 'trials' \(it stands in search: search.trials\)"):
        parse_spec(text, "mine.yaml", tmp_path, "mine", ["trials=3"])

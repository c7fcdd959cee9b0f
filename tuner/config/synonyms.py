"""What other tools call the keys and names of a search space file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_SAME: Mapping[str, str] = {
    # of parameters
    "low": "min minimum minvalue lower lower_bound from begin start",
    "high": "max maximum maxvalue upper upper_bound to end stop",
    "float": "double real number uniform quniform loguniform log_uniform log normal lognormal",
    "int": "integer randint qrandint long range int_uniform",
    "categorical": "choice choices enum category bool boolean string str option",
    "choices": "values options items categories categoricalvalues choice",
    "discrete": "ordinal discretevalues",
    "when": "if condition conditions depends_on parent only_if active_if",
    "scale": "scaletype scale_type distribution sampling prior",
    "step": "q increment stride",
    # of the objective
    "goal": "direction mode type objective sense",
    "metric": "name tag key objective metric_name objectivemetricname",
    "of": "aggregation reduce rule",
    "minimize": "min minimise lower",
    "maximize": "max maximise higher",
    # of train
    "max_steps": "epochs num_epochs max_epochs steps num_steps total_steps training_steps train_steps iterations",
    "evaluate_every": "eval_every eval_steps evaluation_steps save_checkpoints_steps eval_interval checkpoint_every",
    # of search
    "trials": "num_samples n_trials num_trials max_trials count max_evals maxtrials maxtrialcount budget",
    "workers": "n_jobs jobs parallelism concurrency max_parallel_trials parallel_trials max_concurrent_trials "
    "maxparalleltrials parallel",
    "sampler": "algorithm method suggest search_alg strategy optimizer",
    "scheduler": "pruner early_stopping early_terminate stopping early_stop",
    "seed": "random_seed random_state",
    "timeout": "max_time time_limit max_duration time_budget",
    "retries": "max_retries restarts",
    "repeats": "executions_per_trial replicates seeds num_repeats",
    "enqueue": "initial_points points_to_evaluate starting_points start defaults",
    # samplers
    "tpe": "bayes bayesian bayesopt bayesian_optimization hyperopt smbo",
    "gp": "gaussian gaussian_process botorch ax",
    "random": "random_search randomsearch",
    "grid": "grid_search gridsearch",
    "qmc": "sobol halton quasi_random latin_hypercube",
    "cmaes": "cma cma_es cma-es",
    "nsgaii": "evolution evolutionary genetic nsga nsga2 nsga_ii",
    "nsgaiii": "nsga3 nsga_iii",
    # schedulers and their options
    "asha": "sha successive_halving halving async_hyperband asynchyperband",
    "hyperband": "bohb hb hyper_band",
    "median": "median_stopping medianpruner median_stop medianstop",
    "patience": "early_stopping plateau no_improvement",
    "pbt": "population population_based population_based_training pb2",
    "none": "fifo no off false",
    "eta": "reduction_factor factor",
    "min_steps": "grace_period min_resource min_budget min_t r_min",
    # of the file
    "parameters": "space search_space params hyperparameters parameter config hparams",
    "objective": "metric metrics target",
    "model": "module program model_file trainer",
    "name": "experiment experiment_name study study_name project",
    "resources": "resources_per_trial gpus cpus",
    "record": "mlflow recording",
}

_MEANS: dict[str, list[str]] = {}
for _ours, _theirs in _SAME.items():
    for _word in _theirs.split():
        _MEANS.setdefault(_word.replace("-", "_"), []).append(_ours)


def meant(word: str, words: Sequence[str]) -> str:
    """Return the one of ``words`` that is written otherwise, or called so elsewhere; or nothing."""
    plain = word.lower().replace("-", "_").replace(" ", "_")
    candidates = [plain, *_MEANS.get(plain, ()), *_MEANS.get(plain.replace("_", ""), ())]
    bare = re.sub("(sampler|pruner|scheduler)$", "", plain)  # TPESampler and the like, of Optuna and Ray
    candidates += [bare, *_MEANS.get(bare, ())]
    return next((candidate for candidate in candidates if candidate in words), "")

"""Lists of schedulers beside the registry, in hints and in tests of whole sweeps, leave none out."""

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.spaces import SIMULATED
from tests.truth import cases
from tuner.config.load import parse_spec
from tuner.config.sampler_options import METHODS
from tuner.errors import InvalidInput
from tuner.schedulers import SCHEDULERS, scheduler_class

PLAIN = [name for name in SCHEDULERS if name not in METHODS]


def refused(text, command=()):
    with pytest.raises(InvalidInput) as caught:
        parse_spec(text, "space.yaml", Path("/"), command=command)
    return str(caught.value)


def test_the_hint_for_a_command_without_steps_names_every_scheduler_that_needs_none():
    text = SIMULATED.replace("train: {max_steps: 90, evaluate_every: 90}\n", "").replace(
        "random,", "random, scheduler: asha,"
    )
    fitting = ", ".join(name for name in PLAIN if not scheduler_class(name).uses_rungs)
    assert fitting == "none, median, percentile, patience"
    assert f"or use {fitting})" in refused(text.replace("simulation: {task: surface, record: false}", ""), ["true"])


def test_the_hint_for_repeats_names_every_scheduler_that_goes_with_them():
    fitting = ", ".join(name for name in PLAIN if scheduler_class(name).goes_with_repeats)
    assert fitting == "none, median, percentile, patience, asha_stopping"
    text = SIMULATED.replace("evaluate_every: 90", "evaluate_every: 30")
    text = text.replace("random,", "random, scheduler: asha, repeats: 2,")
    assert f"(with repeats go {fitting})" in refused(text)


def test_sweeps_drawn_at_random_are_of_every_scheduler_but_methods():
    """Of methods, which draw the parameters as well, the interruptions of a sweep are tested elsewhere."""
    drawn = [YAML(typ="safe").load(text) for text in cases.SCHEDULERS]
    assert {entry if isinstance(entry, str) else entry["name"] for entry in drawn} == set(PLAIN)

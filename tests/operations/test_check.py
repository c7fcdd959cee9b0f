"""What ``tuner check`` refuses before it builds anything."""

import pytest

from tuner.backends.local import LocalBackend
from tuner.config import load_spec, sampler_options
from tuner.errors import InvalidInput
from tuner.operations.check import check_spec


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("{scheduler: {name: pbt, population: 1}, trials: 9}", "population: is 1, expected at least 2"),
        ("{sampler: qmc}", "qmc needs scipy, which is not installed"),
        ("{sampler: {name: nsgaii, population_size: 1}}", "population_size"),
    ],
)
def test_what_run_refuses_of_the_settings_check_refuses(space_file, monkeypatch, search, said):
    monkeypatch.setattr(sampler_options.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(LocalBackend, "open", lambda _: pytest.fail("the model was imported"))
    with pytest.raises(InvalidInput, match=said):
        check_spec(load_spec(space_file(search=search)))

"""What a study holds of each kind of parameter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.space.spaces import BATCH, SPACE
from tuner.study.sampling import distributions, encode
from tuner.study.storing import read, store, stored_distribution


@given(st.floats(0.01, 0.999), st.integers(3, 700), st.sampled_from(BATCH.values))
def test_a_study_holds_the_values_and_one_of_an_earlier_version_gives_them_back(keep, units, batch):
    given = {"keep": keep, "units": units, "batch": batch}
    kinds = {p.name: stored_distribution(p) for p in SPACE.parameters}
    assert store(given, SPACE) == given == read(given, kinds, SPACE)
    seen = encode(given, SPACE)  # by samplers, and stored by earlier versions
    for held, distributed in ((given, kinds), (seen, distributions(SPACE))):
        for name, distribution in distributed.items():
            assert distribution._contains(distribution.to_internal_repr(held[name]))
    back = read(seen, distributions(SPACE), SPACE)
    assert (back["units"], back["batch"]) == (units, batch)
    assert back["keep"] == pytest.approx(keep, rel=1e-12) and 0.01 <= back["keep"] <= 0.999

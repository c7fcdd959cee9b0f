"""Whatever a file of another tool says: a sample of the importers' part of ``python -m tests.fuzz``, made smaller if one fails."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.importers import outcome, with_odd_text, with_odd_values


@pytest.mark.parametrize("made_up", [with_odd_values, with_odd_text])
@settings(max_examples=400, deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_a_file_with_something_odd_in_it_is_taken_or_refused_in_our_words(made_up, chance):
    outcome(*made_up(chance), chance)

"""Imported spaces, drawn from ten thousand times: bounds, scales and conditions are those of the file."""

import pytest
from draws import (
    column,
    draws,
    has_shares,
    is_equally_likely,
    is_log_uniform,
    is_reverse_log_uniform,
    is_uniform,
    log_weights,
    spec_of,
)

pytestmark = pytest.mark.slow


def test_the_tests_of_distributions_tell_them_apart():
    rows = draws(spec_of("ai_platform.yaml"), seed=1)
    reverse, log = column(rows, "momentum"), column(rows, "learning_rate")
    assert not is_log_uniform(reverse, 0.01, 0.999) and not is_uniform(reverse, 0.01, 0.999)
    assert not is_reverse_log_uniform(log, 0.0001, 0.1)
    assert not is_equally_likely(column(rows, "hidden"), range(1, 1001))
    assert not has_shares(column(rows, "first-layer-size"), log_weights(50, 500))


def test_an_ai_platform_space_is_drawn_as_its_file_says():
    rows = draws(spec_of("ai_platform.yaml"))
    assert is_equally_likely(column(rows, "first-layer-size"), range(50, 501))
    assert has_shares(column(rows, "hidden"), log_weights(1, 1000))
    assert is_log_uniform(column(rows, "learning_rate"), 0.0001, 0.1)
    assert is_reverse_log_uniform(column(rows, "momentum"), 0.01, 0.999)
    assert is_uniform(column(rows, "dropout"), 0.0, 0.5)
    assert is_equally_likely(column(rows, "batch_size"), [16, 32, 64, 256])
    assert is_equally_likely(column(rows, "optimizer"), ["Adam", "1", "FTRL"])

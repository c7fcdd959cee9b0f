"""Imported spaces, drawn from ten thousand times: bounds, scales and conditions are those of the file."""

import math

import pytest

from tests.importers.draws import (
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


def test_a_vertex_ai_space_is_drawn_as_its_file_says():
    rows = draws(spec_of("vertex_ai.json"))
    assert is_log_uniform(column(rows, "learning_rate"), 1e-5, 0.1)
    assert is_reverse_log_uniform(column(rows, "keep"), 0.1, 0.99)
    assert is_equally_likely(column(rows, "layers"), [1, 2, 3, 4])
    assert is_equally_likely(column(rows, "batch_size"), [16, 32, 128])
    assert is_equally_likely(column(rows, "optimizer"), ["adam", "sgd", "rmsprop"])
    assert has_shares(column(rows, "bottleneck"), log_weights(8, 64))
    assert is_uniform(column(rows, "warmup"), 0.0, 1.0)
    assert is_uniform(column(rows, "momentum"), 0.5, 0.95)
    assert is_equally_likely(column(rows, "nesterov"), ["true", "false"])
    assert is_equally_likely(column(rows, "lookahead"), [0.25, 0.5])
    for row in rows:
        assert ("bottleneck" in row) == (row["layers"] in (3, 4))
        assert ("warmup" in row) == (row["batch_size"] == 128)
        assert ("momentum" in row) == (row["optimizer"] in ("sgd", "rmsprop"))
        assert ("nesterov" in row) == (row["optimizer"] == "sgd")
        assert ("lookahead" in row) == (row.get("nesterov") == "true")


def test_a_katib_space_is_drawn_as_its_file_says():
    rows = draws(spec_of("katib.yaml"))
    assert is_log_uniform(column(rows, "lr"), 0.0001, 0.1)
    assert is_equally_likely([round(value, 9) for value in column(rows, "dropout")], [0.1, 0.2, 0.3, 0.4, 0.5])
    assert is_uniform(column(rows, "decay"), 0.0, 1.0)
    assert is_equally_likely(column(rows, "layers"), range(2, 7))
    assert is_equally_likely(column(rows, "units"), range(16, 129, 16))
    assert has_shares(column(rows, "width"), log_weights(1, 500))
    assert is_equally_likely(column(rows, "batch"), [8, 32, 64])
    assert is_equally_likely(column(rows, "optimizer"), ["sgd", "adam", "ftrl"])


def test_a_wandb_space_is_drawn_as_its_file_says():
    rows = draws(spec_of("wandb.yaml"))
    assert all(row["epochs"] == 5 and row["tags"] == ["a", "b"] for row in rows)
    assert is_equally_likely(column(rows, "units"), [16, 64, 256])
    assert is_equally_likely(column(rows, "bias"), [True, False])
    assert is_equally_likely(column(rows, "layers"), [1, 2, 3, 4])
    assert is_uniform(column(rows, "dropout"), 0.0, 0.5)
    assert is_equally_likely([round(v, 9) for v in column(rows, "tenths")], [0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert is_equally_likely(column(rows, "eights"), range(8, 65, 8))
    assert is_log_uniform(column(rows, "lr"), 0.0001, 0.1)
    assert is_log_uniform(column(rows, "decay"), math.exp(-9.2103), math.exp(-2.3026))
    # log(1/X) between 2.3026 and 9.2103
    assert is_uniform([math.log(1 / value) for value in column(rows, "eps")], 2.3026 - 1e-9, 9.2103 + 1e-9)
    assert is_log_uniform(column(rows, "gain"), 0.5, 8.0)
    assert has_shares(column(rows, "width"), log_weights(1, 300))
    assert is_equally_likely(column(rows, "optimizer.kind"), ["adam", "sgd"])
    assert is_uniform(column(rows, "optimizer.momentum"), 0.5, 0.99)

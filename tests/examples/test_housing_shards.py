"""Shards of the housing rows: what is written is what is read, and a trial reads them in pieces."""

import pytest

pytestmark = [pytest.mark.tf, pytest.mark.slow]


@pytest.fixture(scope="module")
def shards():
    import tuner

    tuner.install_estimator()
    from tuner.examples import housing_shards

    return housing_shards


def test_each_row_is_written_once_and_read_back_with_every_bit(shards, tmp_path):
    import numpy as np
    import tensorflow as tf

    from tuner.examples.housing import HOUSING

    assert shards.write_shards(tmp_path, size=0) == len(HOUSING.train.labels)
    assert len(list(tmp_path.glob("train-*"))) == 4
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        dataset = shards.eval_input_fn({"shards": str(tmp_path)})
        features, labels = tf.compat.v1.data.make_one_shot_iterator(dataset).get_next()
        found = []
        with pytest.raises(tf.errors.OutOfRangeError):
            while True:
                found.append(session.run((features["MedInc"], labels)))
    assert np.array_equal(np.concatenate([income for income, _ in found]), HOUSING.validation.features[:, 0])
    assert np.array_equal(np.concatenate([label for _, label in found]), HOUSING.validation.labels)


def test_rows_are_repeated_to_the_size_that_was_asked_for(shards, tmp_path):
    rows = shards.write_shards(tmp_path, size=20_000_000, shard_bytes=8_000_000)
    files = list(tmp_path.glob("train-*"))
    assert sum(file.stat().st_size for file in files) >= 20_000_000
    assert rows % 14448 == 0
    assert len(files) > 2


def test_a_folder_without_shards_is_named_with_the_command_that_writes_them(shards, tmp_path):
    with pytest.raises(FileNotFoundError, match="housing_shards write"):
        shards.train_input_fn({"shards": str(tmp_path), "shuffle_rows": 10, "batch_size": 2})


def test_a_size_is_read_with_its_unit(shards):
    assert shards.parse_size("5GB") == 5_000_000_000
    assert shards.parse_size("200mb") == 200_000_000
    with pytest.raises(ValueError, match="expected a size like 200MB"):
        shards.parse_size("five")

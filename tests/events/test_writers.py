"""Event files of TensorFlow's own writers, compared with what TensorFlow's own reader says."""

import struct

import pytest

from tuner.events import read_all

pytestmark = pytest.mark.tf


def said_by_tensorflow(tf, folder):
    found = []
    for file in sorted(folder.glob("*tfevents*")):
        for event in tf.compat.v1.train.summary_iterator(str(file)):
            for value in event.summary.value:
                if value.WhichOneof("value") == "simple_value":
                    found.append((event.step, event.wall_time, value.tag, value.simple_value))
                elif value.metadata.plugin_data.plugin_name == "scalars":
                    found.append((event.step, event.wall_time, value.tag, float(tf.make_ndarray(value.tensor))))
    return found


def said_by_us(trial_dir, folder, **options):
    evaluations = [e for e in read_all(trial_dir, **options) if e.folder == folder]
    return [(e.step, e.time, tag, value) for e in evaluations for tag, value in e.scalars.items()]


def test_summaries_of_tensorflow_1(tmp_path):
    import tensorflow as tf

    with tf.Graph().as_default() as graph:
        tf.constant(1.0, name="a_node")
        writer = tf.compat.v1.summary.FileWriter(str(tmp_path / "eval"), graph)
        for step in range(300):
            summary = tf.compat.v1.Summary()
            summary.value.add(tag="rmse", simple_value=step / 7)
            summary.value.add(tag="größe/mae", simple_value=-step)
            writer.add_summary(summary, step)
        writer.close()
    found = said_by_us(tmp_path, "eval")
    assert len(found) == 600
    assert found == said_by_tensorflow(tf, tmp_path / "eval")


def test_summaries_of_tensorflow_2(tmp_path):
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(tmp_path / "eval_two"))
    with writer.as_default():
        for step in range(300):
            tf.summary.scalar("rmse", step / 7, step=step)
            tf.summary.scalar("double", tf.constant(step / 3, tf.float64), step=step)
            tf.summary.scalar("count", tf.constant(step, tf.int64), step=step)
            tf.summary.histogram("weights", [1.0, 2.0, step], step=step)
            tf.summary.text("words", "some", step=step)
    writer.close()
    found = said_by_us(tmp_path, "eval_two")
    assert len(found) == 900
    assert found == said_by_tensorflow(tf, tmp_path / "eval_two")


def test_tensors_of_other_types_that_tensorflow_2_writes(tmp_path):
    import tensorflow as tf

    types = [tf.float16, tf.bfloat16, tf.float32, tf.float64, tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.bool]
    writer = tf.summary.create_file_writer(str(tmp_path / "eval"))
    with writer.as_default():
        for dtype in types:
            tf.summary.write(dtype.name, tf.cast(tf.constant(3.140625), dtype), step=1)
    writer.close()
    found = {tag: value for _, _, tag, value in said_by_us(tmp_path, "eval")}
    expected = {dtype.name: float(tf.cast(tf.constant(3.140625), dtype).numpy()) for dtype in types}
    assert found == expected


def test_a_double_of_tensorflow_2_keeps_its_bits(tmp_path):
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(tmp_path / "eval"))
    with writer.as_default():
        tf.summary.write("exact", tf.constant(0.1, tf.float64), step=1)
    writer.close()
    assert [value for _, _, _, value in said_by_us(tmp_path, "eval")] == [0.1]


@pytest.mark.slow
def test_an_estimator_says_all_metrics_of_an_evaluation_in_one(tmp_path):
    import tuner

    tuner.install_estimator()
    import tensorflow as tf

    def model_fn(features, labels, mode):
        weight = tf.compat.v1.get_variable("weight", [], initializer=tf.compat.v1.zeros_initializer())
        loss = tf.reduce_mean(tf.square(features * weight - labels))
        step = tf.compat.v1.train.get_global_step()
        train = tf.compat.v1.train.GradientDescentOptimizer(0.01).minimize(loss, global_step=step)
        metrics = {"mae": tf.compat.v1.metrics.mean(tf.abs(features * weight - labels))}
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train, eval_metric_ops=metrics)

    def input_fn():
        return tf.data.Dataset.from_tensors((tf.constant([1.0, 2.0]), tf.constant([2.0, 4.1]))).repeat(20)

    config = tf.estimator.RunConfig(save_summary_steps=5, log_step_count_steps=5)
    estimator = tf.estimator.Estimator(model_fn, str(tmp_path), config)
    results = []
    for name in (None, None, "other"):
        estimator.train(input_fn, steps=10)
        results.append(estimator.evaluate(input_fn, steps=1, name=name))
    found = read_all(tmp_path)
    assert [(e.folder, e.step) for e in found] == [("eval", 10), ("eval", 20), ("eval_other", 30)]
    for evaluation, result in zip(found, results, strict=True):
        assert set(evaluation.scalars) == {"loss", "mae"}
        for tag, value in evaluation.scalars.items():
            assert value == struct.unpack("<f", struct.pack("<f", result[tag]))[0]
    training = {tag for e in read_all(tmp_path, training=True) if e.folder == "" for tag in e.scalars}
    assert {"loss", "global_step/sec"} <= training

"""What two graphs compute is compared without the names that only count on; what remembers is found."""

import re

import pytest

pytestmark = pytest.mark.tf


@pytest.fixture(scope="module")
def tf():
    import tensorflow

    return tensorflow


def computation(tf, build):
    """The part of a graph that is run for what ``build`` returns, tensors or operations."""
    from tuner.estimator.session_reuse_graph import Computation

    with tf.Graph().as_default() as graph:
        built = build()
        roots = [getattr(root, "op", root).name for root in (built if isinstance(built, list) else [built])]
        return Computation.of(graph.as_graph_def(), roots)


def batches(tf, rows):
    iterator = tf.compat.v1.data.make_initializable_iterator(rows)
    return [iterator.initializer, iterator.get_next()]


def mapped(tf, factor=2):
    return lambda: batches(tf, tf.data.Dataset.range(9).map(lambda x: x * factor).filter(lambda x: x > 3).batch(2))


def test_functions_that_are_named_anew_compute_the_same(tf):
    one, other = (computation(tf, mapped(tf)) for _ in range(2))
    assert not one.obstacle
    assert set(one.functions) != set(other.functions)
    assert one.digest() == other.digest()


def test_another_function_computes_something_else(tf):
    one, other = (computation(tf, mapped(tf, factor)) for factor in (2, 3))
    assert one.digest() != other.digest()


def test_a_function_in_the_place_of_another_computes_something_else(tf):
    def branches(first, second):
        return lambda: tf.cond(tf.constant(1.0) > 0, lambda: tf.constant(first), lambda: tf.constant(second))

    assert computation(tf, branches(1, 2)).digest() != computation(tf, branches(2, 1)).digest()


def test_another_constant_computes_something_else(tf):
    one, other = (computation(tf, lambda x=x: tf.constant([1.0, x]) * 2) for x in (1.0, 2.0))
    assert one.digest() != other.digest()
    assert one.digest("more") != one.digest("other") != one.digest("other", "")


def test_what_is_not_run_does_not_count(tf):
    def build(seed):
        variable = tf.compat.v1.get_variable(
            "v", [3], initializer=tf.compat.v1.random_normal_initializer(seed=seed), use_resource=True
        )
        return variable.read_value()

    one, other = (computation(tf, lambda seed=seed: build(seed)) for seed in (1, 2))
    assert one.digest() == other.digest()
    assert not one.obstacle
    assert one.variables == {"v"}


def test_anonymous_tables_compute_the_same_and_are_told_apart(tf):
    def build(third):
        keys = tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2])
        tables = [tf.lookup.StaticHashTable(keys, 0) for _ in range(2)]
        tables.append(tables[third])
        initializers = tf.compat.v1.get_collection("table_initializer")
        return [*initializers, tf.stack([table.lookup(tf.constant("a")) for table in tables])]

    digests = [computation(tf, lambda third=third: build(third)).digest() for third in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("rows", "obstacle"),
    [
        (lambda rows, tf: rows.shuffle(9), "ShuffleDataset"),
        (lambda rows, tf: rows.cache(), "CacheDataset"),
        (lambda rows, tf: rows.map(lambda x: tf.random.uniform([])), "RandomUniform"),
        (lambda rows, tf: rows.map(lambda x: tf.numpy_function(abs, [x], tf.int64)), "PyFunc"),
        (lambda rows, tf: rows.map(lambda x: tf.numpy_function(abs, [x], tf.int64, stateful=False)), "PyFunc"),
        (lambda rows, tf: rows.map(lambda x: tf.py_function(abs, [x], tf.int64)), "EagerPyFunc"),
        (lambda rows, tf: rows.map(lambda x: tf.io.read_file("file")), "ReadFile"),
        (lambda rows, tf: rows.map(lambda x: tf.timestamp()), "Timestamp"),
        (lambda rows, tf: rows.snapshot("folder"), "Snapshot|Rewrite"),
        (lambda rows, tf: rows.flat_map(lambda x: tf.data.Dataset.range(x).shuffle(2)), "Shuffle|Seed"),
        (lambda rows, tf: tf.data.Dataset.random(1), "RandomDataset"),
        (lambda rows, tf: tf.data.Dataset.from_generator(lambda: iter([1]), tf.int64), "PyFunc|Generator"),
        (lambda rows, tf: tf.data.Dataset.sample_from_datasets([rows, rows]), "Random"),
    ],
)
def test_input_that_remembers_is_an_obstacle(rows, obstacle, tf):
    found = computation(tf, lambda: batches(tf, rows(tf.data.Dataset.range(9), tf))).obstacle
    assert re.search(obstacle, found)


@pytest.mark.parametrize(
    ("build", "obstacle"),
    [
        (lambda tf: tf.random.normal([2]), "RandomStandardNormal"),
        (lambda tf: tf.random.shuffle([1, 2]), "RandomShuffle"),
        (lambda tf: tf.cond(tf.constant(1) > 0, lambda: tf.random.normal([]), lambda: 0.0), "RandomStandardNormal"),
        (lambda tf: tf.io.read_file(tf.strings.join(["a", "b"])), "ReadFile"),
        (
            lambda tf: tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0).lookup(["a"]),
            "MutableHashTableV2",
        ),
        (lambda tf: tf.compat.v1.FIFOQueue(2, [tf.int64]).dequeue(), "FIFOQueueV2"),
    ],
)
def test_an_operation_that_remembers_is_an_obstacle(build, obstacle, tf):
    assert computation(tf, lambda: build(tf)).obstacle == obstacle


def test_files_that_a_session_reads_once_are_named(tf):
    def build():
        files = tf.data.Dataset.list_files("folder/*", shuffle=False)
        table = tf.lookup.StaticVocabularyTable(
            tf.lookup.TextFileInitializer("words", tf.string, 0, tf.int64, 1), num_oov_buckets=1
        )
        tables = tf.compat.v1.get_collection("table_initializer")
        return [*tables, table.lookup(tf.constant("a")), *batches(tf, files)]

    found = computation(tf, build)
    assert not found.obstacle
    assert set(found.read_once) == {("MatchingFiles", "folder/*"), ("InitializeTableFromTextFileV2", "words")}

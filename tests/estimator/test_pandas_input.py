"""``pandas_input_fn`` takes what pandas holds today, with the values that are in it."""

import pytest

pd = pytest.importorskip("pandas")

from tuner.estimator.pandas_input import of_numpy_types  # noqa: E402


def frame():
    columns = {
        "text": ["a", "b", "c"],
        "old": pd.Series(["a", "b", "c"], dtype=object),
        "string": pd.array(["x", "y", "z"], dtype="string"),
        "category": pd.Categorical(["u", "v", "u"]),
        "counted": pd.Categorical([5, 7, 5]),
        "whole": pd.array([1, 2, 3], dtype="Int64"),
        "missing": pd.array([1, None, 3], dtype="Int64"),
        "truth": pd.array([True, False, True], dtype="boolean"),
        "number": [0.5, 1.5, 2.5],
    }
    return pd.DataFrame(columns)


EXPECTED = {
    "text": [b"a", b"b", b"c"],
    "old": [b"a", b"b", b"c"],
    "string": [b"x", b"y", b"z"],
    "category": [b"u", b"v", b"u"],
    "counted": [5, 7, 5],
    "whole": [1, 2, 3],
    "missing": [1.0, "nan", 3.0],
    "truth": [True, False, True],
    "number": [0.5, 1.5, 2.5],
}


@pytest.mark.tf
def test_values_of_each_type_come_out_as_they_went_in(tf):
    wanted = frame()
    wanted.index = [f"row{number}" for number in range(3)]
    labels = pd.Series(["yes", "no", "yes"], index=wanted.index)
    read = tf.compat.v1.estimator.inputs.pandas_input_fn(wanted, labels, batch_size=3, num_epochs=1, shuffle=False)
    with tf.Graph().as_default():
        batch = read()
        with tf.compat.v1.train.MonitoredSession() as session:
            features, found = session.run(batch)
    values = {name: ["nan" if one != one else one for one in column.tolist()] for name, column in features.items()}
    assert values == EXPECTED
    assert found.tolist() == [b"yes", b"no", b"yes"]
    assert list(wanted.dtypes) == list(frame().dtypes)  # the user's own is left alone


def test_a_row_without_text_is_named():
    with pytest.raises(ValueError, match=r"no value of 'x' in 1 of its 2 rows, first in row 1"):
        of_numpy_types(pd.DataFrame({"x": ["a", None]}))

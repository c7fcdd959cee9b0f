"""Rows for the check of an export."""

import numpy as np

from tuner.export.held_out_rows import by_rows


def test_sparse_and_ragged_values_are_a_list_for_each_row_also_where_a_row_has_none():
    class Sparse:  # as TensorFlow's SparseTensorValue
        indices, values, dense_shape = np.array([[0, 0], [0, 1], [2, 0]]), np.array([1, 2, 3]), (4, 2)

    class Ragged:  # as its RaggedTensorValue
        values, row_splits = np.array([1, 2, 3]), np.array([0, 2, 2, 3, 3])

    for one in (Sparse, Ragged):
        assert [row.tolist() for row in by_rows({"x": one})["x"]] == [[1, 2], [], [3], []]
    assert by_rows({"scalar": np.array(1.0)}) == {}

"""What ``pandas_input_fn`` gives its queue: columns of NumPy's types, as pandas had them when Estimators were written.

pandas 3 keeps text as ``str``, not as objects; categories, nullable types and Arrow's were never taken. A queue of
TensorFlow takes none of them, so each column has the type of the values in it; a value that is missing in a
column of whole numbers makes it one of floats, with NaN, as reading a file did.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tuner.estimator.patch import patched_for_good

if TYPE_CHECKING:
    import pandas as pd

_QUEUE = "tensorflow_estimator.python.estimator.inputs.queues.feeding_functions:_enqueue_data"


def take_dataframes() -> None:
    """Let ``pandas_input_fn`` take every DataFrame of text, numbers and truth values, from now on."""
    patched_for_good(_QUEUE, "pandas_input", _enqueue)


def _enqueue(original: Callable[..., Any], data: Any, *args: Any, **kwargs: Any) -> Any:
    import pandas as pd

    return original(of_numpy_types(data) if isinstance(data, pd.DataFrame) else data, *args, **kwargs)


def of_numpy_types(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a DataFrame with the same values whose columns and index have types of NumPy's.

    Raises:
        ValueError: A column of text or truth values has a row without a value, which no tensor can hold.
    """
    import pandas as pd

    columns = [_of_numpy_type(str(name), column) for name, column in frame.items()]
    taken = pd.concat(columns, axis=1) if columns else frame
    taken.columns = frame.columns
    index = frame.index.to_series()
    taken.index = pd.Index(_of_numpy_type("index", index), dtype=_numpy_type(index))
    return taken


def _of_numpy_type(name: str, column: pd.Series[Any]) -> pd.Series[Any]:
    wanted = _numpy_type(column)
    missing = column.isna().to_numpy().nonzero()[0]
    if wanted.kind == "O" and missing.size:
        raise ValueError(
            f"pandas_input_fn: found no value of {name!r} in {missing.size} of its {len(column)} rows, first in "
            f"row {missing[0]}, expected text or a truth value in each; fill them before, as by x[{name!r}].fillna(...)"
        )
    return column if column.dtype == wanted else column.astype(wanted)


def _numpy_type(column: pd.Series[Any]) -> Any:
    """Return the NumPy type that holds a column's values."""
    import numpy as np
    import pandas as pd

    kind: Any = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        kind = kind.categories.dtype
    kind = kind if isinstance(kind, np.dtype) else getattr(kind, "numpy_dtype", np.dtype(object))
    if kind.kind in "iu" and column.hasnans:
        return np.dtype(float)
    return np.dtype(object) if kind.kind in "US" or (kind.kind == "b" and column.hasnans) else kind

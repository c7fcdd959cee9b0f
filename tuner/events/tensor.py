"""The number in a serialised ``TensorProto``: how TensorFlow 2 writes a scalar summary.

Such a tensor has a type and a shape, and its element either as raw bytes (``tensor_content``) or in the
list of its type (``float_val`` and so on); see tensorflow/core/framework/tensor.proto.
"""

from __future__ import annotations

import struct

from tuner.events.fields import BYTES, FIXED32, FIXED64, VARINT, fields, signed, varint

_CONTENT = 4
# Type (a number of types.proto): how struct writes its element, and the list that may hold it instead.
_TYPES = {
    1: ("f", 5),  # DT_FLOAT
    2: ("d", 6),  # DT_DOUBLE
    3: ("i", 7),  # DT_INT32
    4: ("B", 7),  # DT_UINT8
    5: ("h", 7),  # DT_INT16
    6: ("b", 7),  # DT_INT8
    9: ("q", 10),  # DT_INT64
    10: ("?", 11),  # DT_BOOL
    14: ("H", 13),  # DT_BFLOAT16, the upper half of a float32
    17: ("H", 7),  # DT_UINT16
    19: ("e", 13),  # DT_HALF
    22: ("I", 16),  # DT_UINT32
    23: ("Q", 17),  # DT_UINT64
}
_BFLOAT16 = 14
_SIZES = {"f": FIXED32, "d": FIXED64}


def scalar_of_tensor(data: bytes, begin: int, end: int) -> tuple[float, int, str] | None:
    """Return the number of a tensor of one number, its place in ``data`` and how it is stored there.

    The place is -1 where the number is not stored as a float.

    Returns:
        None where the tensor has another shape or no number, or its parts do not fit each other.

    Raises:
        ValueError: There is no message between the offsets.
    """
    dtype, one, held = 0, True, {}
    for field, kind, at, stop in fields(data, begin, end):
        if field == 1 and kind == VARINT:
            dtype = varint(data, at, stop)[0]
        elif field == 2 and kind == BYTES:
            one = _is_one(data, at, stop)
        else:
            held[field] = (kind, at, stop)
    if not one or dtype not in _TYPES:
        return None
    code, values = _TYPES[dtype]
    if _CONTENT in held and held[_CONTENT][2] > held[_CONTENT][1]:
        return _from_content(data, dtype, code, held[_CONTENT])
    return _from_list(data, dtype, code, held[values]) if values in held else None


def _is_one(data: bytes, begin: int, end: int) -> bool:
    """Whether a shape is that of one element; ``TensorShapeProto`` {2 dim {1 size}, 3 unknown_rank}."""
    for field, kind, at, stop in fields(data, begin, end):
        if field == 2 and kind == BYTES:
            sizes = [varint(data, a, b)[0] for number, k, a, b in fields(data, at, stop) if (number, k) == (1, VARINT)]
            if sizes[-1:] != [1]:
                return False
        elif field == 3 and kind == VARINT and data[at]:
            return False
    return True


def _from_content(data: bytes, dtype: int, code: str, held: tuple[int, int, int]) -> tuple[float, int, str] | None:
    kind, at, stop = held
    if kind != BYTES or stop - at != struct.calcsize("<" + code):
        return None
    return _stored(data, at, code) if code in "efd" else (_number(data[at:stop], dtype, code), -1, "")


def _from_list(data: bytes, dtype: int, code: str, held: tuple[int, int, int]) -> tuple[float, int, str] | None:
    kind, at, stop = held
    if code in _SIZES:
        if kind != _SIZES[code] and (kind != BYTES or stop - at != struct.calcsize("<" + code)):
            return None
        return _stored(data, at, code)
    if kind not in (VARINT, BYTES) or at == stop:
        return None
    number, end = varint(data, at, stop)
    if end != stop:
        return None
    if code in "HeB":
        size = struct.calcsize("<" + code)
        return _number((number & ((1 << 8 * size) - 1)).to_bytes(size, "little"), dtype, code), -1, ""
    return float(bool(number) if code == "?" else number if code in "IQ" else signed(number)), -1, ""


def _stored(data: bytes, at: int, code: str) -> tuple[float, int, str]:
    return struct.unpack_from("<" + code, data, at)[0], at, code


def _number(data: bytes, dtype: int, code: str) -> float:
    if dtype == _BFLOAT16:
        return float(struct.unpack("<f", b"\0\0" + data)[0])
    return float(struct.unpack("<" + code, data)[0])

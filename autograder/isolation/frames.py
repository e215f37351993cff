"""Frames: the plain data that crosses between the grader and a submission, and nothing else.

A frame is a length (4 bytes, big-endian) and a body; the body is one value in a small tagged binary format: None,
booleans, integers, floats, complex numbers, strings, bytes, lists, tuples, dicts, and arrays as dtype + shape + raw
bytes. Decoding builds new objects of exactly these types; it never imports, calls or unpickles anything, and it is
bounded in depth, in number of values, in text and in bytes before anything is allocated: what announces more is refused
at the announcement.

Towards the submission a fifth kind of thing may cross, an *object* (a computational graph, a callable), as a name and
plain data; the decoder of the grader knows none of them, so a submission cannot send one back.
"""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

MAX_DEPTH: Final = 32
MAX_VALUES: Final = 1_250_000
"""Twenty times the most that a right answer of this course has (a schedule for 2000 layers: 60 909). A value costs the
grader some ten millionths of a second, from the frame to the message about it."""
MAX_TEXT: Final = 3_000_000
"""Bytes of all text in one value from a submission: twenty times as many as in the longest right answer."""
MAX_ENTRIES: Final = 10_000
"""Entries of one dict: a bound on what colliding keys can cost."""
MAX_EMPTY: Final = 1 << 20
"""Entries that an array without content would have if its zero lengths were ones."""

DTYPES: Final[tuple[np.dtype[Any], ...]] = tuple(
    np.dtype(name)
    for name in (
        "bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "float16", "float32", "float64", "complex64", "complex128",
    )
)  # fmt: skip
_DTYPE_CODES: Final = {dtype: code for code, dtype in enumerate(DTYPES)}

_U32 = struct.Struct(">I")
_I64 = struct.Struct(">q")
_U64 = struct.Struct(">Q")
_F64 = struct.Struct(">d")
_C128 = struct.Struct(">dd")
_ROW = {  # one number in a list: its tag and its bytes
    b"i": np.dtype([("tag", "S1"), ("value", ">i8")]),
    b"f": np.dtype([("tag", "S1"), ("value", ">f8")]),
}
_INTEGER, _FLOAT, _TEXT, _TUPLE = b"ifst"
_MANY: Final = 16
"""From so many numbers on a list of one kind is written and read as an array: the same bytes, ten times as fast."""


class FrameError(Exception):
    """Bytes that are not a frame, or a value that cannot be sent; the message says what was found."""


@dataclass(frozen=True)
class Object:
    """Something of a named kind that only the submission's side rebuilds: a graph, a callable."""

    kind: str
    data: Any


def encode(value: Any, *, limit: int | None = None) -> bytes:
    """The body for `value`. FrameError when it holds anything but plain data, or is larger than `limit` bytes."""
    out = bytearray()
    _Encoder(out, limit).put(value, 0)
    return bytes(out)


def decode(
    body: bytes | bytearray | memoryview,
    *,
    objects: Mapping[str, Callable[[Any], Any]] | None = None,
    text: int | None = MAX_TEXT,
) -> Any:
    """The value in `body`. FrameError for anything that is not exactly one well-formed value.

    `objects` says how named kinds are rebuilt; without it, as on the grader's side, an object is an error.
    text: bytes of text that are accepted; None for any number, as on the submission's side, which is sent its source.
    """
    decoder = _Decoder(memoryview(body), objects or {}, text)
    value = decoder.take(0)
    if decoder.at != len(decoder.body):
        raise FrameError(f"{len(decoder.body) - decoder.at} bytes after the end of the value")
    return value


def frame(value: Any, *, limit: int | None = None) -> bytes:
    """A whole frame: length and body."""
    body = encode(value, limit=limit)
    return _U32.pack(len(body)) + body


def body_length(header: bytes, limit: int) -> int:
    """The length announced by a frame's first four bytes; FrameError beyond `limit`."""
    (length,) = _U32.unpack(header)
    if length > limit:
        raise FrameError(f"a message of {length} bytes; at most {limit} are accepted")
    return int(length)


class _Encoder:
    def __init__(self, out: bytearray, limit: int | None) -> None:
        self.out = out
        self.limit = limit
        self.values = 0

    def put(self, value: Any, depth: int) -> None:
        self.values += 1
        if depth > MAX_DEPTH:
            raise FrameError(f"something nested deeper than {MAX_DEPTH} levels")
        if self.values > MAX_VALUES:
            raise FrameError(f"more than {MAX_VALUES} values")
        kind = type(value)  # pyright: ignore[reportUnknownVariableType]
        out = self.out
        if value is None:
            out += b"N"
        elif kind is bool:
            out += b"T" if value else b"F"
        elif kind is int:
            # larger ones could be chosen to collide in every dict and set they are put in
            if not -(2**63) <= value < 2**63:
                raise FrameError(f"an integer of {value.bit_length()} bits; at most 64 can be sent")
            out += b"i"
            out += _I64.pack(value)
        elif kind is float:
            out += b"f"
            out += _F64.pack(value)
        elif kind is complex:
            out += b"c"
            out += _C128.pack(value.real, value.imag)
        elif kind is str:
            self._put_bytes(b"s", value.encode("utf-8", "replace"))
        elif kind is bytes:
            self._put_bytes(b"b", value)
        elif kind is list or kind is tuple:
            out += b"l" if kind is list else b"t"
            out += _U32.pack(len(value))
            if not self._put_numbers(value, depth):
                for item in value:
                    self.put(item, depth + 1)
        elif kind is dict:
            if len(value) > MAX_ENTRIES:
                raise FrameError(f"a dict of {len(value)} entries; at most {MAX_ENTRIES} can be sent")
            out += b"d"
            out += _U32.pack(len(value))
            for key, item in value.items():
                if type(key) not in (str, int):
                    raise FrameError(f"a dict key of type {type(key).__name__}; only str and int can be sent")
                self.put(key, depth + 1)
                self.put(item, depth + 1)
        elif kind is np.ndarray:
            self._put_array(value)
        elif kind is Object:
            self._put_bytes(b"o", value.kind.encode())
            self.put(value.data, depth + 1)
        else:
            raise FrameError(f"an object of type {kind.__name__}, which is not plain data")
        self._bounded(len(out))

    def _put_numbers(self, value: Sequence[Any], depth: int) -> bool:
        """Writes the items of a list of many floats, or of many integers, at once; False where it is no such list."""
        if len(value) < _MANY or depth >= MAX_DEPTH or self.values + len(value) > MAX_VALUES:
            return False
        kinds = set(map(type, value))
        tag = b"f" if kinds == {float} else b"i" if kinds == {int} else b""
        if not tag:
            return False
        rows = np.empty(len(value), _ROW[tag])
        rows["tag"] = tag
        try:
            rows["value"] = value
        except OverflowError:  # the item at fault is to be named
            return False
        self._bounded(len(self.out) + rows.nbytes)
        self.values += len(value)
        self.out += rows.tobytes()
        return True

    def _bounded(self, size: int) -> None:
        if self.limit is not None and size > self.limit:
            raise FrameError(f"more than the {self.limit / 1024**2:.3g} MB that one answer may have")

    def _put_bytes(self, tag: bytes, content: bytes) -> None:
        self._bounded(len(content))
        self.out += tag
        self.out += _U32.pack(len(content))
        self.out += content

    def _put_array(self, value: "np.ndarray[Any, Any]") -> None:
        dtype = value.dtype.newbyteorder("=")
        code = _DTYPE_CODES.get(dtype)
        if code is None:
            raise FrameError(f"an array of dtype {value.dtype}; only boolean and numeric arrays can be sent")
        self._bounded(value.nbytes)
        self.out += b"a"
        self.out += bytes((code, value.ndim))
        for size in value.shape:
            self.out += _U64.pack(size)
        self.out += np.ascontiguousarray(value.astype(dtype, copy=False)).tobytes()


class _Decoder:
    def __init__(self, body: memoryview, objects: Mapping[str, Callable[[Any], Any]], text: int | None) -> None:
        self.body = body
        self.objects = objects
        self.text = text
        self.at = 0
        self.values = 0

    def _bytes(self, count: int) -> memoryview:
        end = self.at + count
        if end > len(self.body):
            raise FrameError(f"cut short: {count} bytes announced, {len(self.body) - self.at} left")
        piece = self.body[self.at : end]
        self.at = end
        return piece

    def _u32(self) -> int:
        return int(_U32.unpack(self._bytes(4))[0])

    def _count(self, smallest: int) -> int:
        count = self._u32()
        if count * smallest > len(self.body) - self.at:
            raise FrameError(f"cut short: {count} values announced in {len(self.body) - self.at} bytes")
        if self.values + count * smallest > MAX_VALUES:  # each takes a byte at least
            raise FrameError(f"more than {MAX_VALUES} values")
        return count

    def take(self, depth: int) -> Any:
        self.values += 1
        if depth > MAX_DEPTH:
            raise FrameError(f"nested deeper than {MAX_DEPTH} levels")
        if self.values > MAX_VALUES:
            raise FrameError(f"more than {MAX_VALUES} values")
        tag = self._bytes(1)[0]
        # the most frequent first: a schedule for 2000 layers is 60 000 of them
        if tag == _INTEGER:
            return _I64.unpack(self._bytes(8))[0]
        if tag == _TEXT:
            return self._text()
        if tag == _TUPLE:
            return tuple(self._items(depth))
        if tag == _FLOAT:
            return _F64.unpack(self._bytes(8))[0]
        match chr(tag):
            case "N":
                return None
            case "T" | "F" as truth:
                return truth == "T"
            case "c":
                return complex(*_C128.unpack(self._bytes(16)))
            case "b":
                return bytes(self._bytes(self._u32()))
            case "l":
                return self._items(depth)
            case "d":
                return self._dict(depth)
            case "a":
                return self._array()
            case "o":
                return self._object(depth)
            case _:
                raise FrameError(f"unknown tag {bytes((tag,))!r}")

    def _items(self, depth: int) -> list[Any]:
        count = self._count(1)
        if count >= _MANY and depth < MAX_DEPTH:
            tag = bytes(self.body[self.at : self.at + 1])
            row = _ROW.get(tag)
            if row is not None and self.at + count * row.itemsize <= len(self.body):
                rows = np.frombuffer(self.body, row, count, self.at)
                if (rows["tag"] == tag).all():
                    self.values += count
                    if self.values > MAX_VALUES:
                        raise FrameError(f"more than {MAX_VALUES} values")
                    self.at += rows.nbytes
                    return rows["value"].tolist()
        return [self.take(depth + 1) for _ in range(count)]

    def _text(self) -> str:
        length = self._u32()
        if self.text is not None:
            self.text -= length
            if self.text < 0:
                raise FrameError(f"more than {MAX_TEXT} bytes of text")
        try:
            return str(self._bytes(length), "utf-8")
        except UnicodeDecodeError:
            raise FrameError("text that is not UTF-8") from None

    def _dict(self, depth: int) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        count = self._count(2)
        if count > MAX_ENTRIES:
            raise FrameError(f"a dict of {count} entries; at most {MAX_ENTRIES} are accepted")
        for _ in range(count):
            key = self.take(depth + 1)
            if type(key) not in (str, int):
                raise FrameError(f"a dict key of type {type(key).__name__}")
            if key in result:
                raise FrameError("a dict key that comes twice")
            result[key] = self.take(depth + 1)
        return result

    def _array(self) -> "np.ndarray[Any, Any]":
        code, ndim = self._bytes(2)
        if code >= len(DTYPES):
            raise FrameError(f"unknown dtype code {code}")
        if ndim > MAX_DEPTH:
            raise FrameError(f"an array of {ndim} dimensions")
        shape = tuple(int(_U64.unpack(self._bytes(8))[0]) for _ in range(ndim))
        dtype = DTYPES[code]
        # math.prod on Python integers cannot overflow; a zero must not hide lengths whose sums or transposes are huge
        if 0 in shape and math.prod(size or 1 for size in shape) > MAX_EMPTY:
            raise FrameError(f"an array of shape {shape}")
        content = self._bytes(math.prod(shape) * dtype.itemsize)
        if dtype == np.bool_ and content.nbytes and np.frombuffer(content, np.uint8).max(initial=0) > 1:
            raise FrameError("a boolean array with bytes other than 0 and 1")
        return np.frombuffer(content, dtype).reshape(shape).copy()

    def _object(self, depth: int) -> Any:
        kind = self._text()
        rebuild = self.objects.get(kind)
        if rebuild is None:
            raise FrameError("an object where only plain data is accepted")
        return rebuild(self.take(depth + 1))

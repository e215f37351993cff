"""Plain data: what an answer is turned into before a check looks at it, and when two of them are the same.

Numbers, strings, NumPy arrays, None, and lists, tuples and dicts of these. The grader and the isolated process use the
same rules, so that an answer means the same in a student's notebook and in both.
"""

# An answer is whatever a student returns: its parts have no type until the code has looked at them.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["kind_of", "plain", "same", "scalar"]


_PLAIN = frozenset((bool, int, float, complex, str, type(None)))


def plain(value: Any) -> Any:
    """`value` as plain data: JAX arrays become NumPy arrays, NumPy scalars Python numbers; sequences stay.

    Raises TypeError for anything else (a generator, a function, an object).
    """
    if value is None or isinstance(value, bool | int | float | complex | str):
        return value if type(value) in _PLAIN else _base_value(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return np.array(value)
    if isinstance(value, tuple):
        items = cast("tuple[Any, ...]", value)
        # a schedule of 60 000 actions is as many pairs of a string and an integer
        return tuple(items) if _PLAIN.issuperset(map(type, items)) else tuple(map(plain, items))
    if isinstance(value, Sequence):  # a range or a deque is as good as a list; a generator could be read once only
        return list(map(plain, cast("Sequence[Any]", value)))
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in cast("dict[Any, Any]", value).items()}
    if hasattr(value, "__array__"):
        return np.array(np.asarray(value))
    once = "; turn it into a list with list(…)" if isinstance(value, Iterator) else ""
    raise TypeError(f"a {type(value).__name__}, which is neither numbers nor an array nor a sequence of them{once}")


def _base_value(value: Any) -> Any:
    """A plain number or string for an instance of a subclass (an enumeration, say)."""
    if isinstance(value, str):
        return str.__str__(value)  # its characters: str(value) would be the member's name
    kinds: tuple[Any, ...] = (bool, int, float, complex)
    kind = next(kind for kind in kinds if isinstance(value, kind))
    return kind(value)


def same(one: Any, other: Any, exactly: bool = False) -> bool:
    """Equality of nested data, NaN equal to NaN; unless `exactly`, up to the rounding of another run."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        first, second = cast("Sequence[Any]", one), cast("Sequence[Any]", other)
        return len(first) == len(second) and all(same(a, b, exactly) for a, b in zip(first, second, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = cast("dict[Any, Any]", one), cast("dict[Any, Any]", other)
        return left.keys() == right.keys() and all(same(left[key], right[key], exactly) for key in left)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        a, b = cast("NDArray[Any]", one), cast("NDArray[Any]", other)
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        if a.dtype.kind not in "fc":
            return bool(np.array_equal(a, b))
        if np.array_equal(a, b, equal_nan=True):
            return True
        return not exactly and _nearly(a, b)
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (one != one and other != other) or (not exactly and _nearly(one, other))
    if exactly and callable(one):
        return True
    if hasattr(one, "__array__") and hasattr(other, "__array__"):
        return same(np.asarray(one), np.asarray(other), exactly)
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return False  # an array and something else: == would compare entry by entry
    return bool(one == other)


@np.errstate(over="ignore")
def _nearly(one: ArrayLike, other: ArrayLike) -> bool:
    a, b = np.atleast_1d(one), np.atleast_1d(other)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return False
    a, b = np.where(np.isfinite(a), a, 0), np.where(np.isfinite(b), b, 0)
    return bool(np.max(np.abs(a - b), initial=0.0) <= 1e-6 * np.max(np.abs(a), initial=0.0))


def scalar(value: Any) -> Any:
    """The number in an array of shape (); everything else as it is."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def kind_of(value: Any) -> str:
    """What a value is, in words: "a number", "an array", "a list", …"""
    value = scalar(value)
    if value is None:
        return "None (is a return missing?)"
    if isinstance(value, bool):
        return "a truth value (True or False)"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, np.ndarray):
        return "an array"
    if isinstance(value, list | tuple):
        return f"a {type(cast(object, value)).__name__}"
    return f"a {type(value).__name__}"

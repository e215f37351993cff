"""A short key for an answer, so that two answers can be compared without keeping either.

The key has two parts: a digest of everything exact (structure, shapes, strings, integers, where the NaN and
infinities are) and four projections of the floating-point numbers on fixed weights. Two keys match when the
digests are equal and the projections agree to 1e-6 of the numbers' norm: two ways of computing the same thing
match, two different answers do not. A list and a tuple are the same, and so is an array
of the same numbers; so are a Python and a NumPy number.

The answer of a mistake may be nearer to the right answer than that, and then everything that is slightly wrong would
match it: its key is made with a `tolerance` of its own, which the key keeps.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 1e-6
_PROJECTIONS = 4


def fingerprint(value: Any, tolerance: float = TOLERANCE) -> str:
    """The key of a plain value (numbers, strings, arrays, None, lists, tuples and dicts of these).

    tolerance: relative; what is further away does not match. It is rounded down to a power of ten, at least 1e-11.
    """
    parts = parts_of(value)
    digest = parts.digest[:16]
    if parts.biggest == 0.0:
        return f"{digest} 0"
    digits = digits_of(tolerance)
    close = f"~{-digits}" if digits > digits_of(TOLERANCE) else ""
    numbers = (parts.biggest, parts.norm, *parts.projections)
    return " ".join([digest + close, *(f"{number:.12e}" for number in numbers)])


@dataclass(frozen=True)
class Parts:
    """What a key is made of."""

    digest: str
    """SHA-256 of everything exact."""
    biggest: float
    """The largest absolute value of the floating-point numbers, 0.0 without any; NaN and infinities are left out."""
    norm: float
    """Their Euclidean norm, relative to the biggest."""
    projections: tuple[float, ...]
    """Four of them, relative to the biggest."""


def parts_of(value: Any) -> Parts:
    """What the key of a plain value is made of."""
    exact: list[str] = []
    numbers: list[NDArray[np.float64]] = []
    _walk(value, exact, numbers)
    flat = np.concatenate([part.ravel() for part in numbers]) if numbers else np.zeros(0)
    digest = hashlib.sha256("|".join(exact).encode("utf-8", "replace")).hexdigest()
    biggest = float(np.max(np.abs(flat))) if flat.size else 0.0
    if biggest == 0.0:
        return Parts(digest, 0.0, 0.0, ())
    scaled = flat / biggest
    index = np.arange(1, flat.size + 1, dtype=np.float64)
    projections = [float(scaled @ np.sin((k + 1) * np.sqrt(2.0 + k) * index)) for k in range(_PROJECTIONS)]
    return Parts(digest, biggest, float(np.linalg.norm(scaled)), tuple(projections))


def digits_of(tolerance: float) -> int:
    """The digits that have to agree for a relative tolerance: it is rounded down to a power of ten, from 6 to 11."""
    least = -round(math.log10(TOLERANCE))
    return min(max(-math.floor(math.log10(tolerance)), least), 11) if tolerance > 0 else least


def matches(one: str, other: str) -> bool:
    """Whether two keys are of the same answer, up to rounding."""
    first, second = one.split(), other.split()
    (digest, _, close), (other_digest, _, other_close) = first[0].partition("~"), second[0].partition("~")
    if digest != other_digest or len(first) != len(second):
        return False
    try:
        relative = min([TOLERANCE, *(10.0 ** int(power) for power in (close, other_close) if power)])
        a, b = [float(part) for part in first[1:]], [float(part) for part in second[1:]]
    except ValueError:
        return False
    if len(a) == 1:
        return True
    if abs(a[0] - b[0]) > relative * max(abs(a[0]), abs(b[0])):
        return False
    tolerance = relative * max(a[1], b[1])
    return all(abs(p - q) <= tolerance for p, q in zip(a[1:], b[1:], strict=True))


def _walk(value: Any, exact: list[str], numbers: list[NDArray[np.float64]]) -> None:
    if isinstance(value, list | tuple):
        items = cast("list[Any] | tuple[Any, ...]", value)
        array = _as_floats(items)
        if array is not None:
            _walk(array, exact, numbers)
            return
        exact.append(f"({len(items)}")
        for item in items:
            _walk(item, exact, numbers)
    elif isinstance(value, dict):
        mapping = cast("dict[Any, Any]", value)
        exact.append(f"{{{len(mapping)}")
        for key in sorted(mapping, key=repr):
            _walk(key, exact, numbers)
            _walk(mapping[key], exact, numbers)
    elif isinstance(value, np.generic):
        _walk(value.item(), exact, numbers)
    elif isinstance(value, bool):
        exact.append(f"b{value}")
    elif isinstance(value, int):
        exact.append(f"i{value}")
    elif isinstance(value, float):
        _real(np.asarray(value, dtype=np.float64), exact, numbers)
    elif isinstance(value, np.ndarray):
        array = cast("NDArray[Any]", value)
        if array.dtype.kind in "iub":
            _walk(array.tolist(), exact, numbers)
            return
        exact.append(f"a{array.shape}{array.dtype.kind}")
        if array.dtype.kind == "f":
            _real(array.astype(np.float64), exact, numbers)
        elif array.dtype.kind == "c":
            _real(np.real(array).astype(np.float64), exact, numbers)
            _real(np.imag(array).astype(np.float64), exact, numbers)
        else:
            exact.append(repr(array.tolist()))
    elif isinstance(value, str):
        exact.append(f"s{len(value)}:{value}")
    elif value is None:
        exact.append("n")
    elif isinstance(value, complex):
        exact.append("c")
        _real(np.asarray([value.real, value.imag]), exact, numbers)
    else:
        exact.append(f"o{type(value).__name__}")


def _as_floats(items: list[Any] | tuple[Any, ...]) -> NDArray[np.float64] | None:
    """Nested sequences of floating-point numbers as the array they are; None for anything else."""
    if _holds_text(items):  # as an array, each text would take as much memory as the longest
        return None
    try:
        array = np.asarray(items)
    except (ValueError, TypeError):  # parts of several shapes
        return None
    return array.astype(np.float64) if array.dtype.kind == "f" else None


def _holds_text(items: list[Any] | tuple[Any, ...]) -> bool:
    return any(
        isinstance(item, str) or (isinstance(item, list | tuple) and _holds_text(cast("list[Any]", item)))
        for item in items
    )


def _real(array: NDArray[np.float64], exact: list[str], numbers: list[NDArray[np.float64]]) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        marks = ["-" if ok else "N" if math.isnan(x) else str(x) for ok, x in zip(finite.flat, array.flat, strict=True)]
        exact.append("".join(marks))
    exact.append(f"f{array.shape}")
    numbers.append(np.where(finite, array, 0.0))

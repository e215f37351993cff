"""Is a value right? Kind, shape and finiteness first, then the numbers. Nothing broadcasts, and NaN equals nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast

import numpy as np
from numpy.typing import ArrayLike

from adkit.checks.case import in_public_case, next_check
from adkit.checks.evidence import Evidence, entries
from adkit.checks.failures import failed
from adkit.checks.plain import kind_of, plain, scalar
from adkit.checks.relations import relation
from adkit.kinds import Kind

if TYPE_CHECKING:
    from jaxtyping import Float

__all__ = ["NEAR", "array", "close", "equal", "in_single_precision"]

_EXACT = 2.0**53
"""Whole numbers below it are exact as 64-bit floats, and fit into 64-bit integers."""
NEAR = 1e-3
"""Relative error below which an answer is treated as the right formula with lost precision, not as another formula."""


@dataclass(frozen=True)
class _Name:
    """What a value is called, in a public case and in a hidden one."""

    public: str
    hidden: str

    def failed(self, public: str, hidden: str | None = None, **more: Any) -> NoReturn:
        """Fails with the name, and what is wrong with it."""
        failed(f"{self.public} {public}", hidden=f"{self.hidden} {public if hidden is None else hidden}", **more)


def array(
    value: Any, *, shape: Sequence[int] | None = None, what: str, kind: Literal["f", "i"] = "f"
) -> Float[np.ndarray, "..."]:
    """`value` as an array of 64-bit floats, after checking that it is real, of that shape, and finite.

    kind: "f" for numbers, "i" for whole numbers. Lists of numbers and single numbers are arrays too.
    """
    next_check()
    return _array(value, shape, _Name(what, what), kind)


def _array(value: Any, shape: Sequence[int] | None, name: _Name, kind: str = "f") -> Float[np.ndarray, "..."]:
    try:
        numbers = plain(value)
    except TypeError as problem:
        name.failed(f"is {problem}", "should be an array of numbers", answer=value, kind="wrong shape")
    strange = _first_strange(numbers, name.public)
    if strange is not None:
        entry, wrong = strange
        failed(f"{entry} {wrong}", hidden=f"an entry of {name.hidden} {wrong}", answer=value, kind="wrong shape")
    try:
        given = np.asarray(numbers)
    except ValueError:
        name.failed(
            "should be an array of numbers, but its rows are of different lengths", answer=value, kind="wrong shape"
        )
    if given.dtype.kind not in "fiuc":
        name.failed(f"should be an array of numbers, but it is {kind_of(value)}", answer=value, kind="wrong shape")
    if given.dtype.kind == "c":
        name.failed("is complex, and should be real", answer=value, kind="wrong shape")
    if shape is not None and given.shape != tuple(shape):
        hint = _wrong_shape(given.shape, tuple(shape))
        name.failed(
            f"{hint}: its shape is {given.shape}, and should be {tuple(shape)}", hint, answer=value, kind="wrong shape"
        )
    result = given.astype(np.float64)
    if not np.isfinite(result).all():
        bad = "NaN" if np.isnan(result).any() else "infinite"
        index = _index(int(np.argmin(np.isfinite(result))), result.shape)
        public, hidden = (f"{each}{index}" for each in (name.public, name.hidden))
        name.failed(
            f"has entries that are {bad}" + (f" ({public})" if index else ""),
            f"has entries that are {bad}" + (f" ({hidden})" if index else ""),
            answer=value,
            kind="not finite",
        )
    if kind == "i" and not np.array_equal(result, np.round(result)):
        name.failed("should be whole numbers", answer=value, kind="wrong shape")
    if kind == "i" and np.max(np.abs(result), initial=0.0) >= _EXACT:
        name.failed("has entries beyond 2^53", answer=value, kind="wrong shape")
    return result


def _first_strange(value: Any, what: str) -> tuple[str, str] | None:
    """The first entry of a list, or of a list in it, that is neither a number nor an array, and what is wrong."""
    if not isinstance(value, list | tuple):
        return None
    for index, item in enumerate(cast("Sequence[Any]", value)):
        if item is None or isinstance(item, str | dict):
            return f"{what}[{index}]", f"should be a number, but it is {kind_of(item)}"
        found = _first_strange(item, f"{what}[{index}]")
        if found is not None:
            return found
    return None


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def close(
    actual: Any,
    expected: ArrayLike,
    *,
    rtol: float,
    atol: float = 0.0,
    what: str,
    scale: Literal["entry", "norm"] = "norm",
    says: Mapping[str, ArrayLike] | None = None,
    hidden: str | None = None,
    shows: Callable[[Any, Any], Evidence | None] | None = None,
) -> None:
    """Passes when `actual` has the shape of `expected` and differs by at most atol + rtol * scale.

    what: the name of the value. hidden: its name in a hidden case, where `what` holds a number of the case.
    scale: "norm" measures error and size of the whole array (Frobenius), "entry" each entry on its own.
    says: wrong answers by what to say to them, e.g. {"you used b for x": wrong_array}.
    shows: what a picture of the fault is drawn from, given both arrays (`adkit.checks.evidence`); by default the
    entries of a matrix.
    """
    next_check()
    right = np.asarray(expected, dtype=np.float64)
    name = _Name(what, what if hidden is None else hidden)
    given = _array(actual, right.shape, name)
    error = np.abs(given - right)
    distance = _norm(error) / _norm(right) if np.any(right) else None
    if scale == "entry":
        wrong_entries = ~(error <= atol + rtol * np.abs(right))
        passed = not np.any(wrong_entries)
        beyond = error > atol
        near = float(np.max(error[beyond] / np.abs(right[beyond]), initial=0.0))
    else:
        wrong_entries = error >= np.max(error, initial=0.0)
        passed = _norm(error) <= atol + rtol * _norm(right)
        near = np.inf if distance is None else distance
    if passed:
        return
    # of entries that stand for themselves the first that is wrong: in a trace the later ones follow from it
    worst = int(np.argmax(wrong_entries))
    entry = f"{what}{_index(worst, right.shape)}"
    digits = 8 if f"{given.flat[worst]:.8g}" != f"{right.flat[worst]:.8g}" else 17
    numbers = f"{entry} is {given.flat[worst]:.{digits}g}, and should be {right.flat[worst]:.{digits}g}"
    missed = _near_miss(near, given)
    kind: Kind = "nearly right" if missed else "wrong answer"
    evidence = None
    if in_public_case():
        evidence = entries(given, right, what) if shows is None else shows(given, right)
    more: dict[str, Any] = {
        "answer": actual,
        "distance": distance,
        "kind": kind,
        "evidence": evidence,
        "right": right,
    }
    for sentence, wrong in (says or {}).items():
        if _is_the_wrong(given, np.asarray(wrong, dtype=np.float64), max(rtol, 1e-9)):
            failed(sentence, values=numbers, **more)
    related = missed or relation(given, right, max(rtol, 1e-9))
    if related:
        name.failed(related, values=numbers, **more)
    failed(numbers, hidden=f"{name.hidden} has the right shape but not the right values", **more)


def _is_the_wrong(given: Float[np.ndarray, "..."], wrong: Float[np.ndarray, "..."], rtol: float) -> bool:
    return wrong.shape == given.shape and _norm(given - wrong) <= rtol * _norm(wrong)


def _near_miss(distance: float, given: Float[np.ndarray, "..."]) -> str | None:
    """What is said of an answer at a relative `distance` from the right one; None when it is far from it.

    The cause is said where the digits show it, and nowhere else: a difference quotient, a number that is added
    somewhere, an unstable formula all leave such an error.
    """
    if not 0.0 < distance < NEAR:
        return None
    why = "; these numbers are 32-bit floats" if in_single_precision(given) else ""
    digits = math.floor(-math.log10(distance))
    return f"is nearly right: about {digits} digits are correct, and more are required{why}"


@np.errstate(over="ignore")
def in_single_precision(values: Float[np.ndarray, "..."]) -> bool:
    """Whether all are 32-bit floats, and not only because they are whole or have few binary digits."""
    flat = np.ravel(values)
    if not np.array_equal(flat, flat.astype(np.float32)):
        return False
    mantissas = np.frexp(flat)[0] * 2**12
    return bool(np.any(mantissas != np.round(mantissas)))


def equal(actual: Any, expected: Any, *, what: str) -> None:
    """Passes when `actual` is exactly `expected`: whole numbers, strings, truth values, sequences of them.

    A list equals a tuple, a NumPy number a Python number; True is not a number.
    """
    next_check()
    try:
        given = plain(actual)
    except TypeError as problem:
        failed(f"{what} is {problem}", hidden=f"{what} is of a kind that cannot be compared", kind="wrong shape")
    path = _difference(given, expected, what)
    if path is None:
        return
    entry, yours, right = path
    hidden = f"{what} is not right"
    kind: Kind = "wrong answer"
    other_type = type(scalar(yours)) is not type(right)
    wanted = "a sequence" if isinstance(right, list | tuple) else kind_of(right)
    if other_type and kind_of(yours) != wanted:
        hidden = f"{what} is not right: it should be {wanted}, not {kind_of(yours)}"
        kind = "wrong shape"
    failed(f"{entry} is {_brief(yours)}, and should be {_brief(right)}", hidden=hidden, answer=given, kind=kind)


def _norm(value: Float[np.ndarray, "..."]) -> float:
    """The Frobenius norm, also where squares would overflow or underflow."""
    biggest = float(np.max(np.abs(value), initial=0.0))
    if biggest == 0.0 or not np.isfinite(biggest):
        return biggest
    return biggest * float(np.linalg.norm(np.ravel(value / biggest)))


def _difference(given: Any, right: Any, what: str) -> tuple[str, Any, Any] | None:
    """Where two nested answers differ first: (entry, yours, right)."""
    given = scalar(given)
    if isinstance(given, np.ndarray):
        given = cast("list[Any]", given.tolist())
    if isinstance(right, list | tuple):
        wanted = cast("Sequence[Any]", right)
        if not isinstance(given, list | tuple):
            return what, given, wanted
        parts = cast("Sequence[Any]", given)
        for index, (part, want) in enumerate(zip(parts, wanted, strict=False)):
            found = _difference(part, want, f"{what}[{index}]")
            if found is not None:
                return found
        if len(parts) != len(wanted):
            return f"the length of {what}", len(parts), len(wanted)
        return None
    if isinstance(given, bool) is not isinstance(right, bool):
        return what, given, right
    different = isinstance(given, list | tuple | dict) or given != right
    return (what, cast("Any", given), right) if different else None


def _index(flat: int, shape: tuple[int, ...]) -> str:
    return f"[{', '.join(str(int(i)) for i in np.unravel_index(flat, shape))}]" if shape else ""


def _wrong_shape(given: tuple[int, ...], right: tuple[int, ...]) -> str:
    """What is wrong with a shape, in words that hold no length of an axis."""
    if len(given) == len(right) and given == right[::-1]:
        return "has its axes the wrong way round (a transpose)"
    if len(given) != len(right):
        axes = "axis" if len(given) == 1 else "axes"
        return f"has {len(given)} {axes}, and should have {len(right)}"
    return "has the wrong shape"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"

"""How a wrong array is related to the right one: transposed, with the wrong sign, off by a factor, zero."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def relation(given: Float[np.ndarray, "*shape"], right: Float[np.ndarray, "*shape"], rtol: float) -> str | None:
    """A phrase ("is transposed", "has the wrong sign") when one fits; None when none does.

    given, right: finite. Only simple factors are told, never a number of the case.
    """
    if given.size == 0:
        return None
    biggest = float(np.max(np.abs(right)))
    if not np.any(given):
        return "is zero everywhere"
    if biggest == 0.0:
        return "should be zero here"

    def same(one: Float[np.ndarray, "*shape"], other: Float[np.ndarray, "*shape"]) -> bool:
        return bool(np.linalg.norm((one - other) / biggest) <= rtol * np.linalg.norm(other / biggest))

    if same(given, -right):
        return "has the wrong sign"
    square = right.ndim == 2 and right.shape[0] == right.shape[1]
    if square and same(given, right.T):
        return "is transposed"
    if square and same(given, -right.T):
        return "is transposed and has the wrong sign"
    factor = float(np.sum(given / biggest * (right / biggest)) / np.sum((right / biggest) ** 2))
    simple = Fraction(factor).limit_denominator(12) if abs(factor) < 1e3 else Fraction(0)
    if simple not in (0, 1) and right.size > 1 and same(given, float(simple) * right):
        return f"is {simple} times what it should be"
    if right.size > 1 and abs(factor) > 0 and same(given, factor * right):
        return "has the right direction but the wrong length (a factor is off)"
    if right.ndim >= 1 and right.shape[0] > 1 and same(given, right[::-1]):
        return "has its entries in reverse order"
    wrong = np.abs(given - right) > rtol * biggest
    if right.size > 3 and int(wrong.sum()) == 1:
        return "is right except for one entry"
    return None

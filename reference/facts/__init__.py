"""Facts about an answer, by the known mistake whose sentence says them.

A mistake is recognised by its own answer, or by a sign that only it leaves (`reference.mistakes.signs`). Students make
the same mistake in other ways: with a step, a threshold or a norm of their own, together with a second mistake, in one
branch only. A fact reads an answer instead of comparing it: what it is made of, from what was asked. It holds whatever
the code looks like, so a sentence that says no more than the fact is true wherever it holds.

Facts are asked last, in the cases in which no mistake is recognised otherwise (`autograder.grading.recognition`).
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from adkit.checks import Failure
from numpy.typing import NDArray

Fact = Callable[[Failure], int]
"""Positive where the sentence is true of the answer. Negative where the answer shows that it is not the mistake, in
this case and so in every other; 0 where nothing is seen."""
Array = NDArray[Any]


class UnseenError(Exception):
    """A fact cannot be looked for in this case: what was asked is too large, or was not kept."""


class Facts(dict[str, Fact]):
    """The facts of one assignment, by the name of the mistake in its catalogue."""

    def __init__(self) -> None:
        super().__init__()
        self.weak: set[str] = set()
        """Those that may hold by accident in one case: they count only where they hold in every failed one."""

    def of(self, *names: str, weak: bool = False) -> Callable[[Fact], Fact]:
        """A decorator: the fact is that of these mistakes."""

        def enter(fact: Fact) -> Fact:
            self.update(dict.fromkeys(names, fact))
            self.weak.update(names if weak else ())
            return fact

        return enter

    def also(self, *names: str) -> Callable[[Fact], Fact]:
        """A decorator: the fact shows these mistakes, too, beside the fact that they have already."""

        def enter(fact: Fact) -> Fact:
            for name in names:
                self[name] = either(self[name], fact) if name in self else fact
            return fact

        return enter


def read_fact(fact: Fact, failure: Failure) -> int | None:
    """What a fact says of the failure, None where it cannot be looked for; 0 where an answer, which may be anything,
    breaks it."""
    try:
        with np.errstate(all="ignore"):
            return int(fact(failure))
    except UnseenError:
        return None
    except Exception:
        return 0


def either(one: Fact, other: Fact) -> Fact:
    """Holds where one of two facts does; an answer that breaks one of them says nothing about the other."""

    def fact(failure: Failure) -> int:
        found = [each for each in (read_fact(one, failure), read_fact(other, failure)) if each is not None]
        if not found:
            raise UnseenError("neither can be looked for")
        return max(found) if max(found) > 0 else min(found)

    return fact


@lru_cache
def facts_of(assignment: str) -> Facts:
    """The facts of an assignment, by mistake; empty where it has none."""
    module = f"{__name__}.{assignment}"
    if find_spec(module) is None:
        return Facts()
    return import_module(module).FACTS


def numbers(answer: Any) -> Array:
    """The answer as an array of floating-point numbers; ValueError or TypeError where it is none."""
    found = np.asarray(answer)
    if found.dtype.kind not in "fiu":
        raise ValueError("the answer does not consist of numbers")
    return found.astype(np.float64)


def alike(one: Any, other: Any, rtol: float = 1e-9) -> bool:
    """Whether two arrays have one shape and are equal up to rounding, relative to the larger. NaN equals nothing."""
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.shape != b.shape or not a.size:
        return False
    size = float(max(np.max(np.abs(a)), np.max(np.abs(b))))
    return bool(np.isfinite(size) and np.max(np.abs(a - b)) <= rtol * size)


def multiple(answer: Any, of: Any, rtol: float = 1e-9) -> float:
    """The number c with answer = c · of; 0 where there is none, and where either is 0."""
    a, b = np.asarray(answer, dtype=np.float64), np.asarray(of, dtype=np.float64)
    if a.shape != b.shape or not np.all(np.isfinite(a)) or not np.any(a) or not np.any(b):
        return 0.0
    unit = b / np.max(np.abs(b))
    c = float(np.sum(unit * a)) / float(np.sum(unit * unit))
    return c / float(np.max(np.abs(b))) if alike(a, c * unit, rtol) else 0.0


def near(one: float, other: float, rtol: float = 1e-9) -> bool:
    """Whether two numbers are equal up to rounding."""
    return abs(one - other) <= rtol * max(abs(one), abs(other))


def combination(answer: Any, parts: Mapping[str, Array], rtol: float = 1e-9) -> dict[str, float] | None:
    """The coefficients with which the parts add up to the answer; None where they do not, or in more than one way.

    A part that is 0 has none.
    """
    a = np.ravel(np.asarray(answer, dtype=np.float64))
    there = {name: np.ravel(part) for name, part in parts.items() if np.any(part)}
    if not there or not np.all(np.isfinite(a)) or any(part.size != a.size for part in there.values()):
        return None
    sizes = np.array([np.linalg.norm(part) for part in there.values()])
    matrix = np.stack([part / size for part, size in zip(there.values(), sizes, strict=True)], axis=1)
    scale = float(np.max(np.abs(a))) or 1.0
    found, _, rank, _ = np.linalg.lstsq(matrix, a / scale, rcond=1e-9)
    if rank < len(there) or not alike(matrix @ found, a / scale, rtol):
        return None
    return dict(zip(there, found * scale / sizes, strict=True))


def raised(failure: Failure, *names: str) -> bool:
    """Whether there is no answer because the function raised one of these, or a subclass."""
    return not failure.answered and bool(set(names) & set(failure.kinds))


def hessian_parts(x: Any, answer: Any) -> dict[str, float] | None:
    """The Hessian of 1/3 ||x||^3 as a sum: how much of x x^T, I, the diagonal of x x^T and ones is in it, in the units
    of the right one."""
    point, H = np.asarray(x, dtype=np.float64), numbers(answer)
    n, size = len(point), float(np.linalg.norm(point))
    if H.shape != (n, n) or n < 2 or not size:
        return None
    parts = {"x x^T": np.outer(point, point) / size, "I": size * np.eye(n)}
    for more in ({}, {"ones": size * np.ones((n, n))}, {"diagonal": np.diag(point**2) / size}):
        found = combination(H, parts | more)
        if found is not None:
            return {"x x^T": 0.0, "I": 0.0, "ones": 0.0, "diagonal": 0.0} | found
    return None


def is_none(c: float) -> bool:
    """Whether a coefficient, in the units of the right one, is 0."""
    return abs(c) < 1e-9

"""Oracles: whether functions do what a question asks, decided without the references and without the tests' inputs.

An oracle calls the functions of one question on many inputs within its contract, small ones exhaustively where there
are few, and compares with what follows from the definition: derivatives by the complex step or by differences in long
floats, closed forms, exhaustive search, the simulator of schedules, properties of the answer. It raises `WrongError`
with the first input that refutes them. So a mutant that keeps all its points is either refuted, and then the tests have
a hole, or it is another way to write a right solution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

__all__ = ["Oracle", "WrongError", "near", "oracles_of", "refuses", "require"]


class WrongError(Exception):
    """An input on which the functions do not do what the question asks."""


@dataclass(frozen=True)
class Oracle:
    """How one question is decided."""

    method: str
    """What the answers are compared with, in a few words."""
    check: Callable[[dict[str, Any]], None]


@cache
def oracles_of(assignment: str) -> dict[str, Oracle]:
    """The oracles of an assignment, by question."""
    return import_module(f"{__name__}.{assignment}").ORACLES


def require(condition: Any, what: str) -> None:
    """WrongError unless the condition holds."""
    if not condition:
        raise WrongError(what)


def near(found: Any, expected: Any, what: str, *, rtol: float, atol: float = 0.0) -> None:
    """WrongError unless `found` has the shape of `expected` and is near it in the Euclidean norm."""
    one, other = np.asarray(found), np.asarray(expected)
    require(one.dtype != object and one.shape == other.shape, f"{what}: shape {one.shape}, not {other.shape}")
    require(np.all(np.isfinite(one)), f"{what}: not finite")
    error, size = np.linalg.norm(np.ravel(one - other)), np.linalg.norm(np.ravel(other))
    require(error <= rtol * size + atol, f"{what}: {one!r}, not {other!r}")


def refuses(function: Callable[..., Any], *args: Any, what: str) -> None:
    """WrongError unless the call raises ValueError."""
    try:
        function(*args)
    except ValueError:
        return
    raise WrongError(f"{what}: no ValueError")

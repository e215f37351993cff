"""The catalogue of known mistakes: wrong reference implementations, each with a sentence for the student.

    @mistake(question="q1", says="A_bar is transposed: it has the rows of b_bar and the columns of x^T.")
    def linear_solve_vjp__a_bar_transposed(A, b, x_bar): ...

A mistake is named after the function it stands for, two underscores, and what is wrong. Its module imports
nothing else from `reference`, so that its source works in a notebook in the place of the student's function.
Every mistake loses points on its own question and on no other; a test holds that.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Mistake:
    """One known mistake."""

    name: str
    """What is wrong, in one word: `a_bar_transposed`."""
    question: str
    function: str
    """The student's function that it replaces."""
    says: str
    """What the student is told: the mistake and the public rule it breaks."""
    implementation: Callable[..., Any]
    openly: str | None = None
    """What a student's own check says instead where the answer can be guessed: no solution. "" for nothing, None where
    no answer in a public case can be guessed."""


def mistake(*, question: str, says: str, openly: str | bool | None = None) -> Callable[[Function], Function]:
    """Enters the decorated function in its module's catalogue; the function itself stays what it is.

    openly: for a mistake whose answer in a public case can be guessed (True, zeros, the input), so that whoever looks
    for it can read the sentence there. True: `says` may be read, it holds no solution; a sentence: that is said
    instead; False: nothing is. `autograder build` asks for it where it is needed. The grader always says `says`.
    """
    if isinstance(openly, bool):
        openly = says if openly else ""

    def enter(function: Function) -> Function:
        replaced, separator, name = function.__name__.partition("__")
        if not separator or not replaced or not name:
            raise ValueError(f"a mistake is named <function>__<mistake>, not {function.__name__}")
        module_catalogue = function.__globals__.setdefault("_CATALOGUE", [])
        if any(entry.function == replaced and entry.name == name for entry in module_catalogue):
            raise ValueError(f"there are two mistakes called {function.__name__}")
        module_catalogue.append(Mistake(name, question, replaced, says, function, openly))
        return function

    return enter


@lru_cache
def catalogue(assignment: str) -> tuple[Mistake, ...]:
    """All known mistakes of an assignment, in the order they are written; empty when it has no catalogue."""
    module = f"{__name__}.{assignment}"
    if find_spec(module) is None:
        return ()
    return tuple(getattr(import_module(module), "_CATALOGUE", ()))

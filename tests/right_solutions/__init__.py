"""Right solutions in many styles, unlike the reference: each earns all points, whatever the seed, the version of Python
and of JAX. `benchmarks/styles.py` runs them where the suite would take too long.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Right:
    """A right implementation of one function."""

    function: str
    name: str
    style: str
    answer: Callable[..., Any]


class Collection(list[Right]):
    """The right solutions of one assignment."""

    def right(self, function: str, style: str, name: str = "") -> Callable[[Any], Any]:
        """A decorator that adds an implementation of `function`; `style` says what is unusual about it."""

        def add(answer: Any) -> Any:
            self.append(Right(function, name or answer.__name__, style, answer))
            return answer

        return add

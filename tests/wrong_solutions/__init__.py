"""Wrong solutions, each with one line of truth: written from the text of the questions alone, without a look at the
catalogue of known mistakes, and committed before they were graded for the first time.

They measure what the catalogue cannot measure about itself: whether a wrong answer loses points, and whether the
sentence that its author is told is true. `benchmarks/naming.py` prints the table.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Wrong:
    """A wrong implementation of one function, and what is wrong with it."""

    function: str
    name: str
    truth: str
    answer: Callable[..., Any]


class Collection(list[Wrong]):
    """The wrong solutions of one assignment."""

    def wrong(self, function: str, truth: str, name: str = "") -> Callable[[Any], Any]:
        """A decorator that adds an implementation of `function`; the truth says what is wrong with it."""

        def add(answer: Any) -> Any:
            self.append(Wrong(function, name or answer.__name__, truth, answer))
            return answer

        return add

"""`did you mean`: the known name that a mistyped one is closest to."""

from collections.abc import Iterable
from difflib import get_close_matches


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like `word`, whatever the case, `-` or `_`; None when none does."""
    by_look: dict[str, str] = {}
    for name in known:
        by_look.setdefault(_look(name), name)
    found = get_close_matches(_look(word), by_look, n=1, cutoff=0.6)
    return by_look[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'name'?`, to be put behind a sentence; empty when nothing known is close."""
    name = closest(word, known)
    return "" if name is None else f"; did you mean '{name}'?"


def _look(name: str) -> str:
    return name.lower().replace("_", "-").strip()

"""What a public check has to say about an answer that is right: it is shown beside the cases and changes no points.

A note is a kind of `SENTENCES`, which has all the words there are, and the numbers that belong into them.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

__all__ = ["SENTENCES", "Kind", "asked_for", "collected", "note"]

Kind = Literal["reverse over reverse"]

SENTENCES: dict[Kind, str] = {
    "reverse over reverse": (
        "hvp is right, and this costs no points: it is reverse over reverse, and the second backward pass needs what "
        "the first one computed, so all of that is kept. Forward over reverse, jax.jvp of jax.grad(f), keeps less: for "
        "a network of {layers} layers at most {least:,} numbers at a time, where yours keeps {own:,}."
    ),
}
"""By kind, with the names of its numbers in braces."""

_collected: list[str] | None = None


def note(kind: Kind, **numbers: int) -> None:
    """Adds a note to those that are collected; nothing where nobody collects them."""
    sentence = SENTENCES[kind].format(**numbers)
    if _collected is not None and sentence not in _collected:
        _collected.append(sentence)


def asked_for() -> bool:
    """Whether notes are collected. In the grader they are not, and what only a note needs is not measured."""
    return _collected is not None


@contextmanager
def collected() -> Generator[list[str]]:
    """The notes of every check inside the block, in order, each of them once."""
    global _collected
    before, _collected = _collected, []
    try:
        yield _collected
    finally:
        _collected = before

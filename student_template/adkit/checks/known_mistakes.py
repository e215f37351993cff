"""Which known mistake makes exactly this answer? The sentence for it, from the grader or from a sealed file.

The grader knows the mistakes themselves (`recogniser`). A student's machine has `known_mistakes.json` beside the public
tests, whose sentences only the wrong answer opens (`adkit.checks.sealed`).
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np

from adkit.checks.case import is_recorded
from adkit.checks.errors import Failure, Recognised
from adkit.checks.sealed import open_sentences

__all__ = ["recognise", "recogniser", "sentence_of"]

recogniser: Callable[[Failure], Recognised] | None = None
"""Finds the known mistake behind a failure. None: look in `known_mistakes.json` beside the test."""


def recognise(failure: Failure) -> Recognised:
    """The known mistake behind a failure; nothing where there is none, or no answer to go by."""
    if is_recorded() or not failure.test or not failure.answered:
        return Recognised()
    if recogniser is not None:
        return recogniser(failure)
    known = _known_mistakes(str(Path(failure.file).with_name("known_mistakes.json")))
    sentences = open_sentences(known, failure.test, failure.ordinal, failure.answer)
    return Recognised(sentence_of(sentences, failure.answer) or "")


def _entries(answer: Any) -> int:
    """How many numbers or words an answer holds; counted, since parts of different shapes make no array.

    NaN does not count: whatever goes wrong, it looks the same.
    """
    if isinstance(answer, list | tuple):
        return sum(_entries(part) for part in cast("Sequence[Any]", answer))
    if isinstance(answer, np.ndarray):
        return int(np.sum(answer == answer))
    return int(answer == answer)


def sentence_of(sentences: Sequence[str], answer: Any) -> str | None:
    """What to say of the mistakes that give this answer: nothing, one sentence, or one of two.

    A single word or number (True, "forward"), or NaN alone, is too ambiguous: then exactly one mistake must match.
    """
    distinct = list(dict.fromkeys(sentences))
    telling = _entries(answer) > 1
    if len(distinct) == 1:
        return distinct[0]
    return f"{distinct[0]} Or: {distinct[1]}" if len(distinct) == 2 and telling else None


@lru_cache
def _known_mistakes(path: str) -> Any:
    """The sealed sentences, see `adkit.checks.sealed`; None where there is no readable file."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None

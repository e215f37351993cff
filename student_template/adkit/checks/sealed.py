"""Sentences about known mistakes that only the mistake itself opens.

`known_mistakes.json` stands beside the public tests. It holds what the checks say to common mistakes, each sentence
encrypted with a key that is derived from the wrong answer it belongs to; no answer and no key is in the file. When a
check fails, the keys of the student's answer are tried on the sentences of that check.

    {"salt": "…", "checks": {"test_q1_…": {"2": {"digits": [6, 9], "sealed": ["…", …]}}}}

The numbers count the checks of a test function; `digits` says how many digits of an answer matter (more than six where
a mistake is nearly right). The sentences of a check are of equal length, and in no order.

**Rounding.** Two computations of the same answer differ in the last digits and must give the same key. A key takes the
digest of everything exact (see `adkit.checks.fingerprint`) and three numbers: the logarithm of the biggest entry and
two projections relative to the norm, each rounded to a cell that is some tolerances wide. A number near the edge of its
cell would be rounded this way on one machine and that way on another; so there are four grids, each shifted by another
quarter of a cell. A number is near an edge (nearer than an eighth) in one of the four grids at most, three
numbers in three of them: in one all three are well inside. That one makes the key; since nothing says which one it
was, the four of an answer are tried.

**Work.** Each key costs `ITERATIONS` rounds of PBKDF2 (RFC 8018), so that trying answers takes time: four keys a
failing check, four more for each further number of digits. Trying a key on a sentence costs next to nothing.

This keeps sentences from being read before the mistake is made, and promises no more: who can guess a wrong answer
(True, an array of zeros) can open its sentence, and everything needed for trying is here.
"""

import base64
import hashlib
import hmac
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from adkit.checks.fingerprint import TOLERANCE, Parts, digits_of, parts_of

__all__ = ["ITERATIONS", "SEPARATOR", "locks", "open_sentences", "seal", "sealed_length", "slow_key", "unseal"]

ITERATIONS = 20_000
"""Rounds of PBKDF2 a key."""
SEPARATOR = "\n"
"""Between the sentences that belong to the same answer."""
_SHIFTS = 4
_TAG = 16
_BLOCK = 64
"""Sentences are padded to a multiple of so many bytes."""
# Cells in tolerances. The widths leave an eighth, at least, between a number and the edge: more than the tolerance for
# the size, twice the tolerance for a projection, which moves with the norm as well.
_SIZE_CELL = 10
_PROJECTION_CELL = 16


def locks(answer: Any, digits: Iterable[int]) -> list[str]:
    """Everything a key of `answer` (plain data) may have been made from, for each of the numbers of digits.

    The first is what a sentence about this answer is sealed with, when `digits` holds a single number. An answer
    without floating-point numbers other than 0, NaN and infinities is exact: one for all digits.
    """
    parts = parts_of(answer)
    if parts.biggest == 0.0:
        return [parts.digest]
    return [lock for number in digits for lock in _locks(parts, number)]


def _locks(parts: Parts, digits: int) -> list[str]:
    """One for each grid, the one in which the numbers are furthest from the edges of their cells first."""
    tolerance = 10.0**-digits
    numbers = [
        math.log(parts.biggest) / (_SIZE_CELL * tolerance),
        *(p / parts.norm / (_PROJECTION_CELL * tolerance) for p in parts.projections[:2]),
    ]
    found: list[tuple[float, str]] = []
    for shift in range(_SHIFTS):
        shifted = [number + shift / _SHIFTS for number in numbers]
        cells = [math.floor(number) for number in shifted]
        edge = min(min(number - cell, cell + 1 - number) for number, cell in zip(shifted, cells, strict=True))
        found.append((-edge, " ".join([parts.digest, str(digits), str(shift), *map(str, cells)])))
    return [lock for _, lock in sorted(found)]


@lru_cache(maxsize=4096)
def slow_key(lock: str, salt: str, test: str, ordinal: str) -> bytes:
    """The key for what is sealed under `lock` at a check: 32 bytes, slowly."""
    return hashlib.pbkdf2_hmac("sha256", lock.encode(), f"{salt}/{test}/{ordinal}".encode(), ITERATIONS, 32)


def sealed_length(texts: Sequence[str]) -> int:
    """To how many bytes texts are padded that must not be told apart by their lengths."""
    longest = max((len(text.encode()) for text in texts), default=0)
    return -(-longest // _BLOCK) * _BLOCK


def seal(text: str, key: bytes, length: int) -> str:
    """`text`, padded to `length` bytes, encrypted and authenticated: always the same for the same text and key.

    The tag of the text is where its key stream begins (a synthetic initialisation vector, as in RFC 5297), so that two
    texts under one key have nothing in common.
    """
    plain = text.encode().ljust(length, b"\0")
    tag = hmac.digest(key, plain, "sha256")[:_TAG]
    return base64.b64encode(tag + _stream(key, tag, plain)).decode()


def unseal(sealed: str, key: bytes) -> str | None:
    """The text; None when this is not the key, or nothing that was sealed."""
    try:
        content = base64.b64decode(sealed, validate=True)
        tag, plain = content[:_TAG], _stream(key, content[:_TAG], content[_TAG:])
        return (
            plain.rstrip(b"\0").decode() if hmac.compare_digest(tag, hmac.digest(key, plain, "sha256")[:_TAG]) else None
        )
    except ValueError:
        return None


def open_sentences(table: Any, test: str, ordinal: int, answer: Any) -> list[str]:
    """What the content of a `known_mistakes.json` says to an answer (plain data) at a check; mostly nothing.

    Anything in `table` that is not as it should be is passed over: a damaged file costs the sentences alone.
    """
    salt, check = _check(table, test, str(ordinal))
    sealed = [entry for entry in _list(check.get("sealed")) if isinstance(entry, str)]
    digits = sorted({n for n in _list(check.get("digits")) if isinstance(n, int) and digits_of(TOLERANCE) <= n <= 11})
    found: list[str] = []
    if not sealed:
        return found
    for lock in locks(answer, digits):
        key = slow_key(lock, salt, test, str(ordinal))
        texts = [unseal(entry, key) for entry in sealed]
        found += [sentence for text in texts if text is not None for sentence in text.split(SEPARATOR)]
    return found


def _check(table: Any, test: str, ordinal: str) -> tuple[str, Mapping[str, Any]]:
    whole = _mapping(table)
    return str(whole.get("salt", "")), _mapping(_mapping(_mapping(whole.get("checks")).get(test)).get(ordinal))


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _stream(key: bytes, tag: bytes, text: bytes) -> bytes:
    """`text` combined with the key stream: the same for both directions."""
    stream = hashlib.shake_256(key + tag).digest(len(text))
    return bytes(a ^ b for a, b in zip(text, stream, strict=True))

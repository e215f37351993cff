"""How a check fails: the error with all that may be said, the recognised mistake, and the note of which check it was.

Every check calls `next_check` once, when it begins, so that a failure can be told by its number.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from adkit.checks.case import next_check, recorded, running_case
from adkit.checks.errors import CheckError, Failure, StudentError
from adkit.checks.known_mistakes import recognise
from adkit.kinds import Kind

__all__ = ["NO_ANSWER", "calls_of", "fail", "failed", "first_failure", "note_asked", "note_call", "student_failed"]

NO_ANSWER: Any = object()
"""Where there is no answer that could be recognised; None is one."""

_calls: list[tuple[tuple[Any, ...], Any]] | None = None
_asked: tuple[tuple[Any, ...], Sequence[Any]] = ((), ())
"""The arguments of the last call, and the points where it evaluated a function among them."""


def fail(
    public: str,
    *,
    hidden: str | None = None,
    answer: Any = NO_ANSWER,
    distance: float | None = None,
    kind: Kind = "wrong answer",
    evidence: dict[str, Any] | None = None,
) -> NoReturn:
    """Fails, for a property that no other check expresses.

    public: what is wrong, in a public case. hidden: the same without a number of the case, and without anything that
    was made of the answer, for a hidden one; leave it out only where `public` is like that already.
    answer: what the student's function returned, for recognising known mistakes.
    distance: how far it is, relatively, from being right: a mistake that is nearly right is recognised from nearer.
    kind, evidence: as in `CheckError`.
    """
    next_check()
    failed(public, hidden=hidden, answer=answer, distance=distance, kind=kind, evidence=evidence)


def failed(
    public: str,
    *,
    hidden: str | None = None,
    values: str = "",
    answer: Any = NO_ANSWER,
    distance: float | None = None,
    kind: Kind = "wrong answer",
    evidence: dict[str, Any] | None = None,
    right: Any = None,
    accepted: bool = False,
) -> NoReturn:
    """Fails within a check that has begun; as `fail`. values: the numbers behind `public`, where it holds none.

    right: the right answer as an array. accepted: an answer was given where an error was asked for.
    """
    failure = _failure(answer, distance, right=right, accepted=accepted)
    recognised = recognise(failure)
    raise CheckError(
        public,
        hidden=hidden,
        values=values,
        recognised=recognised,
        failure=failure,
        kind=kind,
        evidence=evidence,
    )


def student_failed(problem: StudentError) -> NoReturn:
    """Raises `problem` as the failure of the check that has begun."""
    if problem.failure is None:
        problem.failure = _failure(kinds=problem.kinds)
    raise problem


def first_failure(run: Callable[[], object]) -> Failure | None:
    """Runs a test function and returns its first failure, or None; no recognition, nothing asked twice.

    Any other exception is the failure of the test itself and goes through.
    """
    with recorded():
        try:
            run()
        except CheckError as problem:
            return problem.failure
    return None


def calls_of(run: Callable[[], object]) -> list[tuple[tuple[Any, ...], Any]]:
    """Runs a test function up to its first failure: the arguments and the answer of every call that it makes.

    Arguments and answers are plain data; of a function that is `measured` the answer is what was traced.
    """
    global _calls
    before, _calls = _calls, []
    try:
        first_failure(run)
        return _calls
    finally:
        _calls = before


def note_call(args: Sequence[Any], answer: Any) -> None:
    """Notes a call for `calls_of`."""
    if _calls is not None:
        _calls.append((tuple(args), answer))


def note_asked(args: Sequence[Any], points: Sequence[Any]) -> None:
    """Notes what the student's function is asked with, for the failures that follow.

    points: where it evaluates a function that it is handed; filled while it runs.
    """
    global _asked
    _asked = (tuple(args), points)


def _failure(
    answer: Any = NO_ANSWER,
    distance: float | None = None,
    kinds: tuple[str, ...] = (),
    right: Any = None,
    accepted: bool = False,
) -> Failure:
    case = running_case()
    return Failure(
        test=case.frame.f_code.co_name if case else "",
        ordinal=case.checks if case else 0,
        answer=None if answer is NO_ANSWER else answer,
        answered=answer is not NO_ANSWER,
        file=case.frame.f_code.co_filename if case else "",
        distance=distance,
        kinds=kinds,
        right=right,
        arguments=_asked[0],
        points=tuple(_asked[1]),
        accepted=accepted,
    )

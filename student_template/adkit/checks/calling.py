"""Calling a student's function: on copies, twice, within its time, and what comes back as plain data."""

import copy
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any, cast

import numpy as np

from adkit.checks.autodiff import use_in_this_notebook
from adkit.checks.case import is_recorded, name_of, next_check
from adkit.checks.errors import (
    NOT_PLAIN,
    CheckError,
    StubError,
    StudentError,
    describe,
    kinds_of,
    not_defined,
    own_line,
)
from adkit.checks.evidence import noting
from adkit.checks.failures import failed, note_asked, note_call, student_failed
from adkit.checks.plain import kind_of, plain, same
from adkit.notebook.time_limit import TimedOutError, limited
from adkit.stubs import is_stub

__all__ = ["call", "in_time", "raises"]


def call(f: Any, *args: Any, returns: int | None = None, autodiff: bool = False, repeat: bool = True) -> Any:
    """Calls the student's function `f` on copies of `args` and returns its answer as plain data.

    Plain data: NumPy arrays for JAX arrays, Python numbers for NumPy scalars, lists and tuples as they are.
    returns: when given, the answer must be a sequence of that many parts.
    autodiff: whether `f` may use JAX's own differentiation.
    repeat: ask a second time and expect the same answer.
    Raises StudentError when `f` is missing or raises, CheckError when it changes its arguments, answers
    differently when asked again, or does not return `returns` parts.
    """
    next_check()
    answer = _call(f, args, autodiff)
    note_call(args, answer)
    if repeat and not is_recorded() and not same(answer, _call(f, args, autodiff)):
        failed(
            f"{name_of(f)} answers differently when it is asked again with the same arguments",
            answer=answer,
            kind="changed arguments",
        )
    if returns is not None:
        answer = _parts(answer, returns, name_of(f))
    return answer


def raises(f: Any, *args: Any, error: str = "ValueError", when: str = "") -> None:
    """Passes if and only if `f(*args)` raises `error` or a subclass. `when`: what was asked, in words."""
    next_check()
    wanted = f"{name_of(f)} should raise {error}{f' when {when}' if when else ''}"
    try:
        answer = _call(f, args, autodiff=True)
    except StudentError as problem:
        if error in problem.kinds:
            return
        if not problem.kinds or is_stub(problem):
            raise
        found = problem.public
        if "NotImplementedError" in problem.kinds:  # a finished function that means to say that there is no such thing
            found = "it raised NotImplementedError"
            failed(f"{wanted}, but {found}", kind="exception")
        failed(f"{wanted}, but: {found}", hidden=f"{wanted}, but it raised another error", kind=problem.kind)
    failed(f"{wanted}, but it returned an answer", answer=answer, accepted=True)


def in_time(name: str, call: Callable[[], Any], factor: float = 1.0) -> Any:
    """`call()`, which runs the student's function `name`, within its time limit (`adkit.notebook.time_limit`)."""
    try:
        return limited(name, call, factor)
    except TimedOutError as problem:
        text = str(problem)
    student_failed(StudentError(text, ("TimeoutError", "Exception")))


def _call(f: Any, args: tuple[Any, ...], autodiff: bool) -> Any:
    args, points = _watching(args)
    note_asked(args, points)
    if f is None:
        student_failed(not_defined())
    if getattr(f, "__autograder_proxy__", False):
        try:
            return plain(f(*args, autodiff=autodiff))
        except StudentError as problem:
            student_failed(problem)
        except CheckError as problem:  # it answered, but not with data that can be graded
            if problem.kind == "wrong answer":
                problem.kind = "no answer"
            raise
    if not callable(f):
        student_failed(StudentError(f"{name_of(f)} is a {type(f).__name__}, not a function", ("TypeError",)))
    if not autodiff:
        use = use_in_this_notebook(name_of(f))
        if use is not None:
            student_failed(StudentError(use))
    given = copy.deepcopy(args)
    answer = in_time(name_of(f), lambda: _answer(f, given))
    if not same(given, args, exactly=True):
        failed(
            f"{name_of(f)} changed its arguments; work on a copy (x = x.copy()) or make new arrays",
            kind="changed arguments",
        )
    return answer


def _watching(args: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[Any]]:
    """The arguments, and the points at which those that are plain functions of Python are evaluated from now on."""
    points: list[Any] = []
    if not any(isinstance(arg, FunctionType) for arg in args):
        return args, points
    return tuple(noting(arg, points) if isinstance(arg, FunctionType) else arg for arg in args), points


def _answer(f: Any, given: Sequence[Any]) -> Any:
    """What `f` answers, as plain data."""
    name = name_of(f)
    try:
        answer = f(*given)
    except CheckError:
        raise
    except (Exception, SystemExit) as problem:
        if is_stub(problem):
            student_failed(StubError(name, str(problem), kinds_of(problem)))
        public = f"{name} raised {describe(problem)}{own_line(problem.__traceback__)}"
        student_failed(StudentError(public, kinds_of(problem)))
    try:
        return plain(answer)
    except TypeError as problem:
        student_failed(StudentError(f"{name} returned {problem}", (NOT_PLAIN, *kinds_of(problem))))
    except Exception as problem:  # a traced value that escaped raises JAX's own errors
        student_failed(StudentError(f"{name}: {describe(problem)}", kinds_of(problem)))


def _parts(answer: Any, count: int, name: str) -> Any:
    if isinstance(answer, np.ndarray) and answer.ndim >= 1 and len(cast("Any", answer)) == count:
        return [plain(part) for part in answer]
    wanted = f"{name} should return {count} things"
    if not isinstance(answer, list | tuple):
        failed(f"{wanted} (a tuple or a list), but it returned {kind_of(answer)}", answer=answer, kind="wrong shape")
    parts = cast("list[Any] | tuple[Any, ...]", answer)
    if len(parts) != count:
        few = len(parts) if len(parts) <= 2 * count else "many more"  # a length could be made of the arguments
        failed(
            f"{wanted}, but it returned {len(parts)}",
            hidden=f"{wanted}, but it returned {few}",
            answer=answer,
            kind="wrong shape",
        )
    return parts

"""Checks that a test case is made of: call a student's function, look at its answer, say what is wrong.

A check passes silently or raises `CheckError`, whose message is for the student: which entry, what it is,
what it should be, and, when the grader or the handed-out list of known mistakes recognises the answer, which
mistake makes exactly this answer. Where the running case is hidden no number of it appears in a message.

The order is always the same: kind, shape, finiteness, values. Nothing broadcasts, and NaN equals nothing.
"""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# (answers are whatever a student returns: their types are checked when the code runs)

import copy
import inspect
import json
import linecache
import math
import re
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Literal, NoReturn, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adkit.checks.fingerprint import fingerprint, matches
from adkit.checks.live_autodiff import autodiff_use, own_reverse_rule
from adkit.checks.relations import relation
from adkit.checks.sealed import open_sentences
from adkit.notebook.time_limit import TimedOutError, limited

__all__ = [
    "CheckError",
    "Failure",
    "StubError",
    "StudentError",
    "array",
    "call",
    "calls_of",
    "close",
    "countable",
    "equal",
    "fail",
    "fingerprint",
    "first_failure",
    "has_own_reverse_rule",
    "hides_words",
    "matches",
    "measured",
    "plain",
    "raises",
    "sentence_of",
    "show_numbers",
]

Array = NDArray[np.float64]
_NOTHING: Any = object()
_EXACT = 2.0**53
"""Whole numbers below it are exact as 64-bit floats, and fit into 64-bit integers."""
NEAR = 1e-3
"""An answer is nearly right when it is as near as this, relatively: then it is no other formula, but lost digits."""


@dataclass(frozen=True)
class Failure:
    """A check that did not pass, for whoever recognises known mistakes."""

    test: str
    """The test function's name; empty outside a test case."""
    ordinal: int
    """Which check of the test function failed: 1 for the first."""
    message: str
    answer: Any = field(repr=False, default=None)
    """What the student's function answered, as plain data; None when there is no answer."""
    answered: bool = False
    """Whether there is an answer."""
    file: str = ""
    """The test file."""
    distance: float | None = None
    """How far the answer is from the right one, relative to it; None where that has no meaning."""


class CheckError(AssertionError):
    """A check that did not pass; `message` is for the student.

    The same in parts: `mistake` is the sentence of the recognised mistake, empty where none is; `sentence` says what is
    wrong, in the words of the mistake where there is one; `values` are the numbers behind it, where it holds none.
    """

    def __init__(self, message: str, failure: Failure | None = None, mistake: str = "", values: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.failure = failure
        self.mistake = mistake
        self.sentence = mistake or message.removesuffix(f"; {values}")
        self.values = values


class StudentError(CheckError):
    """The student's function is missing, raised, did not finish, or answered something that is no data.

    `kinds` holds the names of the exception's class and its bases, e.g. ("ValueError", "Exception", …).
    """

    def __init__(self, message: str, kinds: Sequence[str] = (), failure: Failure | None = None) -> None:
        super().__init__(message, failure)
        self.kinds = tuple(kinds)


class StubError(StudentError):
    """The student's function is still the template's stub; `function` is its name."""

    def __init__(self, message: str, kinds: Sequence[str], function: str, failure: Failure | None = None) -> None:
        super().__init__(message, kinds, failure)
        self.function = function


recogniser: Callable[[Failure], str | None] | None = None
"""Finds the known mistake behind a failure. None: look in `known_mistakes.json` beside the test."""


# ---------------------------------------- calls


def call(f: Any, *args: Any, returns: int | None = None, autodiff: bool = False, repeat: bool = True) -> Any:
    """Calls the student's function `f` on copies of `args` and returns its answer as plain data.

    Plain data: NumPy arrays for JAX arrays, Python numbers for NumPy scalars, lists and tuples as they are.
    returns: when given, the answer must be a sequence of that many parts.
    autodiff: whether `f` may use JAX's own differentiation.
    repeat: ask a second time and expect the same answer.
    Raises StudentError when `f` is missing or raises, CheckError when it changes its arguments, answers
    differently when asked again, or does not return `returns` parts.
    """
    _next_check()
    answer = _call(f, args, autodiff)
    _note_call(args, answer)
    if repeat and not _recording and not _same(answer, _call(f, args, autodiff)):
        _failed(f"{_name(f)} answers differently when it is asked again with the same arguments", answer)
    if returns is not None:
        answer = _parts(answer, returns, _name(f))
    return answer


def raises(f: Any, *args: Any, error: str = "ValueError", when: str = "") -> None:
    """Passes if and only if `f(*args)` raises `error` or a subclass. `when`: what was asked, in words."""
    _next_check()
    occasion = f" when {when}" if when else ""
    try:
        answer = _call(f, args, autodiff=True)
    except StudentError as problem:
        if error in problem.kinds:
            return
        unfinished = "NotImplementedError" in problem.kinds
        stub = re.search(r"q\d+: \w+", problem.message) is not None  # the template's own words
        if not problem.kinds or (unfinished and (stub or not show_numbers())):
            raise
        found = f"but: {problem.message}" if show_numbers() else "but it raised another error"
        if unfinished:  # a finished function that means to say that there is no such thing
            found = "but it raised NotImplementedError"
        _failed(f"{_name(f)} should raise {error}{occasion}, {found}")
    _failed(f"{_name(f)} should raise {error}{occasion}, but it returned an answer", answer)


def measured(f: Any, *args: Any, transform: str = "call", static: Sequence[Any] = (), autodiff: bool = False) -> Any:
    """`adkit.tracing.export.measure` as a check: the outputs of `f` as JAX traced it, and what they take.

    Raises StudentError when `f` is missing or cannot be traced.
    """
    from adkit.tracing import export as artefact

    _next_check()
    if f is None:
        _student_failed(f"{_missing_names()} not defined: run the cell that defines it", ("NameError",))
    try:
        found = artefact.measure(f, *args, transform=transform, static=static, autodiff=autodiff)
    except StudentError as problem:
        if problem.failure is None:
            problem.failure = _failure(problem.message)
        raise
    _note_call(args, found.outputs)
    if not found.outputs:
        _failed(f"{_name(f)} returned nothing that JAX could trace: None or an empty list")
    return found


def countable(work: Any) -> None:
    """Passes when every count of `work` (`adkit.tracing.counts.Work`) is exact: no work is in an open-ended loop."""
    _next_check()
    if work.unbounded:
        _failed(
            "there is linear algebra (or a multiplication) in a loop of which only the data say how often it runs "
            "(jax.lax.while_loop): work cannot be counted there"
        )


def has_own_reverse_rule(f: Any, *args: Any) -> None:
    """Passes when `f` has a reverse rule of its own, made with `jax.custom_vjp` or its like.

    It is looked for in the code of what `f` reaches. In a student's notebook also in what JAX does with `f(*args)`: it
    refuses to differentiate such a rule forward. The grader goes by the code alone, which it reads before the notebook
    runs: what a submission's process says of its own functions is worth no points.
    """
    _next_check()
    if f is None:
        _student_failed(f"{_missing_names()} not defined: run the cell that defines it", ("NameError",))
    if getattr(f, "__autograder_proxy__", False):
        own = f.has_own_reverse_rule()
    else:
        own = own_reverse_rule(f) or _refused_forward(f, args)
    if not own:
        _failed(
            f"{_name(f)} has no reverse rule of its own: JAX differentiates what it is made of. "
            "Decorate it with jax.custom_vjp and give the rule with defvjp"
        )


def _refused_forward(f: Any, args: tuple[Any, ...]) -> bool:
    from adkit.tracing import export as artefact

    try:
        artefact.measure(f, *args, transform="jvp", autodiff=True)
    except StudentError as problem:
        return "TypeError" in problem.kinds and "custom_vjp" in problem.message
    return False


def _call(f: Any, args: tuple[Any, ...], autodiff: bool) -> Any:
    if f is None:
        missing = _missing_names()
        _student_failed(f"{missing} not defined: run the cell that defines it", ("NameError",))
    if getattr(f, "__autograder_proxy__", False):
        try:
            return plain(f(*args, autodiff=autodiff))
        except StudentError as problem:
            if problem.failure is None:
                problem.failure = _failure(problem.message)
            raise
    if not callable(f):
        _student_failed(f"{_name(f)} is a {type(f).__name__}, not a function", ("TypeError",))
    if not autodiff:
        use = autodiff_use(f)
        if use is not None:
            _student_failed(use, ())
    given = copy.deepcopy(args)
    answer = in_time(_name(f), lambda: _answer(f, given))
    if not _same(given, args, exactly=True):
        _failed(f"{_name(f)} changed its arguments; work on a copy (x = x.copy()) or make new arrays")
    return answer


def in_time(name: str, call: Callable[[], Any], factor: float = 1.0) -> Any:
    """`call()`, which runs the student's function `name`, within its time limit (`adkit.notebook.time_limit`)."""
    try:
        return limited(name, call, factor)
    except TimedOutError as problem:
        text = str(problem)
    _student_failed(text, ("TimeoutError", "Exception"))


def _answer(f: Any, given: Sequence[Any]) -> Any:
    """What `f` answers, as plain data."""
    try:
        answer = f(*given)
    except NotImplementedError as problem:
        text = f": {problem}" if str(problem) else ""
        text = f"not done yet: {_name(f)} is still the template's stub{text}"
        raise StubError(text, _kinds(problem), _name(f), _failure(text)) from problem
    except CheckError:
        raise
    except (Exception, SystemExit) as problem:
        _student_failed(f"{_name(f)} raised {_told(problem)}{_where(problem.__traceback__)}", _kinds(problem))
    try:
        return plain(answer)
    except TypeError as problem:
        _student_failed(f"{_name(f)} returned {problem}", _kinds(problem))
    except Exception as problem:  # a traced value that escaped raises JAX's own errors
        _student_failed(f"{_name(f)}: {_told(problem)}", _kinds(problem))


def plain(value: Any) -> Any:
    """`value` as plain data: JAX arrays become NumPy arrays, NumPy scalars Python numbers; sequences stay.

    Raises TypeError for anything else (a generator, a function, an object).
    """
    if value is None or isinstance(value, bool | int | float | complex | str):
        return value if type(value) in (bool, int, float, complex, str, type(None)) else _base_value(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return np.array(value)
    if isinstance(value, tuple):
        return tuple(plain(item) for item in cast("tuple[Any, ...]", value))
    if isinstance(value, Sequence):  # a range or a deque is as good as a list; a generator could be read once only
        return [plain(item) for item in cast("Sequence[Any]", value)]
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in cast("dict[Any, Any]", value).items()}
    if hasattr(value, "__array__"):
        return np.array(np.asarray(value))
    once = "; turn it into a list with list(…)" if isinstance(value, Iterator) else ""
    raise TypeError(f"a {type(value).__name__}, which is neither numbers nor an array nor a sequence of them{once}")


def _base_value(value: Any) -> Any:
    """A plain number or string for an instance of a subclass (an enumeration, say)."""
    if isinstance(value, str):
        return str.__str__(value)  # its characters: str(value) would be the member's name
    kinds: tuple[Any, ...] = (bool, int, float, complex)
    kind = next(kind for kind in kinds if isinstance(value, kind))
    return kind(value)


def _parts(answer: Any, count: int, name: str) -> Any:
    if isinstance(answer, np.ndarray) and answer.ndim >= 1 and len(answer) == count:
        return [plain(part) for part in answer]
    if not isinstance(answer, list | tuple):
        _failed(
            f"{name} should return {count} things (a tuple or a list), but it returned {_kind(answer)}",
            answer,
        )
    parts = cast("list[Any] | tuple[Any, ...]", answer)
    if len(parts) != count:
        number = len(parts) if show_numbers() or len(parts) <= 2 * count else "many more"
        _failed(f"{name} should return {count} things, but it returned {number}", answer)
    return parts


def _same(one: Any, other: Any, exactly: bool = False) -> bool:
    """Equality of nested data, NaN equal to NaN; unless `exactly`, up to the rounding of another run."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        first, second = cast("Sequence[Any]", one), cast("Sequence[Any]", other)
        return len(first) == len(second) and all(_same(a, b, exactly) for a, b in zip(first, second, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        left, right = cast("dict[Any, Any]", one), cast("dict[Any, Any]", other)
        return left.keys() == right.keys() and all(_same(left[key], right[key], exactly) for key in left)
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        a, b = cast("NDArray[Any]", one), cast("NDArray[Any]", other)
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        if a.dtype.kind not in "fc":
            return bool(np.array_equal(a, b))
        if np.array_equal(a, b, equal_nan=True):
            return True
        return not exactly and _nearly(a, b)
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (one != one and other != other) or (not exactly and _nearly(one, other))
    if exactly and callable(one):
        return True
    if hasattr(one, "__array__") and hasattr(other, "__array__"):
        return _same(np.asarray(one), np.asarray(other), exactly)
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return False  # an array and something else: == would compare entry by entry
    return bool(one == other)


@np.errstate(over="ignore")
def _nearly(one: ArrayLike, other: ArrayLike) -> bool:
    a, b = np.atleast_1d(one), np.atleast_1d(other)
    if not np.array_equal(np.isfinite(a), np.isfinite(b)):
        return False
    a, b = np.where(np.isfinite(a), a, 0), np.where(np.isfinite(b), b, 0)
    return bool(np.max(np.abs(a - b), initial=0.0) <= 1e-6 * np.max(np.abs(a), initial=0.0))


def _kinds(problem: BaseException) -> tuple[str, ...]:
    return tuple(kind.__name__ for kind in type(problem).__mro__ if kind is not object)


def _told(problem: BaseException) -> str:
    text = " ".join(str(problem).split())
    text = text if len(text) <= 300 else text[:300] + "…"
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__


def _where(trace: TracebackType | None) -> str:
    """The last line of the student's own code on the way to an exception."""
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    own: tuple[str, int] | None = None
    here = str(Path(__file__).parents[1])
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(here) and not any(file.startswith(library) for library in libraries):
            own = (file, trace.tb_lineno)
        trace = trace.tb_next
    if own is None:
        return ""
    line = linecache.getline(*own).strip()
    return f" (in line {own[1]}: {line})" if line else f" (in line {own[1]})"


def _name(f: Any) -> str:
    case = _running_case()
    if case is not None and f is not None:  # the contract's name, also where the student's object has another
        code = case.frame.f_code
        for parameter in code.co_varnames[: code.co_argcount]:
            if case.frame.f_locals.get(parameter) is f:
                return parameter
    name = getattr(f, "__name__", None)
    return name if isinstance(name, str) and name else "your function"


def _missing_names() -> str:
    case = _running_case()
    if case is None:
        return "the function is"
    frame = case.frame
    parameters = frame.f_code.co_varnames[: frame.f_code.co_argcount]
    missing = [name for name in parameters if frame.f_locals.get(name) is None]
    return " and ".join(missing) + (" is" if len(missing) == 1 else " are")


# ---------------------------------------- values


def array(value: Any, *, shape: Sequence[int] | None = None, what: str, kind: Literal["f", "i"] = "f") -> Array:
    """`value` as an array of 64-bit floats, after checking that it is real, of that shape, and finite.

    kind: "f" for numbers, "i" for whole numbers. Lists of numbers and single numbers are arrays too.
    """
    _next_check()
    return _array(value, shape, what, kind)


def _array(value: Any, shape: Sequence[int] | None, what: str, kind: str = "f", answer: Any = _NOTHING) -> Array:
    answer = value if answer is _NOTHING else answer
    try:
        numbers = plain(value)
    except TypeError as problem:
        _failed(f"{what} is {problem}" if show_numbers() else f"{what} should be an array of numbers", answer)
    strange = _first_strange(numbers, what)
    if strange is not None:
        _failed(strange, answer)
    try:
        given = np.asarray(numbers)
    except ValueError:
        _failed(f"{what} should be an array of numbers, but its rows are of different lengths", answer)
    if given.dtype.kind not in "fiuc":
        _failed(f"{what} should be an array of numbers, but it is {_kind(value)}", answer)
    if given.dtype.kind == "c":
        _failed(f"{what} is complex, and should be real", answer)
    if shape is not None and given.shape != tuple(shape):
        _failed(_wrong_shape(given.shape, tuple(shape), what), answer)
    result = given.astype(np.float64)
    if not np.isfinite(result).all():
        bad = "NaN" if np.isnan(result).any() else "infinite"
        entry = f"{what}{_index(int(np.argmin(np.isfinite(result))), result.shape)}"
        _failed(f"{what} has entries that are {bad}" + (f" ({entry})" if result.ndim else ""), answer)
    if kind == "i" and not np.array_equal(result, np.round(result)):
        _failed(f"{what} should be whole numbers", answer)
    if kind == "i" and np.max(np.abs(result), initial=0.0) >= _EXACT:
        _failed(f"{what} has entries beyond 2^53", answer)
    return result


def _first_strange(value: Any, what: str) -> str | None:
    """What is wrong with the first entry of a list, or of a list in it, that is neither a number nor an array."""
    if not isinstance(value, list | tuple):
        return None
    for index, item in enumerate(cast("Sequence[Any]", value)):
        entry = f"{what}[{index}]" if show_numbers() else f"an entry of {what}"
        if item is None or isinstance(item, str | dict):
            return f"{entry} should be a number, but it is {_kind(item)}"
        found = _first_strange(item, entry)
        if found is not None:
            return found
    return None


@np.errstate(over="ignore", divide="ignore", invalid="ignore")
def close(
    actual: Any,
    expected: ArrayLike,
    *,
    rtol: float,
    atol: float = 0.0,
    what: str,
    scale: Literal["entry", "norm"] = "norm",
    says: Mapping[str, ArrayLike] | None = None,
) -> None:
    """Passes when `actual` has the shape of `expected` and differs by at most atol + rtol * scale.

    scale: "norm" measures error and size of the whole array (Frobenius), "entry" each entry on its own.
    says: wrong answers by what to say to them, e.g. {"you used b for x": wrong_array}.
    """
    _next_check()
    right = np.asarray(expected, dtype=np.float64)
    given = _array(actual, right.shape, what)
    error = np.abs(given - right)
    distance = _norm(error) / _norm(right) if np.any(right) else None
    if scale == "entry":
        wrong_entries = ~(error <= atol + rtol * np.abs(right))
        passed = not np.any(wrong_entries)
        beyond = error > atol
        near = float(np.max(error[beyond] / np.abs(right[beyond]), initial=0.0))
    else:
        wrong_entries = error >= np.max(error, initial=0.0)
        passed = _norm(error) <= atol + rtol * _norm(right)
        near = np.inf if distance is None else distance
    if passed:
        return
    # of entries that stand for themselves the first that is wrong: in a trace the later ones follow from it
    worst = int(np.argmax(wrong_entries))
    parts: list[str] = []
    for sentence, wrong in (says or {}).items():
        wrong_array = np.asarray(wrong, dtype=np.float64)
        if wrong_array.shape == given.shape and _norm(given - wrong_array) <= max(rtol, 1e-9) * _norm(wrong_array):
            parts.append(sentence)
            break
    else:
        related = _near_miss(near) or relation(given, right, max(rtol, 1e-9))
        if related:
            parts.append(f"{what} {related}")
    if show_numbers():
        entry = f"{what}{_index(worst, right.shape)}"
        digits = 8 if f"{given.flat[worst]:.8g}" != f"{right.flat[worst]:.8g}" else 17
        values = f"{entry} is {given.flat[worst]:.{digits}g}, and should be {right.flat[worst]:.{digits}g}"
        _failed("; ".join([*parts, values]), actual, distance, values if parts else "")
    if not parts:
        parts.append(f"{what} has the right shape but not the right values")
    _failed("; ".join(parts), actual, distance)


def _near_miss(distance: float) -> str | None:
    """What is said of an answer at a relative `distance` from the right one; None when it is far from it."""
    if not 0.0 < distance < NEAR:
        return None
    return (
        f"is nearly right: about {math.floor(-math.log10(distance))} digits are, and more are asked for "
        "(32-bit floats, a difference quotient, a small number added somewhere, an unstable formula?)"
    )


def equal(actual: Any, expected: Any, *, what: str) -> None:
    """Passes when `actual` is exactly `expected`: whole numbers, strings, truth values, sequences of them.

    A list equals a tuple, a NumPy number a Python number; True is no number.
    """
    _next_check()
    try:
        given = plain(actual)
    except TypeError as problem:
        _failed(f"{what} is {problem}" if show_numbers() else f"{what} is of a kind that cannot be compared")
    path = _difference(given, expected, what)
    if path is None:
        return
    entry, yours, right = path
    if show_numbers():
        _failed(f"{entry} is {_brief(yours)}, and should be {_brief(right)}", given)
    wanted = "a sequence" if isinstance(right, list | tuple) else _kind(right)
    if type(_scalar(yours)) is not type(right) and _kind(yours) != wanted:
        _failed(f"{what} is not right: it should be {wanted}, not {_kind(yours)}", given)
    _failed(f"{what} is not right", given)


def fail(message: str, *, answer: Any = _NOTHING, distance: float | None = None) -> NoReturn:
    """Fails with `message`, for a property that no other check expresses.

    answer: what the student's function returned, for recognising known mistakes.
    distance: how far it is, relatively, from being right: a mistake that is nearly right is recognised from nearer.
    """
    _next_check()
    _failed(message, answer, distance)


def _norm(value: Array) -> float:
    """The Frobenius norm, also where squares would overflow or underflow."""
    biggest = float(np.max(np.abs(value), initial=0.0))
    if biggest == 0.0 or not np.isfinite(biggest):
        return biggest
    return biggest * float(np.linalg.norm(np.ravel(value / biggest)))


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _difference(given: Any, right: Any, what: str) -> tuple[str, Any, Any] | None:
    """Where two nested answers differ first: (entry, yours, right)."""
    given = _scalar(given)
    if isinstance(given, np.ndarray):
        given = cast("list[Any]", given.tolist())
    if isinstance(right, list | tuple):
        wanted = cast("Sequence[Any]", right)
        if not isinstance(given, list | tuple):
            return what, given, right
        parts = cast("Sequence[Any]", given)
        for index, (part, want) in enumerate(zip(parts, wanted, strict=False)):
            found = _difference(part, want, f"{what}[{index}]")
            if found is not None:
                return found
        if len(parts) != len(wanted):
            return f"the length of {what}", len(parts), len(wanted)
        return None
    if isinstance(given, bool) is not isinstance(right, bool):
        return what, given, right
    if isinstance(given, list | tuple | dict) or given != right:
        return what, given, right
    return None


def _index(flat: int, shape: tuple[int, ...]) -> str:
    return f"[{', '.join(str(int(i)) for i in np.unravel_index(flat, shape))}]" if shape else ""


def _wrong_shape(given: tuple[int, ...], right: tuple[int, ...], what: str) -> str:
    if len(given) == len(right) and given == right[::-1]:
        hint = f"{what} has its axes the wrong way round (a transpose)"
    elif len(given) != len(right):
        axes = "axis" if len(given) == 1 else "axes"
        hint = f"{what} has {len(given)} {axes}, and should have {len(right)}"
    else:
        hint = f"{what} has the wrong shape"
    return f"{hint}: its shape is {given}, and should be {right}" if show_numbers() else hint


def _kind(value: Any) -> str:
    value = _scalar(value)
    if value is None:
        return "None (is a return missing?)"
    if isinstance(value, bool):
        return "a truth value (True or False)"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "a string"
    if isinstance(value, np.ndarray):
        return "an array"
    if isinstance(value, list | tuple):
        return f"a {type(cast(object, value)).__name__}"
    return f"a {type(value).__name__}"


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


# ---------------------------------------- the running case


@dataclass
class _Case:
    """The test function that is running: its frame, how many checks it has made, whether it is hidden."""

    frame: FrameType
    checks: int
    hidden: bool


_current: _Case | None = None  # holds the frame, so that a new frame can never be taken for an old one
_recording = False
_calls: list[tuple[tuple[Any, ...], Any]] | None = None


def _running_case() -> _Case | None:
    global _current
    frame = inspect.currentframe()
    while frame is not None and not frame.f_code.co_name.startswith("test_q"):
        frame = frame.f_back
    if frame is None:
        return None
    if _current is None or _current.frame is not frame:
        caller = frame.f_back.f_locals.get("self") if frame.f_back is not None else None
        # Otter's test_case object calls the function; called by anything else it counts as hidden
        _current = _Case(frame, 0, bool(getattr(caller, "hidden", True)))
    return _current


def _next_check() -> None:
    case = _running_case()
    if case is not None:
        case.checks += 1


def show_numbers() -> bool:
    """Whether messages may hold numbers of the running case: only where Otter runs it as a public one."""
    case = _running_case()
    return case is not None and not case.hidden


def hides_words() -> bool:
    """Whether a hidden case is running: then no text of the student's function may be part of a message either."""
    case = _running_case()
    return case is not None and case.hidden


def _failure(message: str, answer: Any = _NOTHING, distance: float | None = None) -> Failure:
    case = _running_case()
    return Failure(
        test=case.frame.f_code.co_name if case else "",
        ordinal=case.checks if case else 0,
        message=message,
        answer=None if answer is _NOTHING else answer,
        answered=answer is not _NOTHING,
        file=case.frame.f_code.co_filename if case else "",
        distance=distance,
    )


def _failed(message: str, answer: Any = _NOTHING, distance: float | None = None, values: str = "") -> NoReturn:
    """`values`: the end of `message`, after a semicolon, that holds the numbers."""
    failure = _failure(message, answer, distance)
    sentence = _recognise(failure)
    if sentence:
        raise CheckError(f"{sentence} ({message})", failure, sentence, message)
    raise CheckError(message, failure, values=values)


def _student_failed(message: str, kinds: Sequence[str]) -> NoReturn:
    raise StudentError(message, kinds, _failure(message))


def first_failure(run: Callable[[], object]) -> Failure | None:
    """Runs a test function and returns its first failure, or None; no recognition, nothing asked twice.

    Any other exception is the failure of the test itself and goes through.
    """
    global _recording, _current
    before, _recording = (_recording, _current), True
    try:
        run()
    except CheckError as problem:
        return problem.failure
    finally:
        _recording, _current = before
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


def _note_call(args: tuple[Any, ...], answer: Any) -> None:
    if _calls is not None:
        _calls.append((args, answer))


def _recognise(failure: Failure) -> str | None:
    if _recording or not failure.test or not failure.answered:
        return None
    if recogniser is not None:
        return recogniser(failure)
    known = _known_mistakes(str(Path(failure.file).with_name("known_mistakes.json")))
    return sentence_of(open_sentences(known, failure.test, failure.ordinal, failure.answer), failure.answer)


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

    An answer of one word or number (True, "forward"), or of NaN alone, comes out of too many mistakes: then it has to
    be a single one.
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

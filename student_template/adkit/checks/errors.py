"""What a check that does not pass raises: all that may be said of it, in a public case and in a hidden one.

An error says both. Which of the two a student reads is decided here (`told`, `CheckError.told`) and nowhere else:

- a public case says everything: the recognised mistake, what is wrong, the numbers behind it, what the student's
  function raised and in which line;
- a hidden case says the sentence of the recognised mistake, or else what is wrong in the course's own words. No number
  of the case, and no text of the student's function, which could be made of what the function was given.
"""

import linecache
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from adkit.checks.case import in_hidden_case, in_public_case, missing_names
from adkit.kinds import Kind
from adkit.stubs import STUB

MISSING = "MissingFunction"
"""Among the kinds of an error: the student has not defined the function."""

CHANGED = "ChangedArguments"
"""Among the kinds of an error: the function wrote into what it was given."""
NOT_PLAIN = "NotPlainData"
"""Among the kinds of an error: the answer is neither numbers nor an array nor a sequence of them."""
TOO_LARGE = "TooLarge"
"""Among the kinds of an error: what was traced is more than the grader takes."""

__all__ = [
    "CheckError",
    "Failure",
    "Recognised",
    "StubError",
    "StudentError",
    "describe",
    "kinds_of",
    "not_defined",
    "own_line",
    "told",
]


@dataclass(frozen=True)
class Failure:
    """Where a check did not pass and on which answer, for whoever recognises known mistakes."""

    test: str
    """The test function's name; empty outside a test case."""
    ordinal: int
    """Which check of the test function failed: 1 for the first."""
    answer: Any = field(repr=False, default=None)
    """What the student's function answered, as plain data; None when there is no answer."""
    answered: bool = False
    """Whether there is an answer."""
    file: str = ""
    """The test file."""
    distance: float | None = None
    """How far the answer is from the right one, relative to it; None where that has no meaning."""
    kinds: tuple[str, ...] = ()
    """Where there is no answer because the function raised: the names of the exception's class and its bases."""
    right: Any = field(repr=False, default=None)
    """The right answer as an array, where the check compares numbers."""
    arguments: tuple[Any, ...] = field(repr=False, default=())
    """What the student's function was asked with in its last call."""
    points: tuple[Any, ...] = field(repr=False, default=())
    """Where that call evaluated a function that it was handed."""
    accepted: bool = False
    """Whether it answered what it should have refused with an error."""


@dataclass(frozen=True)
class Recognised:
    """What is known of the mistakes that give an answer."""

    sentence: str = ""
    """What the student is told; empty where no mistake was recognised."""
    names: tuple[str, ...] = ()
    """Of the mistakes in the catalogue, the one that the sentence begins with first; only the grader knows them."""
    first: str = ""
    """The sentence of the first of them alone: of two that give the same answer the student is told both."""
    reread: tuple[str, ...] = ()
    """The headings of the notebook to read again."""


class CheckError(AssertionError):
    """A check that did not pass.

    public: what is wrong, for a public case; values: the numbers behind it, where `public` does not hold them.
    hidden: what is wrong, for a hidden case. `public` when left out, which then holds nothing of the case.
    recognised: the known mistakes behind it. kind: in which way it did not pass (`adkit.kinds`).
    evidence: in a public case, what a picture of the fault is drawn from (`adkit.drawing.wrong`), as plain data.
    `message` is what may be said in the case that was running when the error was made.
    """

    def __init__(
        self,
        public: str,
        *,
        hidden: str | None = None,
        values: str = "",
        recognised: Recognised | None = None,
        failure: Failure | None = None,
        kind: Kind = "wrong answer",
        evidence: dict[str, Any] | None = None,
    ) -> None:
        self.public = public
        self.hidden = public if hidden is None else hidden
        self.recognised = recognised or Recognised()
        self.failure = failure
        self.kind: Kind = kind
        self.evidence = evidence if in_public_case() else None
        self._values = values
        self.message = self.told(hidden=self._made_where_little_may_be_said())
        super().__init__(self.message)

    @property
    def mistake(self) -> str:
        """The sentence of the recognised mistake; empty where there is none."""
        return self.recognised.sentence

    @property
    def sentence(self) -> str:
        """In a public case, what is wrong in one sentence, without numbers where it can be said without."""
        return self.mistake or self.public

    @property
    def values(self) -> str:
        """In a public case, what is behind `sentence`; empty where that holds everything."""
        return self._everything() if self.mistake else self._values

    def told(self, *, hidden: bool) -> str:
        """What a student may read of it, where the case is hidden and where it is not."""
        if hidden:
            return self.mistake or self.hidden
        return f"{self.mistake} ({self._everything()})" if self.mistake else self._everything()

    def _everything(self) -> str:
        return f"{self.public}; {self._values}" if self._values else self.public

    def _made_where_little_may_be_said(self) -> bool:
        return not in_public_case()


class StudentError(CheckError):
    """The student's function is missing, raised, did not finish, or answered something that is not data.

    kinds: names of the exception's class and its bases, e.g. ("ValueError", "Exception", …), or what else happened.
    They may come from the submission's own process: they choose among sentences, never points.
    hidden: by default in the words that belong to the first kind; without kinds, `public`.
    """

    def __init__(
        self, public: str, kinds: Sequence[str] = (), *, hidden: str | None = None, failure: Failure | None = None
    ) -> None:
        self.kinds = tuple(kinds)
        kind = _kind(self.kinds)
        if hidden is None and self.kinds:
            hidden = "not yet: the function is still the template's stub" if STUB in self.kinds else _WORDS[kind]
        super().__init__(public, hidden=hidden, failure=failure, kind=kind)

    def _made_where_little_may_be_said(self) -> bool:
        return in_hidden_case()


class StubError(StudentError):
    """The student's function is still the template's stub; `function` is its name, `words` are the stub's."""

    def __init__(self, function: str, words: str = "", kinds: Sequence[str] = ("NotImplementedError",)) -> None:
        self.function = function
        self.words = words
        said = f": {words}" if words else ""
        super().__init__(f"not done yet: {function} is still the template's stub{said}", (STUB, *kinds))


def told(error: AssertionError, *, hidden: bool) -> str:
    """What a student may read of an error that ended a case. A plain assert may say numbers of the case."""
    if isinstance(error, CheckError):
        return error.told(hidden=hidden)
    return "The answer is not right in this hidden case." if hidden else str(error) or "The check failed."


def not_defined() -> StudentError:
    """For a function that the running case asks for and the student has not defined."""
    names = missing_names()
    missing = " and ".join(names) + (" is" if len(names) == 1 else " are") if names else "the function is"
    return StudentError(
        f"{missing} not defined: run the cell that defines it",
        (MISSING, "NameError"),
        hidden=f"{names[0] if names else 'the function'} is not defined",
    )


def kinds_of(problem: BaseException) -> tuple[str, ...]:
    """The names of an exception's class and of its bases."""
    return tuple(kind.__name__ for kind in type(problem).__mro__ if kind is not object)


def describe(problem: BaseException) -> str:
    """An exception's class and message, in one line of at most 300 characters."""
    text = " ".join(str(problem).split())
    text = text if len(text) <= 300 else text[:300] + "…"
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__


def own_line(trace: TracebackType | None) -> str:
    """The last line of the student's own code on the way to an exception, in brackets; empty where there is none."""
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


_WORDS: dict[Kind, str] = {
    "no answer": "the function had nothing to grade in this hidden case",
    "not traceable": "the function could not be traced by JAX in this hidden case; it needs jax.numpy throughout",
    "time limit": "the function did not finish in time in this hidden case",
    "process ended": "the function ended its process in this hidden case",
    "recursion limit": "the function reached Python's recursion limit in this hidden case",
    "wrong shape": "the function returned something of the wrong shape or kind of data in this hidden case",
    "changed arguments": "the function changed its arguments in this hidden case",
    "too costly": "what JAX traced of the function is too large in this hidden case",
    "exception": "the function raised an error in this hidden case",
}
_KINDS: dict[str, Kind] = {
    STUB: "no answer",
    MISSING: "no answer",
    "UntraceableError": "not traceable",
    "TimeoutError": "time limit",
    "ProcessEnded": "process ended",
    "RecursionError": "recursion limit",
    "ShapeOfResultError": "wrong shape",
    NOT_PLAIN: "wrong shape",
    CHANGED: "changed arguments",
    "ArtefactError": "not traceable",
    TOO_LARGE: "too costly",
}


def _kind(names: Sequence[str]) -> Kind:
    """What happened, without a word of the student's: the name of a class of theirs could be any text."""
    if not names:
        return "no answer"  # the rule against autodiff, which is read in the source
    known: list[Kind] = [_KINDS[name] for name in names if name in _KINDS]
    return known[0] if known else "exception"

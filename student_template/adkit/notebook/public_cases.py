"""Runs a question's public cases on a student's functions, and says what came out as data.

The test files are Otter's (`@test_case(points=…)`). They are read here without Otter, which takes seconds to import.
"""

import ast
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from adkit.notebook.handout import Handout, HandoutError, Question

__all__ = ["Case", "CaseResult", "QuestionResult", "check_question", "read_cases", "thirty_two_bits"]

State = Literal["passed", "wrong", "not yet"]
_TRACE_LINES = 40


class Case:
    """One test case: a function of the student's functions that raises where something is wrong."""

    def __init__(self, points: float = 0, name: str = "", hidden: bool = False, **_messages: str) -> None:
        self.points = float(points)
        self.hidden = hidden
        self._function: Callable[..., None] | None = None
        self._title = name

    def __call__(self, function: Callable[..., None]) -> "Case":
        """As a decorator."""
        self._function = function
        return self

    @property
    def title(self) -> str:
        """What is tested, in words."""
        words = ((self._function.__doc__ if self._function else "") or "").strip().split("\n\n")[0]
        plain = re.sub(r"^test_q\d+_", "", getattr(self._function, "__name__", "")).replace("_", " ")
        return " ".join(words.split()).rstrip(".") or self._title or plain

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the functions it tests."""
        assert self._function is not None
        code = self._function.__code__
        return code.co_varnames[: code.co_argcount]

    def run(self, space: dict[str, Any]) -> None:
        """Calls the test with the functions in `space` that are named as its parameters, None where there is none."""
        assert self._function is not None
        self._function(**{name: space.get(name) for name in self.parameters})


def read_cases(file: Path) -> tuple[Case, ...]:
    """The cases of a test file, in order; HandoutError when it cannot be read."""
    try:
        source = file.read_text(encoding="utf-8")
        module = ast.parse(source, str(file))
        module.body = [node for node in module.body if not _imports_otter(node)]
        space: dict[str, Any] = {"test_case": Case, "__name__": file.stem}
        exec(compile(module, str(file), "exec", dont_inherit=True), space)
    except (OSError, ValueError, SyntaxError, NameError, TypeError) as problem:
        raise HandoutError(
            f"{file} cannot be read ({type(problem).__name__}): take the folder tests/ as it was handed out again."
        ) from None
    return tuple(value for value in space.values() if isinstance(value, Case))


def _imports_otter(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "otter"


@dataclass(frozen=True)
class CaseResult:
    """What one public case says."""

    title: str
    points: float
    state: State
    sentence: str = ""
    """What is wrong; empty where nothing is."""
    values: str = ""
    """The numbers behind the sentence, where it says none."""
    trace: str = ""
    """Where an exception was raised, from the test down to the student's line."""
    pictures: tuple[str, ...] = ()
    """Drawings of what is wrong, as SVG."""


@dataclass(frozen=True)
class QuestionResult:
    """What the public cases of a question say."""

    name: str
    title: str
    points: float
    """Of the whole question, hidden cases and all."""
    bonus: bool
    cases: tuple[CaseResult, ...]
    notes: tuple[str, ...] = field(default=())
    """What the student should know besides: an answer that comes late, 32-bit floats, `adkit.checks.notes`."""

    @property
    def passed(self) -> int:
        """How many cases passed."""
        return sum(case.state == "passed" for case in self.cases)

    @property
    def earned(self) -> float:
        """The points of the cases that passed."""
        return round(sum(case.points for case in self.cases if case.state == "passed"), 6)

    @property
    def public_points(self) -> float:
        """The points of all public cases."""
        return round(sum(case.points for case in self.cases), 6)

    @property
    def state(self) -> State:
        """Passed when every case is; not yet when nothing but stubs is in the way; else wrong."""
        states = {case.state for case in self.cases}
        return "wrong" if "wrong" in states else "not yet" if "not yet" in states else "passed"

    @property
    def untouched(self) -> bool:
        """Whether every case met a stub."""
        return bool(self.cases) and all(case.state == "not yet" for case in self.cases)

    @staticmethod
    def from_data(data: dict[str, Any]) -> "QuestionResult":
        """The result that `dataclasses.asdict` took apart."""
        rest = {name: value for name, value in data.items() if name not in ("cases", "notes")}
        entries: list[dict[str, Any]] = [{**case, "pictures": tuple(case["pictures"])} for case in data["cases"]]
        cases = tuple(CaseResult(**entry) for entry in entries)
        return QuestionResult(cases=cases, notes=tuple(data["notes"]), **rest)


def check_question(handout: Handout, question: Question, space: dict[str, Any]) -> QuestionResult:
    """Runs the public cases of `question` on the functions in `space`, each call within the grader's limit."""
    from adkit.checks.autodiff import reading
    from adkit.checks.notes import collected
    from adkit.notebook import time_limit

    cases = read_cases(handout.folder / f"{question.name}.py")
    notes: list[str] = []
    if thirty_two_bits():
        notes.append(
            "JAX computes in 32 bits here, because a cell has set jax_enable_x64 to False, and the grader computes in "
            "64 bits: take that line out and restart the kernel."
        )
    with (
        reading(_cells_of(space)),
        time_limit.limits(question.call_seconds, handout.timeouts) as limits,
        collected() as of_checks,
    ):
        results = tuple(_run(case, space) for case in cases if not case.hidden)
    notes += of_checks
    for name, seconds in limits.slow.items():
        notes.append(
            f"{name} took {seconds:.1f} seconds here, and one call may take {limits.seconds:g} when it is graded: "
            "it may be too slow there."
        )
    return QuestionResult(question.name, question.title, question.points, question.bonus, results, tuple(notes))


def _cells_of(space: dict[str, Any]) -> list[str]:
    """The cells that were run in `space`, in order, as they are written; none outside of IPython and of check.py."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    cells: Any = space.get("In", ())
    if shell is not None and shell.user_ns is space:
        cells = shell.history_manager.input_hist_raw  # `In` has magics replaced, and a cell below %%time as a string
    return [cell for cell in cells if isinstance(cell, str)]


def thirty_two_bits() -> bool:
    """Whether JAX, where it is imported, makes 32-bit floats."""
    jax: Any = sys.modules.get("jax")
    return jax is not None and not getattr(getattr(jax, "config", None), "jax_enable_x64", True)


def _run(case: Case, space: dict[str, Any]) -> CaseResult:
    try:
        case.run(space)
    except Exception as problem:
        return _failed(case, problem)
    return CaseResult(case.title, case.points, "passed")


def _failed(case: Case, problem: Exception) -> CaseResult:
    from adkit import checks
    from adkit.notebook import missing_jax

    missing = missing_jax.behind(problem)
    if missing is not None:
        return CaseResult(case.title, case.points, "not yet", str(missing))
    if isinstance(problem, checks.StubError):
        return CaseResult(case.title, case.points, "not yet", f"{problem.function} is not filled in yet")
    values, drawn = "", ()
    if isinstance(problem, checks.CheckError):
        sentence, values, drawn = problem.sentence, problem.values, _pictures(problem.evidence)
    elif isinstance(problem, AssertionError):
        sentence = str(problem) or "the answer is not right"
    else:  # an object of the student's own that misbehaves when it is looked at, say
        return CaseResult(
            case.title,
            case.points,
            "wrong",
            f"the case could not be run: {type(problem).__name__}: {problem}"[:2000],
            "",
            _trace(problem),
        )
    return CaseResult(case.title, case.points, "wrong", sentence, values, _trace(problem), drawn)


def _pictures(evidence: dict[str, Any] | None) -> tuple[str, ...]:
    if not evidence:
        return ()
    from adkit.drawing.wrong import pictures

    return tuple(drawing.svg for drawing in pictures(evidence))


def _trace(problem: BaseException) -> str:
    """The student's own exception where there is one behind `problem`, else the line of the test."""
    own = problem.__context__ if isinstance(problem.__context__, Exception) else None
    lines = ["Traceback (most recent call last):\n"]
    entries = list(_entries(problem.__traceback__))
    if own is not None:
        entries += _entries(own.__traceback__)
    lines += traceback.format_list(entries)
    if own is not None:
        lines += traceback.format_exception_only(own)
    text = "".join(lines).splitlines()
    if len(text) > _TRACE_LINES:
        text = [*text[: _TRACE_LINES // 2], "…", *text[-_TRACE_LINES // 2 :]]
    return "\n".join(text)


def _entries(trace: TracebackType | None) -> Iterator[traceback.FrameSummary]:
    """The frames of tests and notebook, without those of libraries and of adkit."""
    installed = {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    libraries = (str(Path(__file__).parents[1]), *installed)
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(libraries):
            yield traceback.FrameSummary(code.co_filename, trace.tb_lineno, code.co_name)
        trace = trace.tb_next

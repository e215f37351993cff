"""Grading one submission: an isolated session, Otter's test files, and what each case says.

The tests are read by Otter and called as Otter calls them, so that scores are those of `otter run`. The
messages are the checks' own: Otter's would add the failing line of the test, which for a hidden case gives it
away.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol

from adkit.kinds import Kind

from autograder.assignment import Assignment, AssignmentError, Question
from autograder.records.results import CaseResult, Failure, QuestionResult, Status, SubmissionResult, Timeout
from autograder.submissions.read import Submission
from autograder.testcases import Case, in_order, load_cases

if TYPE_CHECKING:
    from adkit.checks.errors import CheckError  # imports NumPy: not for who only reads results

_MESSAGE_LIMIT = 4_000


class Log(Protocol):
    """What a session says about itself once it is closed."""

    @property
    def notes(self) -> Sequence[str]:
        """For the student: limits that were hit, cells that were left out."""
        ...

    @property
    def failed_cells(self) -> Sequence[tuple[int, str]]:
        """Number and error of cells that raised."""
        ...

    @property
    def output(self) -> str:
        """What the submission printed, capped."""
        ...

    @property
    def timeouts(self) -> Sequence[Timeout]:
        """Limits in seconds that were hit."""
        ...

    @property
    def not_run(self) -> int:
        """Calls that were not made, because time or restarts were used up."""
        ...

    @property
    def seconds(self) -> Mapping[str, float]:
        """Time by phase."""
        ...


class Session(Protocol):
    """A submission running in isolation; `functions` stand in for what it defined."""

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]]: ...

    @property
    def log(self) -> Log: ...

    def __enter__(self) -> "Session": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


OpenSession = Callable[[Submission, Assignment], Session]
"""Opens a session for a submission: `ForkServer.open_session`, or in tests something that isolates nothing."""


def grade_one(
    submission: Submission, assignment: Assignment, open_session: OpenSession, seed: str | None = None
) -> SubmissionResult:
    """Runs the submission in isolation and every test case of the assignment against it.

    seed: the course's secret, from which hidden cases draw their inputs; None for the one in force.
    """
    from reference.inputs import seeds  # imports NumPy, which whoever reads the cases alone does not need

    with seeds.using(seed):
        return _grade(submission, assignment, open_session)


def _grade(submission: Submission, assignment: Assignment, open_session: OpenSession) -> SubmissionResult:
    cases = load_cases(assignment)
    install_recognition(assignment)
    install_implementations(assignment)
    started = time.monotonic()
    grader_notes: list[str] = []
    with open_session(submission, assignment) as session:
        opened = time.monotonic()
        functions = dict(session.functions)
        results: dict[str, CaseResult] = {}
        errors: dict[str, CheckError] = {}
        for case in in_order(assignment):
            results[case.name] = run_case(case, functions, grader_notes, session.log, errors)
        for question in assignment.questions:
            results |= settled(assignment, question.name, [results[case.name] for case in cases[question.name]], errors)
        questions = tuple(
            question_result(question, tuple(results[case.name] for case in cases[question.name]))
            for question in assignment.questions
        )
        tested = time.monotonic()
    log = session.log  # complete only now
    cells = tuple(f"Cell {number} raised an error: {text}" for number, text in log.failed_cells)
    status, problem = how_it_went(questions, log.timeouts, grader_notes)
    return SubmissionResult(
        file=submission.name,
        status=status,
        questions=questions,
        problem=problem,
        notes=(*submission.notes, *log.notes, *cells),
        grader_notes=tuple(grader_notes),
        output=log.output,
        seconds={
            **{phase: round(seconds, 4) for phase, seconds in log.seconds.items()},
            "open": round(opened - started, 4),
            "tests": round(tested - opened, 4),
            "close": round(time.monotonic() - tested, 4),
        },
        timeouts=tuple(log.timeouts),
    )


def how_it_went(
    questions: Sequence[QuestionResult], timeouts: Sequence[Timeout], grader_notes: Sequence[str]
) -> tuple[Status, str]:
    """The status of a submission that was run, and where it was not completed the sentence that says why."""
    if grader_notes:
        return "failed", f"The grader itself failed in {len(grader_notes)} test case(s): {grader_notes[0]}"
    over = next((timeout for timeout in timeouts if timeout.limit == "submission"), None)
    if over is None:
        return "completed", ""
    cases = [case for question in questions for case in question.cases]
    left = sum(case.failure != "" for case in cases)
    return "timed out", f"{over.sentence().capitalize()}; {left} of {len(cases)} cases were not run or not finished."


def ungraded(
    file: str,
    status: Status,
    problem: str,
    assignment: Assignment,
    notes: tuple[str, ...] = (),
    timeouts: tuple[Timeout, ...] = (),
) -> SubmissionResult:
    """The result of a submission that was not run: every case counts as failed."""
    try:
        cases = load_cases(assignment)
    except AssignmentError:
        cases = {question.name: () for question in assignment.questions}
    questions = tuple(
        question_result(
            question,
            tuple(
                CaseResult(
                    case.name, case.title, case.points, case.hidden, False, "This case was not run.", "", "not run"
                )
                for case in cases[question.name]
            ),
        )
        for question in assignment.questions
    )
    return SubmissionResult(
        file=file,
        status=status,
        questions=questions,
        problem=problem,
        notes=notes,
        timeouts=timeouts,
    )


def question_result(question: Question, cases: tuple[CaseResult, ...]) -> QuestionResult:
    """A question's cases together; a bonus question has nothing possible."""
    possible = 0.0 if question.bonus else round(sum(case.points for case in cases), 6)
    return QuestionResult(question.name, question.title, possible, question.bonus, cases)


def settled(
    assignment: Assignment, question: str, results: Sequence[CaseResult], errors: Mapping[str, "CheckError"]
) -> dict[str, CaseResult]:
    """The results of a question's cases, by name, with what all of them together say of the mistake behind them.

    errors: of the cases that were not passed, as `run_case` collects them.
    """
    from autograder.grading import recognition

    by_name = {result.name: result for result in results}
    failures = {
        name: None if result.passed else errors[name].failure
        for name, result in by_name.items()
        if result.passed or (name in errors and not result.failure and errors[name].failure is not None)
    }
    failed = [name for name, failure in failures.items() if failure is not None]
    if not failed:
        return by_name
    try:
        recognised = recognition.settle(str(assignment.folder), question, failures)
    except Exception:  # a sentence more or less is not worth a submission's grades
        return by_name
    for name in failed:
        error = errors[name]
        error.recognised = recognised.get(name, type(error.recognised)())
        by_name[name] = _said_by(by_name[name], error)
    return by_name


def _said_by(result: CaseResult, error: "CheckError") -> CaseResult:
    """The result with what the error says, and the mistake that was recognised."""
    recognised = error.recognised
    result = replace(
        result,
        message=error.told(hidden=result.hidden)[:_MESSAGE_LIMIT],
        mistake=recognised.sentence,
        mistakes=recognised.names,
        misconception=recognised.first,
        reread=recognised.reread,
    )
    if result.hidden:
        return result
    detail = error.values if recognised.sentence else ""
    return replace(result, detail=detail[:_MESSAGE_LIMIT], evidence=error.evidence or {})


def run_case(
    case: Case,
    functions: dict[str, Any],
    grader_notes: list[str],
    log: Log | None = None,
    errors: "dict[str, CheckError] | None" = None,
) -> CaseResult:
    """One case against the submission's functions; what is the grader's own fault is added to `grader_notes`.

    `log`: what the session has noted so far. Whether time was over is taken from there, not from what was raised, which
    can be the submission's own. errors: collects what ended a case, for `settled`.
    """
    from adkit.checks.errors import CheckError, told  # imports NumPy: not for who only reads results

    message = ""
    passed = False
    error_found: CheckError | None = None
    kind: Kind | Literal[""] = ""
    before = (0, 0) if log is None else (len(log.timeouts), log.not_run)
    try:
        case.run(functions)
        passed = True
    except AssertionError as error:
        message = told(error, hidden=case.hidden)
        error_found = error if isinstance(error, CheckError) else None
        kind = error_found.kind if error_found is not None else "wrong answer"
    except Exception as error:
        # Not the submission's fault: proxies raise AssertionErrors. It costs the case, and the instructor is
        # told.
        message = "The grader itself failed on this case; your instructor sees why."
        grader_notes.append(f"{case.name}: {type(error).__name__}: {str(error)[:500]}")
    failure: Failure = ""
    if log is not None and not passed:
        failure = "timeout" if len(log.timeouts) > before[0] else "not run" if log.not_run > before[1] else ""
    if failure == "timeout":
        kind = "time limit"
    elif failure == "not run":
        kind = ""
    elif kind == "time limit" and log is not None:  # an exception of the submission's own with that name
        kind = "exception"
    result = CaseResult(
        case.name, case.title, case.points, case.hidden, passed, message[:_MESSAGE_LIMIT], failure=failure, kind=kind
    )
    if error_found is None:
        return result
    if errors is not None:
        errors[case.name] = error_found
    return _said_by(result, error_found)


def install_recognition(assignment: Assignment) -> None:
    """Lets failing checks name the known mistake behind them."""
    from autograder.grading import recognition  # imports NumPy and JAX: only when something is graded

    recognition.install(str(assignment.folder))


def install_implementations(assignment: Assignment) -> None:
    """Lets the implementations that public cases hand out be run by the grader's own program, without JAX."""
    from adkit import implementations

    package, own = "reference.implementations", None
    if find_spec(package) is not None and find_spec(f"{package}.{assignment.name}") is not None:
        own = import_module(package).own(assignment.name, import_module(f"{package}.{assignment.name}").OWN)
    implementations.graders_own = own

"""Cases of an assignment, run with functions of this very process: no session, no isolation, the messages are those
that a submission would get."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from adkit.checks.errors import CheckError, Recognised, StudentError
from adkit.notebook.time_limit import limits

from autograder.assignment import Assignment
from autograder.grading import recognition
from autograder.testcases import Case, load_cases


@cache
def assignment_of(name: str) -> Assignment:
    return Assignment.load(name)


@cache
def reference_of(name: str) -> Mapping[str, Callable[..., Any]]:
    """The reference's function for each of the student's."""
    module = import_module(f"reference.{name}")
    return {function: getattr(module, function) for function in assignment_of(name).functions}


def cases_of(assignment: str, question: str) -> tuple[Case, ...]:
    return load_cases(assignment_of(assignment))[question]


def question_of(assignment: str, function: str) -> str:
    """The question that asks for a function."""
    return next(q.name for q in assignment_of(assignment).questions if function in q.functions)


def failures(
    assignment: str,
    question: str,
    functions: Mapping[str, Any],
    seconds: float = 60.0,
    cases: Sequence[Case] | None = None,
) -> dict[str, CheckError]:
    """What is raised in the cases of a question that do not pass, by case; the reference is used for what is not given.

    seconds: the limit of one call. cases: other ones than all of the question. Where `autograder.grading.recognition`
    is installed, the errors say what it finds.
    """
    everything = {**reference_of(assignment), **functions}
    found: dict[str, CheckError] = {}
    with limits(seconds, timeouts=3):
        for case in cases_of(assignment, question) if cases is None else cases:
            try:
                case.run(dict(everything))
            except CheckError as problem:
                found[case.name] = problem
            except AssertionError as problem:
                found[case.name] = StudentError(str(problem))
    return found


def settled(assignment: str, question: str, found: Mapping[str, CheckError]) -> dict[str, Recognised]:
    """The known mistakes behind the failures of a question's cases, as a grader finds them when all have been run."""
    failures = {
        case.name: found[case.name].failure if case.name in found else None
        for case in cases_of(assignment, question)
        if case.name not in found or found[case.name].failure is not None
    }
    return recognition.settle(assignment, question, failures)

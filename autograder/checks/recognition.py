"""Which known mistake makes exactly this answer?

When a case fails, its test function is run again with each known mistake of the question in the student's place; a
mistake that fails at the same check with the same answer, up to rounding, is what the student is told. This costs
nothing while answers are right, and each mistake is run at most once a case in the life of a process.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from adkit import checks
from adkit.fingerprint import TOLERANCE
from otter.test_files import ExceptionTestFile

from autograder.assignment import Assignment
from reference.mistakes import Mistake, catalogue

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false


@dataclass(frozen=True)
class Case:
    """One test function of an assignment."""

    name: str
    question: str
    hidden: bool
    function: Callable[..., None]


def install(assignment_name: str) -> None:
    """From now on failing checks of that assignment's cases name the mistake behind them."""
    recognise = _recogniser(assignment_name)
    checks.recogniser = recognise


def known_mistakes_table(
    assignment_name: str, test_files: Iterable[str | Path]
) -> dict[str, dict[str, list[list[str]]]]:
    """What the known mistakes answer in the public cases of these files: it is handed out with them.

    {test function: {ordinal of the failing check: [[fingerprint of the answer, sentence], …]}}. An answer cannot be
    got back from its fingerprint.
    """
    table: dict[str, dict[str, list[list[str]]]] = {}
    for file in test_files:
        for case in _cases(Path(file)):
            if case.hidden:
                continue
            entries: dict[str, list[list[str]]] = {}
            for mistake in catalogue(assignment_name):
                if mistake.question != case.question:
                    continue
                found = _answer_of(assignment_name, case, mistake)
                if found is not None:
                    entries.setdefault(str(found[0]), []).append([found[1], mistake.says])
            if entries:
                table[case.name] = entries
    return table


@lru_cache
def _recogniser(assignment_name: str) -> Callable[[checks.Failure], str | None]:
    assignment = Assignment.load(assignment_name)
    cases = {case.name: case for file in sorted(assignment.tests_dir.glob("*.py")) for case in _cases(file)}
    answers: dict[tuple[str, Mistake], tuple[int, str] | None] = {}

    def recognise(failure: checks.Failure) -> str | None:
        case = cases.get(failure.test)
        if case is None or not failure.answered:
            return None
        key = checks.fingerprint(failure.answer)
        sentences: list[str] = []
        for mistake in catalogue(assignment.name):
            if mistake.question != case.question:
                continue
            if (case.name, mistake) not in answers:
                answers[case.name, mistake] = _answer_of(assignment.name, case, mistake)
            found = answers[case.name, mistake]
            if found is not None and found[0] == failure.ordinal and checks.matches(found[1], key):
                sentences.append(mistake.says)
        return checks.sentence_of(sentences, failure.answer)

    return recognise


def _answer_of(assignment_name: str, case: Case, mistake: Mistake) -> tuple[int, str] | None:
    """At which check the mistake fails in that case, and the fingerprint of its answer; None when there is none."""
    parameters = list(signature(case.function).parameters)
    if mistake.function not in parameters:
        return None
    reference = import_module(f"reference.{assignment_name}")
    functions: dict[str, Any] = {name: getattr(reference, name, None) for name in parameters}
    functions[mistake.function] = mistake.implementation
    try:
        failure = checks.first_failure(lambda: case.function(**functions))
    except Exception:  # a mistake may break a case's own arithmetic, as a student's answer may
        return None
    if failure is None or not failure.answered:
        return None
    # A mistake that is nearly right is recognised from much nearer than it is to the right answer: otherwise its
    # sentence would be said to whatever else is nearly right.
    tolerance = TOLERANCE if failure.distance is None else min(TOLERANCE, failure.distance / 100)
    return failure.ordinal, checks.fingerprint(failure.answer, tolerance)


def _cases(file: Path) -> list[Case]:
    """The cases of a test file, as Otter reads it."""
    loaded = ExceptionTestFile.from_file(str(file))
    return [
        Case(case.body.test_func.__name__, str(loaded.name), bool(case.hidden), case.body.test_func)
        for case in loaded.test_cases
    ]

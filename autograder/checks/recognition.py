"""Which known mistake makes exactly this answer?

When a case fails, its test function is run again with each known mistake of the question in the student's place; a
mistake that fails at the same check with the same answer, up to rounding, is what the student is told. This costs
nothing while answers are right, and each mistake is run at most once a case: what it answers is kept for as long as the
process lives, and can be handed to the next one.
"""

import json
import os
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
from autograder.checks.seeds import seed
from reference.mistakes import Mistake, catalogue

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

_Answer = tuple[int, str]
"""At which check of the case a mistake fails, and the fingerprint of what it answers."""


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


class _Recogniser:
    """Names the known mistakes of one assignment, and remembers what each of them answers."""

    def __init__(self, assignment_name: str) -> None:
        self.assignment = Assignment.load(assignment_name)
        self._cases = {
            case.name: case for file in sorted(self.assignment.tests_dir.glob("*.py")) for case in _cases(file)
        }
        self.answers: dict[str, dict[str, dict[str, _Answer | None]]] = {}
        """By seed (hidden cases draw their inputs from it), test function and mistake."""
        self.unsaved = False

    def __call__(self, failure: checks.Failure) -> str | None:
        """The sentence for a failed check; None when no known mistake answers like that."""
        case = self._cases.get(failure.test)
        if case is None or not failure.answered:
            return None
        key = checks.fingerprint(failure.answer)
        known = self.answers.setdefault(seed(), {}).setdefault(case.name, {})
        sentences: list[str] = []
        for mistake in catalogue(self.assignment.name):
            if mistake.question != case.question:
                continue
            name = f"{mistake.function}__{mistake.name}"
            if name not in known:
                known[name] = _answer_of(self.assignment.name, case, mistake)
                self.unsaved = True
            found = known[name]
            if found is not None and found[0] == failure.ordinal and checks.matches(found[1], key):
                sentences.append(mistake.says)
        return checks.sentence_of(sentences, failure.answer)


def save_answers(assignment_name: str, file: Path) -> None:
    """Writes what the known mistakes were found to answer under the seed in force, for `load_answers` of another
    process; nothing when `file` holds it all.

    It holds fingerprints of answers in hidden cases: its owner alone may read it.
    """
    recogniser = _recogniser(assignment_name)
    if not recogniser.unsaved:
        return
    content = json.dumps(recogniser.answers.get(seed(), {})).encode()
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
        target.write(content)
    partial.replace(file)
    recogniser.unsaved = False


def load_answers(assignment_name: str, file: Path) -> None:
    """Takes over what an earlier process found under the seed in force; without a usable file that is looked for
    again, which only costs time."""
    try:
        given: dict[str, dict[str, list[Any] | None]] = json.loads(file.read_text(encoding="utf-8"))
        answers = {
            case: {name: None if found is None else (int(found[0]), str(found[1])) for name, found in entries.items()}
            for case, entries in given.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, IndexError):
        return
    known = _recogniser(assignment_name).answers.setdefault(seed(), {})
    for case, entries in answers.items():
        known.setdefault(case, {}).update(entries)


@lru_cache
def _recogniser(assignment_name: str) -> _Recogniser:
    return _Recogniser(assignment_name)


def _answer_of(assignment_name: str, case: Case, mistake: Mistake) -> _Answer | None:
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

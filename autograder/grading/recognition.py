"""Which known mistake makes exactly this answer?

When a case fails, its test function is run again with each known mistake of the question in the student's place; a
mistake that fails at the same check with the same answer, up to rounding, is what the student is told. This costs
nothing while answers are right, and each mistake is run at most once per case: what it answers is kept for as long as
the process lives, and can be handed to the next one.
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import numpy as np
from adkit import checks
from adkit.checks import NEAR, known_mistakes
from adkit.checks.fingerprint import TOLERANCE
from numpy.typing import NDArray

from autograder.assignment import Assignment
from autograder.testcases import Case, load_cases, read_cases
from reference.inputs.seeds import seed
from reference.mistakes import Mistake, catalogue

_Answer = tuple[int, str]
"""At which check of the case a mistake fails, and the fingerprint of what it answers."""


@dataclass(frozen=True)
class PublicAnswer:
    """What a known mistake answers where a public case fails."""

    test: str
    """The test function."""
    ordinal: int
    """Which of its checks fails."""
    answer: Any
    """Plain data."""
    tolerance: float
    """Relative: what is further away is another answer."""
    mistake: Mistake
    rounding: bool = False
    """Whether the last digits that matter come from rounding, so that another machine answers something else."""


@dataclass(frozen=True)
class Held:
    """A value that a student has before answering anything."""

    value: Any
    """Plain data."""
    origin: str


def install(assignment_name: str) -> None:
    """From now on failing checks of that assignment's cases name the mistake behind them."""
    recognise = _recogniser(assignment_name)
    known_mistakes.recogniser = recognise


def public_answers(assignment_name: str, test_files: Iterable[str | Path]) -> list[PublicAnswer]:
    """What the known mistakes answer in the public cases of these files, for the table that is handed out with them."""
    return [
        found
        for case in _public(test_files)
        for mistake in catalogue(assignment_name)
        if mistake.question == case.question
        if (found := _public_answer(assignment_name, case, mistake)) is not None
    ]


def held_values(assignment_name: str, test_files: Iterable[str | Path], stubs: dict[str, Any]) -> Iterator[Held]:
    """What running the public cases of these files shows to anyone: inputs, right answers, and what stubs answer.

    stubs: the template's functions by name. A value is plain data.
    """
    reference = import_module(f"reference.{assignment_name}")
    for case in _public(test_files):
        parameters = case.parameters
        for functions, whose in (
            ({name: getattr(reference, name, None) for name in parameters}, "the right answer"),
            ({name: stubs.get(name) for name in parameters}, "what the stub answers"),
        ):
            for arguments, answer in _calls(case, functions):
                yield from (Held(argument, f"an input of {case.name}") for argument in arguments)
                yield Held(answer, f"{whose} in {case.name}")


def _calls(case: Case, functions: dict[str, Any]) -> list[tuple[tuple[Any, ...], Any]]:
    calls: list[tuple[tuple[Any, ...], Any]] = []
    with suppress(Exception):  # a stub may break a case's own arithmetic
        calls = checks.calls_of(lambda: case.function(**functions))
    return calls


def _public(test_files: Iterable[str | Path]) -> Iterator[Case]:
    return (case for file in map(Path, test_files) for case in read_cases(file, file.stem) if not case.hidden)


def _public_answer(assignment_name: str, case: Case, mistake: Mistake) -> PublicAnswer | None:
    failure = _failure_of(assignment_name, case, mistake)
    if failure is None:
        return None
    found = PublicAnswer(case.name, failure.ordinal, failure.answer, _tolerance(failure), mistake)
    return replace(found, rounding=_made_of_rounding(assignment_name, case, found, failure.distance))


def _made_of_rounding(assignment_name: str, case: Case, found: PublicAnswer, distance: float | None) -> bool:
    """Whether an answer that is nearly right is right but for rounding.

    Then it is single-precision, or inputs that differ by their last bit give another answer: as other processors do.
    """
    if distance is None or not 0.0 < distance < NEAR:
        return False
    with np.errstate(over="ignore"):
        if all(np.array_equal(part, part.astype(np.float32)) for part in _float_arrays(found.answer)):
            return True
    failure = _failure_of(assignment_name, case, replace(found.mistake, implementation=_nudged(found.mistake)))
    if failure is None or failure.ordinal != found.ordinal:
        return True
    keys = (checks.fingerprint(answer, found.tolerance) for answer in (failure.answer, found.answer))
    return not checks.matches(*keys)


def _float_arrays(value: Any) -> Iterator[NDArray[np.float64]]:
    if isinstance(value, list | tuple):
        for part in cast("Iterable[Any]", value):
            yield from _float_arrays(part)
    elif isinstance(value, float | np.ndarray):
        yield np.asarray(value, dtype=np.float64)


def _nudged(mistake: Mistake) -> Callable[..., Any]:
    """The mistake, with the next larger number for every floating-point number it is given.

    A function that it is given is evaluated at the next larger numbers; the points of a difference stay where they are.
    """

    def nudge(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return type(cast("Any", value))(nudge(part) for part in cast("Iterable[Any]", value))
        array = isinstance(value, np.ndarray) and np.issubdtype(cast("NDArray[Any]", value).dtype, np.floating)
        return np.nextafter(cast("Any", value), np.inf) if isinstance(value, float) or array else cast("Any", value)

    def called(*args: Any) -> Any:
        if any(callable(argument) for argument in args):
            return mistake.implementation(
                *[_at(argument, nudge) if callable(argument) else argument for argument in args]
            )
        return mistake.implementation(*map(nudge, args))

    return called


def _at(function: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda *args: function(*map(change, args))


class _Recogniser:
    """Names the known mistakes of one assignment, and remembers what each of them answers."""

    def __init__(self, assignment_name: str) -> None:
        self.assignment = Assignment.load(assignment_name)
        self._cases = {case.name: case for cases in load_cases(self.assignment).values() for case in cases}
        self.answers: dict[str, dict[str, dict[str, _Answer | None]]] = {}
        """By seed (hidden cases draw their inputs from it), test function and mistake."""
        self.unsaved = False

    def __call__(self, failure: checks.Failure) -> checks.Recognised:
        """The known mistakes behind a failed check: those whose sentences the student is told."""
        case = self._cases.get(failure.test)
        if case is None or not failure.answered:
            return checks.Recognised()
        key = checks.fingerprint(failure.answer)
        known = self.answers.setdefault(seed(), {}).setdefault(case.name, {})
        fitting: list[Mistake] = []
        for mistake in catalogue(self.assignment.name):
            if mistake.question != case.question:
                continue
            name = f"{mistake.function}__{mistake.name}"
            if name not in known:
                known[name] = _answer_of(self.assignment.name, case, mistake)
                self.unsaved = True
            found = known[name]
            if found is not None and found[0] == failure.ordinal and checks.matches(found[1], key):
                fitting.append(mistake)
        sentence = checks.sentence_of([mistake.says for mistake in fitting], failure.answer)
        if sentence is None:
            return checks.Recognised()
        own = self.assignment.question(case.question).heading
        return checks.Recognised(
            sentence,
            tuple(dict.fromkeys(f"{mistake.function}__{mistake.name}" for mistake in fitting)),
            fitting[0].says,
            tuple(dict.fromkeys(mistake.reread or own for mistake in fitting)),
        )


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
    failure = _failure_of(assignment_name, case, mistake)
    return None if failure is None else (failure.ordinal, checks.fingerprint(failure.answer, _tolerance(failure)))


def _failure_of(assignment_name: str, case: Case, mistake: Mistake) -> checks.Failure | None:
    """How the mistake fails in that case; None when it does not, or when it does not answer."""
    parameters = case.parameters
    if mistake.function not in parameters:
        return None
    reference = import_module(f"reference.{assignment_name}")
    functions: dict[str, Any] = {name: getattr(reference, name, None) for name in parameters}
    functions[mistake.function] = mistake.implementation
    try:
        failure = checks.first_failure(lambda: case.function(**functions))
    except Exception:  # a mistake may break a case's own arithmetic, as a student's answer may
        return None
    return failure if failure is not None and failure.answered else None


def _tolerance(failure: checks.Failure) -> float:
    """How near, relatively, an answer has to be to that of a mistake.

    A mistake that is nearly right is recognised from much nearer than it is to the right answer: otherwise its sentence
    would be said to whatever else is nearly right.
    """
    return TOLERANCE if failure.distance is None else min(TOLERANCE, failure.distance / 100)

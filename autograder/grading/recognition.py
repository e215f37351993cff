"""Which known mistake makes exactly this answer?

When a case fails, its test function is run again with each known mistake of the question in the student's place; a
mistake that fails at the same check with the same answer, up to rounding, is a candidate. So is one whose sign shows in
the answer (`reference.mistakes.signs`), and one that is a small change of any size, where the error has the direction
of its error. This costs nothing while answers are right, and each mistake is run at most once per case: what it answers
is kept for as long as the process lives, and can be handed to the next one.

One case alone often cannot tell: a zero, a word or an exception has many causes. When all cases of a question have been
run, `settle` compares them. Mistakes that fail a check which the student's function passed stand back behind those that
do not, and what only a sign shows is dropped where another case speaks against it; of the rest those are told that are
behind most of the failed cases. A zero, a word or an exception holds little by itself: it is named only where one
mistake, or two together, are behind every case that failed, and fail no check that was passed.

In the cases that are left then the answer is read: of some mistakes it shows what it is made of, whichever way they
were made (`reference.facts`).
"""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib import import_module
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import numpy as np
from adkit import checks
from adkit.checks import NEAR, known_mistakes
from adkit.checks.fingerprint import TOLERANCE
from numpy.typing import NDArray

from autograder.assignment import Assignment
from autograder.testcases import Case, load_cases, read_cases
from reference.facts import facts_of, read_fact
from reference.inputs.seeds import seed
from reference.mistakes import Mistake, catalogue

_Answer = tuple[int, str]
"""At which check of the case a mistake fails, and the fingerprint of what it answers; of one that raises there, the
exception's class after an exclamation mark, and of one that JAX cannot trace the mark alone."""
_FEW = {"RecursionError", "TimeoutError"}
"""Exceptions of one cause; the class of any other depends on how a mistake is written."""


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
class _Holding:
    """A fact that holds, and nothing speaks against it."""

    mistake: Mistake
    there: set[str]
    """The failed cases in which it is told."""
    asked: set[str]
    """The failed cases that call the mistake's function."""
    everywhere: bool
    """Whether it holds in all of these in which it sees anything."""


@dataclass
class _Observed:
    """A student's failure, compared with many mistakes."""

    failure: checks.Failure

    @cached_property
    def key(self) -> str:
        """Of its answer; the answer may be a schedule of a million actions."""
        return checks.fingerprint(self.failure.answer)


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
        if mistake.question == case.question and not mistake.throughout
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
        self._failures: dict[tuple[str, str, str], checks.Failure | None] = {}
        self.unsaved = False

    def __call__(self, failure: checks.Failure) -> checks.Recognised:
        """The known mistakes behind a failed check: those whose sentences the student is told."""
        case = self._cases.get(failure.test)
        if case is None:
            return checks.Recognised()
        observed = _Observed(failure)
        fitting = [
            mistake
            for mistake in catalogue(self.assignment.name)
            if mistake.question == case.question and not mistake.throughout
            # a number that a mistake leaves open has to be the same in two cases: in one, only its own answer tells
            if self._fits(case, replace(mistake, sign=None) if mistake.repeated else mistake, observed)
        ]
        sentence = None
        if failure.answered:
            sentence = checks.sentence_of([mistake.says for mistake in fitting], failure.answer)
        return checks.Recognised() if sentence is None else self._told(case.question, sentence, fitting)

    def settle(self, question: str, failures: Mapping[str, checks.Failure | None]) -> dict[str, checks.Recognised]:
        """What to say in the failed cases of a question, once all have been run.

        failures: by case; None for a case that was passed.
        """
        cases = {name: self._cases[name] for name in failures}
        failed = {name: failure for name, failure in failures.items() if failure is not None}
        mistakes = [mistake for mistake in catalogue(self.assignment.name) if mistake.question == question]
        behind: dict[str, list[Mistake]] = {}
        for name, failure in failed.items():
            observed = _Observed(failure)
            behind[name] = [mistake for mistake in mistakes if self._fits(cases[name], mistake, observed)]
        for mistake in mistakes:
            self._take_away_what_is_contradicted(mistake, cases, failed, behind)
        found = [m for m in mistakes if any(m in each for each in behind.values())]
        refuted = [m for m in found if self._is_refuted(m, cases, failures)]
        cases_of = {_name(m): {name for name in failed if m in behind[name]} for m in mistakes}
        telling: dict[str, checks.Recognised] = {}
        for name, failure in failed.items():
            asked = {n for n in failed if set(cases[n].parameters) & set(cases[name].parameters)}
            if not failure.answered and not failure.kinds:
                continue  # it could not be traced or counted, which is no answer
            fitting = [m for m in behind[name] if m not in refuted]
            fitting = [m for m in fitting if not m.throughout or asked <= cases_of[_name(m)]]
            if not _is_telling(failure):
                # those that leave no failed case unexplained, alone or in pairs
                alone = [m for m in fitting if asked <= cases_of[_name(m)]]
                if not alone and len(asked) > 1 and _size(failure) > 1:
                    alone = [m for m in behind[name] if asked <= cases_of[_name(m)]]
                pairs = [
                    pair
                    for pair in combinations([m for m in found if m not in refuted], 2)
                    if asked <= cases_of[_name(pair[0])] | cases_of[_name(pair[1])]
                ]
                fitting = alone or [m for m in fitting if any(m in pair for pair in pairs)]
            elif not fitting and not _is_one_number(failure):
                # so many numbers are one mistake's, though elsewhere it was made otherwise than in the catalogue
                fitting = [m for m in behind[name] if not m.throughout]
            most = max((len(cases_of[_name(m)]) for m in fitting), default=0)
            fitting = [m for m in fitting if len(cases_of[_name(m)]) == most]
            distinct = list(dict.fromkeys(m.says for m in fitting))
            if 1 <= len(distinct) <= 2:
                telling[name] = self._told(question, " Or: ".join(distinct), fitting)
        return telling | self._told_by_facts(question, mistakes, cases, failed, telling)

    def _told_by_facts(
        self,
        question: str,
        mistakes: Sequence[Mistake],
        cases: Mapping[str, Case],
        failed: Mapping[str, checks.Failure],
        told: Mapping[str, checks.Recognised],
    ) -> dict[str, checks.Recognised]:
        """What to say in the cases in which nothing is told: sentences that are true of the answer, whatever it comes
        from.

        One that holds in every failed case of its function is also told in the place of a mistake that does not explain
        them all.
        """
        facts = facts_of(self.assignment.name)
        known = [mistake for mistake in mistakes if _name(mistake) in facts]
        if not known or not failed:
            return {}
        if set(told) == set(failed) and all(_cases_told(told, each.names) == set(failed) for each in told.values()):
            return {}
        holding: list[_Holding] = []
        for mistake in known:
            asked = {name for name in failed if mistake.function in cases[name].parameters}
            looked = {name: read_fact(facts[_name(mistake)], failed[name]) for name in asked}
            seen = {name: found for name, found in looked.items() if found is not None}
            there = {name for name, found in seen.items() if found > 0}
            if there and not any(found < 0 for found in seen.values()):
                everywhere = there == set(seen)
                if everywhere or _name(mistake) not in facts.weak:
                    # where nothing was answered and the fact sees nothing, there may be another reason
                    told_in = there | {name for name in asked - set(seen) if everywhere and failed[name].answered}
                    holding.append(_Holding(mistake, told_in, asked, everywhere))
        telling: dict[str, checks.Recognised] = {}
        for name in failed:
            true = [each for each in holding if name in each.there]
            if name in told:
                true = [each for each in true if each.everywhere and len(each.asked) > 1]
                if any(each.asked <= _cases_told(told, told[name].names) for each in true):
                    continue
            true.sort(key=lambda each: -len(each.there))
            if true:
                distinct = list(dict.fromkeys(each.mistake.says for each in true))[:2]
                telling[name] = self._told(
                    question, " Or: ".join(distinct), [each.mistake for each in true if each.mistake.says in distinct]
                )
        return telling

    def _take_away_what_is_contradicted(
        self,
        mistake: Mistake,
        cases: Mapping[str, Case],
        failed: Mapping[str, checks.Failure],
        behind: Mapping[str, list[Mistake]],
    ) -> None:
        """Takes the mistake away when what is seen in a case speaks against it, and where only its sign shows it and
        leaves a number open that no other case shows as well."""
        there = [name for name in failed if mistake in behind[name]]
        if not there:
            return
        asked = [name for name in failed if mistake.function in cases[name].parameters]
        numbers = {} if mistake.sign is None else {name: shown(mistake, failed[name]) for name in asked}
        against = any(number < 0 for number in numbers.values()) or any(
            self._is_denied(mistake, failed[name]) for name in asked
        )
        without = replace(mistake, sign=None)
        for name in there:
            once = mistake.repeated and list(numbers.values()).count(numbers[name]) < 2
            if against or (once and not self._fits(cases[name], without, _Observed(failed[name]))):
                behind[name].remove(mistake)

    def _told(self, question: str, sentence: str, fitting: Sequence[Mistake]) -> checks.Recognised:
        own = self.assignment.question(question).heading
        return checks.Recognised(
            sentence,
            tuple(dict.fromkeys(map(_name, fitting))),
            fitting[0].says,
            tuple(dict.fromkeys(mistake.reread or own for mistake in fitting)),
        )

    def _known(self, case: Case, mistake: Mistake) -> _Answer | None:
        """How the mistake fails in that case."""
        known = self.answers.setdefault(seed(), {}).setdefault(case.name, {})
        name = _name(mistake)
        if name not in known:
            known[name] = _answer_of(self.assignment.name, case, mistake)
            self.unsaved = True
        return known[name]

    def _fits(self, case: Case, mistake: Mistake, observed: _Observed) -> bool:
        """Whether the mistake can be behind the failure."""
        failure = observed.failure
        if mistake.function not in case.parameters:
            return False
        if failure.answered and shown(mistake, failure) > 0:
            return True
        found = self._known(case, mistake)
        if found is None:
            return False
        ordinal, key = found
        if not failure.answered:
            raised = failure.kinds[0] if failure.kinds else ""
            own = key.removeprefix("!")
            if not key.startswith("!") or ordinal != failure.ordinal or self._is_denied(mistake, failure):
                return False
            return raised == own if {raised, own} & {"", *_FEW} else True
        if mistake.first_order and _has_direction_of(self._failure(case, mistake), failure):
            return True
        if ordinal != failure.ordinal:
            return False
        return checks.matches(key, observed.key) or (
            _is_infinite(failure) and not any(map(_finite, _float_arrays(self._own_answer(case, mistake))))
        )

    def _is_denied(self, mistake: Mistake, failure: checks.Failure) -> bool:
        """Whether a fact speaks against the mistake: an answer or an exception that it never gives."""
        fact = facts_of(self.assignment.name).get(_name(mistake))
        return fact is not None and (read_fact(fact, failure) or 0) < 0

    def _failure(self, case: Case, mistake: Mistake) -> checks.Failure | None:
        """How the mistake fails, as a whole: for the few whose fingerprint is not enough."""
        key = (seed(), case.name, _name(mistake))
        if key not in self._failures:
            self._failures[key] = _failure_of(self.assignment.name, case, mistake)
        return self._failures[key]

    def _own_answer(self, case: Case, mistake: Mistake) -> Any:
        own = self._failure(case, mistake)
        return 0.0 if own is None else own.answer

    def _is_refuted(
        self, mistake: Mistake, cases: Mapping[str, Case], failures: Mapping[str, checks.Failure | None]
    ) -> bool:
        """Whether the student's function passed a check that the mistake fails.

        What is known by a sign, or is of any size, need not fail where the catalogue's own does.
        """
        if mistake.sign is not None or mistake.first_order:
            return False
        for name, failure in failures.items():
            if mistake.function not in cases[name].parameters:
                continue
            found = self._known(cases[name], mistake)
            if found is not None and (failure is None or (0 < found[0] < failure.ordinal)):
                return True
        return False


def settle(
    assignment_name: str, question: str, failures: Mapping[str, checks.Failure | None]
) -> dict[str, checks.Recognised]:
    """What to say in the failed cases of a question, by case, once all of them have been run; nothing for a case in
    which no mistake can be told.

    failures: of every case of the question that was run; None for one that was passed.
    """
    return _recogniser(assignment_name).settle(question, failures)


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
    failure = _first_failure_of(assignment_name, case, mistake)
    if failure is None:
        return None
    if not failure.answered:
        return failure.ordinal, f"!{failure.kinds[0] if failure.kinds else ''}"
    return failure.ordinal, checks.fingerprint(failure.answer, _tolerance(failure))


def _failure_of(assignment_name: str, case: Case, mistake: Mistake) -> checks.Failure | None:
    """How the mistake fails in that case; None when it does not, or when it does not answer."""
    failure = _first_failure_of(assignment_name, case, mistake)
    return failure if failure is not None and failure.answered else None


def _first_failure_of(assignment_name: str, case: Case, mistake: Mistake) -> checks.Failure | None:
    parameters = case.parameters
    if mistake.function not in parameters:
        return None
    reference = import_module(f"reference.{assignment_name}")
    functions: dict[str, Any] = {name: getattr(reference, name, None) for name in parameters}
    functions[mistake.function] = mistake.implementation
    try:
        return checks.first_failure(lambda: case.function(**functions))
    except Exception:  # a mistake may break a case's own arithmetic, as a student's answer may
        return None


def _name(mistake: Mistake) -> str:
    return f"{mistake.function}__{mistake.name}"


def shown(mistake: Mistake, failure: checks.Failure) -> int:
    """The mistake's sign in the answer: positive where it shows the mistake, negative where it speaks against it, 0
    where there is none. An answer may be anything, and break a sign."""
    with suppress(Exception):
        return int(mistake.sign(failure)) if mistake.sign is not None else 0
    return 0


def _cases_told(told: Mapping[str, checks.Recognised], names: Sequence[str]) -> set[str]:
    """The cases in which one of these mistakes is told."""
    return {name for name, recognised in told.items() if set(names) & set(recognised.names)}


def _is_telling(failure: checks.Failure) -> bool:
    """Whether an answer holds enough to be that of one mistake: not a zero, a word, NaN alone, or an exception."""
    if not failure.answered:
        return False
    if failure.accepted:
        return True
    numbers = list(_float_arrays(failure.answer))
    if numbers:
        finite = np.concatenate([part[np.isfinite(part)].ravel() for part in numbers])
        return bool(finite.size > 1 and np.count_nonzero(finite))
    return checks.sentence_of(["one", "another"], failure.answer) is not None


def _is_one_number(failure: checks.Failure) -> bool:
    """Whether all numbers of the answer but one are zero: two mistakes may well agree on that one."""
    numbers = list(_float_arrays(failure.answer))
    return bool(numbers) and sum(int(np.count_nonzero(part)) for part in numbers) < 2


def _finite(part: NDArray[np.float64]) -> bool:
    return bool(np.isfinite(part).any())


def _is_infinite(failure: checks.Failure) -> bool:
    """Whether the answer holds no number that is finite, and some that are infinite: divided by zero in another order
    that gives NaN."""
    numbers = list(_float_arrays(failure.answer))
    return not any(map(_finite, numbers)) and any(bool(np.isinf(part).any()) for part in numbers)


def _size(failure: checks.Failure) -> int:
    """How many numbers the answer holds, NaN among them."""
    return sum(part.size for part in _float_arrays(failure.answer))


def _has_direction_of(own: checks.Failure | None, failure: checks.Failure) -> bool:
    """Whether a small error is a multiple of the mistake's error at the same check."""
    if own is None or own.ordinal != failure.ordinal or own.right is None or failure.right is None:
        return False
    errors: list[NDArray[np.float64]] = []
    for each in (own, failure):
        answer, right = np.asarray(each.answer), np.asarray(each.right)
        if answer.dtype.kind != "f" or answer.shape != right.shape or answer.size < 3 or not np.isfinite(answer).all():
            return False
        error, size = answer - right, float(np.linalg.norm(right))
        if not 0.0 < float(np.linalg.norm(error)) <= 1e-2 * (size or 1.0):
            return False
        errors.append(np.ravel(error / np.linalg.norm(error)))
    return abs(float(errors[0] @ errors[1])) > 0.999


def _tolerance(failure: checks.Failure) -> float:
    """How near, relatively, an answer has to be to that of a mistake.

    A mistake that is nearly right is recognised from much nearer than it is to the right answer: otherwise its sentence
    would be said to whatever else is nearly right.
    """
    return TOLERANCE if failure.distance is None else min(TOLERANCE, failure.distance / 100)

"""`autograder regrade`: chosen submissions of a run, or chosen questions of them, graded again into the same folder.

The journal keeps what was before; the last record of a submission counts. A regrade with which the grader itself fails
changes nothing. Tests, references and checks may have changed since, their questions and points may not.
"""

import csv
import io
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.grading import grade as grading
from autograder.grading.cache import digest_of
from autograder.grading.grade import Listener, Order
from autograder.records import journal
from autograder.records import run as output
from autograder.records.final import Finals, people_of
from autograder.records.journal import Journal, Record
from autograder.records.people import PeopleError
from autograder.records.results import CaseResult, SubmissionResult
from autograder.records.roster import table
from autograder.submissions.batch import Batch, Entry, gather
from autograder.suggest import did_you_mean
from autograder.text import for_terminal

FILE = "regraded.csv"
_COLUMNS = ("when", "file", "question", "case", "before", "after", "total before", "total after", "why")


class RegradeError(Exception):
    """What cannot be graded again; the message says why and what to do."""


@dataclass(frozen=True)
class Change:
    """A test case, or all of a submission, that came out differently."""

    question: str
    case: str
    before: float
    after: float
    why: str


@dataclass(frozen=True)
class Regraded:
    """A submission whose result changed."""

    file: str
    before: float
    """The grades, after late reduction, adjustments and cap."""
    after: float
    changes: tuple[Change, ...]


@dataclass
class Outcome:
    """What a regrade changed."""

    changed: list[Regraded] = field(default_factory=list[Regraded])
    unchanged: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Submissions that the grader failed on, with the problem: they keep what they had."""
    notes: list[str] = field(default_factory=list[str])


def regrade(
    order: Order,
    students: Sequence[str] = (),
    questions: Sequence[str] = (),
    listener: Listener | None = None,
    outcome: Outcome | None = None,
) -> Outcome:
    """Grades again; `students` and `questions` choose, all of them when empty. `outcome` is filled as it goes."""
    outcome = outcome or Outcome()
    run = output.Run.read(order.out)
    contract = order.contract or digest_of(order.assignment)
    _check(order, run, questions)
    stems: dict[str, str] = {}
    unreadable: set[str] = set()
    for record in journal.read_latest(order.out):
        stems[record.name] = record.stem
        unreadable |= {record.name} if record.result.status == "unreadable" else set()
    entries, everyone = _chosen(order, stems, unreadable, students, outcome)
    finals = Finals.load(order.out, run, stems.items())
    if contract != run.contract and not (everyone and not questions):
        outcome.notes.append(
            "the assignment's tests, references or checks have changed since: what is not graded again here has "
            "results of the earlier ones"
        )
    when = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    done = 0
    try:
        with Journal(order.out) as book:
            if listener is not None:
                listener(None, 0, len(entries))
            before = {record.name: record for record in journal.read_latest(order.out)}
            with grading.grader_of(order) as grader:
                for record in grader.grade(entries) if entries else ():
                    _take(record, before[record.name], questions, finals, book, outcome)
                    done += 1
                    if listener is not None:
                        listener(record, done, len(entries))
    finally:
        _remember(order.out, when, outcome.changed)
        complete = everyone and not questions and done == len(entries) and not outcome.failed
        entry = {"time": when, "submissions": done, "questions": list(questions), "contract": contract}
        replace(
            run,
            contract=contract if complete else run.contract,
            regrades=(*run.regrades, entry) if done else run.regrades,
        ).write(order.out)
    return outcome


def _check(order: Order, run: output.Run, questions: Sequence[str]) -> None:
    names = [question.name for question in order.assignment.questions]
    for name in questions:
        if name not in names:
            hint = did_you_mean(name, names) or f"; the questions are: {', '.join(names)}"
            raise RegradeError(f"there is no question '{for_terminal(name, 60)}'{hint}")
    now = output.Run.of(order.assignment, order.seed, run.contract, isolated=order.isolated, jobs=1)
    difference = replace(run, shards=()).resumed_by(now)
    if difference:
        raise RegradeError(f"{order.out} cannot be graded again like this: {difference}")
    if [(q["name"], q["points"], q["bonus"]) for q in run.questions] != [
        (q["name"], q["points"], q["bonus"]) for q in now.questions
    ]:
        raise RegradeError(
            f"the questions or points of {run.assignment} differ from those of {order.out}: such grades cannot "
            "be compared; grade the class anew"
        )


def _chosen(
    order: Order, stems: dict[str, str], unreadable: set[str], students: Sequence[str], outcome: Outcome
) -> tuple[list[Entry], bool]:
    """The files to grade, under the names that the run knows; and whether these are all.

    unreadable: what the run could not read. Where that is because `collect` had nothing to take, it stays so.
    """
    batch = gather(order.paths, order.assignment.name, exclude=order.out)
    refused = {one.entry.name: one.problem for one in batch.refused if one.entry.name in unreadable}
    files = _by_name(batch, list(stems))
    strangers = [entry.name for entry in batch.entries if entry not in files.values()]
    wanted = set(stems)
    if students:
        people = people_of(order.out, stems.items())
        found = [people.find(word) for word in students]
        absent = [person.label for person in found if not person.file]
        if absent:
            raise PeopleError(f"{', '.join(for_terminal(label, 80) for label in absent)}: handed in nothing")
        wanted = {person.file for person in found}
        without = sorted(wanted - set(files))
        if without and without[0] in refused:
            raise RegradeError(f"{for_terminal(without[0], 80)} cannot be graded: {refused[without[0]]}")
        if without:
            raise RegradeError(f"there is no file of {_some(without)} in {', '.join(map(str, order.paths))}")
    elif strangers:
        outcome.notes.append(
            f"not in {order.out}, so not graded again: {_some(strangers)}; `autograder grade --resume` adds them"
        )
    chosen = sorted(wanted & set(files))
    if not chosen:
        raise RegradeError(
            f"no file in {', '.join(map(str, order.paths))} is one of {order.out}: give the folder that was graded"
        )
    away = set(stems) - set(refused) - set(chosen)
    if not students and away:
        outcome.notes.append(f"{len(away)} have no file there and stay as they are")
    return [Entry(name, stems[name], files[name].path) for name in chosen], not away


def _by_name(batch: Batch, names: Sequence[str]) -> dict[str, Entry]:
    """Which file is which submission of the run: the same name, or the only one that ends alike."""
    found = {entry.name: entry for entry in batch.entries if entry.name in names}
    ends: dict[str, list[str]] = {}
    for name in names:
        parts = name.split("/")
        for start in range(len(parts)):
            ends.setdefault("/".join(parts[start:]), []).append(name)
    for entry in batch.entries:
        parts = entry.name.split("/")
        for start in range(len(parts)):
            fitting = ends.get("/".join(parts[start:]), [])
            if entry.name not in found and len(fitting) == 1 and fitting[0] not in found:
                found[fitting[0]] = entry
                break
    return found


def _take(
    record: Record, before: Record, questions: Sequence[str], finals: Finals, book: Journal, outcome: Outcome
) -> None:
    result, earlier = record.result, before.result
    if result.status == "failed" or (questions and result.status != "completed"):
        outcome.failed.append((record.name, result.problem))
        return
    if questions and earlier.status == "completed":
        old = {question.name: question for question in earlier.questions}
        result = replace(
            result,
            questions=tuple(
                question if question.name in questions else old.get(question.name, question)
                for question in result.questions
            ),
        )
    changes = compared(earlier, result)
    if before.sha256 != record.sha256:
        changes = tuple(replace(change, why=f"another file than before; {change.why}") for change in changes)
    book.append(replace(record, result=result))
    old_grade, new_grade = finals.of(earlier).total, finals.of(result).total
    if changes or old_grade != new_grade:
        outcome.changed.append(Regraded(record.name, old_grade, new_grade, changes))
    else:
        outcome.unchanged += 1


def compared(before: SubmissionResult, after: SubmissionResult) -> tuple[Change, ...]:
    """What came out differently, case by case."""
    changes: list[Change] = []
    if before.status != after.status:
        why = f"{before.status} before, {after.status} now{': ' + after.problem if after.problem else ''}"
        changes.append(Change("", "", before.earned, after.earned, why))
    old, new = _cases(before), _cases(after)
    for key in dict.fromkeys([*old, *new]):
        one, two = old.get(key), new.get(key)
        earned = (one.earned if one else 0.0, two.earned if two else 0.0)
        if (one is None) != (two is None) or (one and two and (one.passed, one.points) != (two.passed, two.points)):
            changes.append(Change(key[0], (two or one or _NONE).title, *earned, _why(one, two)))
    return tuple(changes)


_NONE = CaseResult("", "", 0.0, False, False, "")


def _cases(result: SubmissionResult) -> dict[tuple[str, str], CaseResult]:
    return {(question.name, case.name): case for question in result.questions for case in question.cases}


def _why(before: CaseResult | None, after: CaseResult | None) -> str:
    if after is None:
        return "this case is no longer there"
    if before is None:
        return "a new case" + ("" if after.passed else f": {after.mistake or after.message}")
    if before.passed == after.passed:
        return f"worth {after.points:g} points now, {before.points:g} before"
    return "passes now" if after.passed else f"fails now: {after.mistake or after.message}"


def _remember(out: Path, when: str, changed: Sequence[Regraded]) -> None:
    """Adds to regraded.csv, which holds the changes of all regrades."""
    lines = [
        (when, one.file, change.question, change.case, change.before, change.after, one.before, one.after, change.why)
        for one in changed
        for change in one.changes or (Change("", "", one.before, one.after, ""),)
    ]
    if not lines:
        return
    path = out / FILE
    earlier: Iterable[Sequence[str]] = ()
    if path.is_file():
        earlier = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))[1:]
    output.write_atomically(path, table(_COLUMNS, [*earlier, *lines]))


def _some(names: Sequence[str]) -> str:
    return ", ".join(for_terminal(name, 80) for name in names[:5]) + (
        f" and {len(names) - 5} more" if names[5:] else ""
    )

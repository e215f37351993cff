"""A graded class without grading: results are written down, the journal and the output folder are made from them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.records import roster
from autograder.records.inputs import Given, Source, write_sources
from autograder.records.journal import Journal, Record
from autograder.records.results import CaseResult, QuestionResult, SubmissionResult
from autograder.records.roster import Student
from autograder.records.run import Run, prepare

QUESTIONS = (
    {"name": "q1", "title": "One", "points": 6.0, "bonus": False},
    {"name": "q2", "title": "Two", "points": 4.0, "bonus": False},
    {"name": "q3", "title": "More", "points": 2.0, "bonus": True},
)
POSSIBLE = 10.0
RUN = Run(
    assignment="toy",
    title="Toy & co",
    questions=QUESTIONS,
    seed="s",
    contract="0" * 64,
    isolated=True,
    isolation=("landlock",),
    versions={"python": "3.11"},
    started="2026-05-05T12:00:00+0200",
    finished=True,
)
LATE = {"deadline": "2026-05-01T23:59:00+02:00", "grace": "15 minutes", "steps": "10 % per day, at most 3 days"}


def result(file: str, *passed: str, **changes: Any) -> SubmissionResult:
    """A submission that passes these questions: q1 and q2 have a public and a hidden case, q3 a hidden one."""

    def case(name: str, points: float, hidden: bool) -> CaseResult:
        right = name.split("_")[1] in passed
        return CaseResult(name, f"case {name}", points, hidden, right, "" if right else f"wrong {name}")

    questions = (
        QuestionResult("q1", "One", 6.0, False, (case("test_q1_a", 2.0, False), case("test_q1_b", 4.0, True))),
        QuestionResult("q2", "Two", 4.0, False, (case("test_q2_a", 1.0, False), case("test_q2_b", 3.0, True))),
        QuestionResult("q3", "More", 0.0, True, (case("test_q3_a", 2.0, True),)),
    )
    made = SubmissionResult(file=file, status="completed", questions=questions, seconds={"total": 1.0})
    return replace(made, **changes)


def record(made: SubmissionResult) -> Record:
    """Its line in the journal."""
    return Record(made.file, made.file.removesuffix(".ipynb").replace("/", "__"), "00", made)


def write_class(
    out: Path,
    results: Iterable[SubmissionResult],
    students: Iterable[Student] = (),
    *,
    sources: Mapping[str, str | Source] | None = None,
    class_list: Path | None = None,
    worksheet: Path | None = None,
    **run: Any,
) -> Path:
    """The output folder, as `autograder grade` leaves it before it writes tables."""
    made = list(results)
    prepare(out, replace(RUN, submissions=len(made), **run), resume=False, force=False)
    with Journal(out) as book:
        for one in made:
            book.append(record(one))
    by_file = {student.file: student for student in students}
    listed = roster.load(class_list).students if class_list is not None else ()
    roster.write(by_file, out, roster.missing(listed, by_file.values()))
    Given((), class_list, worksheet).keep(out)
    if sources:
        write_sources(out, {file: one if isinstance(one, Source) else Source(one) for file, one in sources.items()})
    return out

"""A run: submissions in, an output folder with every result on disk as soon as it is there."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Protocol

from autograder.assignment import Assignment
from autograder.grading.cache import digest_of
from autograder.grading.one import ungraded
from autograder.grading.pool import Pool
from autograder.grading.task import Settings
from autograder.records import journal, roster
from autograder.records import run as output
from autograder.records.final import Finals, Writer
from autograder.records.inputs import Given
from autograder.records.journal import Journal, Record
from autograder.records.people import People
from autograder.records.roster import Student
from autograder.submissions.batch import Batch, BatchError, Entry, gather
from autograder.submissions.read import digest, unreadable_digest

Listener = Callable[[Record | None, int, int], None]
"""Told at the start, and about each finished submission: its record, how many are done, of how many."""


class Grader(Protocol):
    """What grades entries: a pool of workers here, or a cluster."""

    @property
    def isolation(self) -> list[str]: ...

    def grade(self, entries: Sequence[Entry]) -> Iterator[Record]: ...

    def __enter__(self) -> "Grader": ...

    def __exit__(self, *exception: object) -> None: ...


@dataclass(frozen=True)
class Order:
    """What to grade, and how."""

    assignment: Assignment
    paths: tuple[Path, ...]
    out: Path
    seed: str
    jobs: int = 1
    isolated: bool = True
    timeout: float | None = None
    resume: bool = False
    force: bool = False
    shard: tuple[int, int] | None = None
    roster: Path | None = None
    dask: str | None = None
    grader: "Callable[[], Grader] | None" = None
    """Another grader than workers on this machine: containers."""
    contract: str | None = None
    """A digest of what decides the scores, where that is not what is installed here: containers."""
    only: str | None = None
    """From folders, take only files with this ending (without a dot)."""
    adjustments: Path | None = None
    extensions: Path | None = None
    worksheet: Path | None = None
    """Moodle's grading worksheet, which comes back with grades in it."""
    cap: bool | None = None
    missing: str = ""
    """What who handed in nothing gets in the tables: zero, blank, or no line."""
    mail_from: str = ""
    meanwhile: Callable[[], object] | None = None
    """Called once while the workers start, when there is nothing else to do here."""
    warn: Callable[[str], None] | None = None
    """Is handed what the instructor should know about the roster and the tables, a sentence at a time."""


def grade(order: Order, listener: Listener | None = None, write: Writer | None = None) -> output.Run:
    """Grades everything that is not graded yet; each result is written before the next one is counted.

    write: makes a submission's own files from its result; without it there is the journal alone.
    """
    assignment = order.assignment
    batch = gather(order.paths, assignment.name, exclude=order.out)
    if order.only is not None:
        batch = batch.only(f".{order.only}", given=order.paths)
    if not batch.names:
        places = ", ".join(map(str, order.paths))
        raise BatchError(f"there is nothing to grade in {places} (.ipynb, .py or .zip)")
    identified = roster.identify(order.roster, order.paths, batch.names, assignment.name)
    given = Given(order.paths, order.roster, order.worksheet, order.adjustments, order.extensions)
    everyone, students, absent = _everyone(order, batch, identified)
    people = People(everyone, students, absent)
    given.check(order.out, people, [question.name for question in assignment.questions], partial=False)
    notes = identified.warnings(len(batch.names))
    if order.shard is not None:
        batch = batch.shard(*order.shard)
    contract = order.contract or digest_of(assignment)
    run = output.Run.of(assignment, order.seed, contract, isolated=order.isolated, jobs=order.jobs)
    shards = () if order.shard is None else (f"{order.shard[0]}/{order.shard[1]}",)
    run = replace(run, shards=shards, submissions=len(batch.names), ignored=batch.ignored)
    run = replace(run, cap=order.cap, missing=order.missing, mail_from=order.mail_from)
    run = output.prepare(order.out, run, resume=order.resume, force=order.force)
    roster.write(students, order.out, absent)
    for note in [*notes, *given.keep(order.out)]:
        if order.warn is not None:
            order.warn(note)
    finals = Finals.load(order.out, run, everyone)
    started = time.monotonic()
    with Journal(order.out) as book:
        graded = _already_graded(order.out, assignment) if order.resume else set[tuple[str, str]]()
        todo = [
            entry
            for entry in batch.entries
            if not graded or (entry.name, digest(entry.path, assignment.limits)) not in graded
        ]
        refused = [record for record in _refused(batch, assignment) if (record.name, record.sha256) not in graded]
        done = len(batch.names) - len(todo) - len(refused)
        if listener is not None:
            listener(None, done, len(batch.names))
        with grader_of(order) as grader:
            for record in chain(refused, grader.grade(todo) if todo else ()):
                book.append(record)
                if write is not None:
                    write(record, finals.of(record.result), order.out, run)
                done += 1
                if listener is not None:
                    listener(record, done, len(batch.names))
            isolation = tuple(grader.isolation)
    seconds = round(run.seconds + time.monotonic() - started, 3)
    run = replace(run, isolation=isolation or run.isolation, seconds=seconds, finished=True)
    run.write(order.out)
    return run


def seed() -> str:
    """The course's secret: AUTOGRADER_SEED, or the documented default."""
    from reference.inputs import seeds  # imports NumPy: only when something is graded

    return seeds.seed()


def _everyone(
    order: Order, batch: Batch, identified: roster.Identified
) -> tuple[list[tuple[str, str]], dict[str, Student], Sequence[Student]]:
    """Names and stems of all submissions, whose they are, and who handed in nothing.

    When a run goes on, that includes those who are in the results already and not in what is given now.
    """
    students, absent = identified.students, identified.missing
    if not order.resume or not (order.out / output.FILE).is_file():
        return list(batch.stems.items()), students, absent
    stems = {record.name: record.stem for record in journal.read_latest(order.out)} | batch.stems
    known = roster.read_if_there(order.out / roster.FILE)
    earlier = {file: student for file, student in known.items() if file in stems and file not in students}
    if order.roster is None:
        absent = roster.missing(roster.read_missing(order.out), students.values())
    else:
        absent = roster.missing(absent, earlier.values())
    return list(stems.items()), {**earlier, **students}, absent


def _refused(batch: Batch, assignment: Assignment) -> Iterator[Record]:
    """A record for each hand-in that is known to be none before anything is read."""
    for refused in batch.refused:
        result = ungraded(refused.entry.name, "unreadable", refused.problem, assignment)
        yield Record(refused.entry.name, refused.entry.stem, unreadable_digest(refused.problem), result)


def _already_graded(out: Path, assignment: Assignment) -> set[tuple[str, str]]:
    """Names and contents that the journal holds; what the grader failed on is tried again."""
    return {
        (record.name, record.sha256)
        for record in journal.read_latest(out)
        if record.result.graded or record.result.status == "unreadable"
    }


def grader_of(order: Order) -> Grader:
    """What grades an order: workers here, a cluster, or containers."""
    if order.grader is not None:
        return order.grader()
    settings = Settings(
        assignment=os.path.abspath(order.assignment.folder),
        seed=order.seed,
        isolated=order.isolated,
        timeout=order.timeout,
        secrets=tuple(os.path.abspath(path) for path in (order.assignment.folder, order.out, *order.paths)),
    )
    if order.dask is not None:
        from autograder.grading.cluster import Cluster

        return Cluster(settings, order.dask)
    return Pool(settings, order.jobs, order.meanwhile)

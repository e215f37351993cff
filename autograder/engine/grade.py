"""A run: submissions in, an output folder with every result on disk as soon as it is there."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from autograder.assignment import Assignment
from autograder.engine import journal, output
from autograder.engine.batch import BatchError, Entry, gather
from autograder.engine.journal import Journal, Record
from autograder.engine.pool import Pool
from autograder.engine.sources import digest_of
from autograder.engine.worker import Settings
from autograder.report import roster
from autograder.report.feedback import feedback_page
from autograder.report.final import Final, Finals
from autograder.report.gradescope import results_json
from autograder.report.inputs import Given
from autograder.report.people import People
from autograder.submission import digest

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
    workshop: str | None = None
    """Another workshop than the isolated one: for tests."""
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


def grade(order: Order, listener: Listener | None = None) -> output.Run:
    """Grades everything that is not graded yet; each result is written before the next one is counted."""
    assignment = order.assignment
    batch = gather(order.paths, assignment.name, exclude=order.out)
    if order.only is not None:
        batch = batch.only(f".{order.only}", given=order.paths)
    if not batch.entries:
        places = ", ".join(map(str, order.paths))
        raise BatchError(f"there is nothing to grade in {places} (.ipynb, .py or .zip)")
    students = roster.find(order.roster, order.paths, [entry.name for entry in batch.entries])
    given = Given(order.paths, order.roster, order.worksheet, order.adjustments, order.extensions)
    everyone = [(entry.name, entry.stem) for entry in batch.entries]
    people = People(everyone, students, given.absent(students))
    given.check(order.out, people, [question.name for question in assignment.questions], partial=False)
    if order.shard is not None:
        batch = batch.shard(*order.shard)
    contract = order.contract or digest_of(assignment)
    run = output.Run.of(assignment, order.seed, contract, isolated=order.isolated, jobs=order.jobs)
    shards = () if order.shard is None else (f"{order.shard[0]}/{order.shard[1]}",)
    run = replace(run, shards=shards, submissions=len(batch.entries), ignored=batch.ignored)
    run = replace(run, cap=order.cap, missing=order.missing, mail_from=order.mail_from)
    run = output.prepare(order.out, run, resume=order.resume, force=order.force)
    roster.write(students, order.out)
    given.keep(order.out, students)
    finals = Finals.load(order.out, run, everyone)
    started = time.monotonic()
    with Journal(order.out) as book:
        graded = _already_graded(order.out, assignment) if order.resume else set[tuple[str, str]]()
        todo = [
            entry
            for entry in batch.entries
            if not graded or (entry.name, digest(entry.path, assignment.limits)) not in graded
        ]
        done = len(batch.entries) - len(todo)
        if listener is not None:
            listener(None, done, len(batch.entries))
        with _grader(order) as grader:
            for record in grader.grade(todo) if todo else ():
                book.append(record)
                write_result(record, order.out, run, finals.of(record.result))
                done += 1
                if listener is not None:
                    listener(record, done, len(batch.entries))
            isolation = tuple(grader.isolation)
    seconds = round(run.seconds + time.monotonic() - started, 3)
    run = replace(run, isolation=isolation or run.isolation, seconds=seconds, finished=True)
    run.write(order.out)
    return run


def seed() -> str:
    """The course's secret: AUTOGRADER_SEED, or the documented default."""
    from autograder.checks import seeds  # imports NumPy: only when something is graded

    return seeds.seed()


def grader_of(order: Order) -> Grader:
    """What grades an order: workers here, a cluster, or containers."""
    return _grader(order)


def write_result(record: Record, out: Path, run: output.Run, final: Final) -> None:
    """A submission's own files: results/<stem>.json and feedback/<stem>.html."""
    output.write_atomically(out / "results" / f"{record.stem}.json", results_json(record, final))
    output.write_atomically(out / "feedback" / f"{record.stem}.html", feedback_page(record.result, run.title, final))


def _already_graded(out: Path, assignment: Assignment) -> set[tuple[str, str]]:
    """Names and contents that the journal holds; what the grader failed on is tried again."""
    return {(record.name, record.sha256) for record in journal.read_latest(out) if record.result.status != "failed"}


def _grader(order: Order) -> Grader:
    if order.grader is not None:
        return order.grader()
    settings = Settings(
        assignment=os.path.abspath(order.assignment.folder),
        seed=order.seed,
        isolated=order.isolated,
        timeout=order.timeout,
        secrets=tuple(os.path.abspath(path) for path in (order.assignment.folder, order.out, *order.paths)),
    )
    if order.workshop is not None:
        settings = replace(settings, workshop=order.workshop)
    if order.dask is not None:
        from autograder.engine.cluster import Cluster

        return Cluster(settings, order.dask)
    return Pool(settings, order.jobs)

"""What the cases of a question say of a mutant, in processes that can be ended.

A mutant may loop for ever, fill the memory or bring Python down, so it runs in a child, forked from a process that has
imported everything and computed nothing with JAX yet. A child takes mutants one after the other and writes a line for
every case. A case has ten times what the references need, and `LEAST` seconds at least: an alarm ends it, and what no
alarm reaches (a loop within compiled code) ends with the child; the next child goes on behind that case. What ran out
of that time is asked again with the grader's own limit (`patient`), for a slow answer may be right.
"""

from __future__ import annotations

import json
import os
import resource
import selectors
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

from autograder.assignment import Assignment
from autograder.testcases import Case, load_cases
from validity.mutants import Mutant, reference_functions
from validity.oracles import oracles_of

__all__ = ["FAILED", "ORACLE", "PASSED", "TOO_SLOW", "Job", "cases_of", "in_children", "passes"]

LEAST = 4.0
"""Seconds that a case may take at least."""
FACTOR = 10
"""How many times as long as the references a mutant may take."""
GRACE = 6.0
"""Seconds until what does not heed its alarm is killed."""
MEMORY = 3 << 30
"""Bytes of data that a child may have."""
BATCH = 50
"""Mutants for one child: what JAX compiles for them stays in its memory."""
STARTING = 300.0
"""Seconds until a child must have begun."""
PASSED, FAILED, TOO_SLOW = "+", "-", "t"
ORACLE = "oracle"
"""What is run like a case, and passes where the oracle finds nothing wrong."""


class LimitError(BaseException):
    """A case that has used up its time. No `except Exception` stops it."""


def cases_of(assignment: str, question: str) -> tuple[Case, ...]:
    """The cases of a question, public ones first."""
    return tuple(sorted(load_cases(Assignment.load(assignment))[question], key=lambda case: case.hidden))


@contextmanager
def alarm(seconds: float) -> Generator[None]:
    """LimitError in what takes longer and is Python; nothing where the process is to end without it."""

    def rings(_number: int, _frame: object) -> NoReturn:
        raise LimitError

    before = signal.signal(signal.SIGALRM, rings)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def passes(run: Callable[[dict[str, Any]], object], functions: dict[str, Any], seconds: float) -> str:
    """Whether the case, or the oracle, that `run` is passes with these functions: PASSED, FAILED or TOO_SLOW."""
    try:
        with alarm(seconds):
            run(functions)
    except LimitError:
        return TOO_SLOW
    except Exception:  # as Otter does: whatever is raised costs the case's points
        return FAILED
    return PASSED


Job = tuple[Mutant, Sequence[str]]
"""A mutant, and the names of the cases that it is still to run."""
Outcome = tuple[Mutant, str, str]
"""A mutant, the name of a case, and what came of it."""


def in_children(
    jobs: Iterable[Job], *, workers: int = 1, first_only: bool = False, patient: bool = False
) -> Iterator[Outcome]:
    """The outcomes of all cases of all jobs, as they come.

    first_only: no more cases of a mutant once one has not passed. patient: the grader's limits, not those of here.
    RuntimeError where the references themselves do not get through.
    """
    waiting: dict[tuple[str, str], list[Job]] = {}
    for job in jobs:
        waiting.setdefault((job[0].assignment, job[0].question), []).append(job)
    batches: list[list[Job]] = []
    for part in waiting.values():
        size = min(BATCH, -(-len(part) // workers))
        batches += [part[at : at + size] for at in range(0, len(part), size)]
    running: list[_Child] = []
    seconds: dict[tuple[str, str], float] = {}
    with selectors.DefaultSelector() as selector:
        try:
            while batches or running:
                while batches and len(running) < workers:
                    child = _Child(batches.pop(0), first_only, patient, seconds)
                    running.append(child)
                    selector.register(child.reader, selectors.EVENT_READ, child)
                for key, _ in selector.select(0.5):
                    yield from key.data.read()
                for child in [child for child in running if child.ended or child.is_late()]:
                    selector.unregister(child.reader)
                    running.remove(child)
                    child.stop()
                    yield from child.interrupted()
                    if left := child.left():
                        batches.insert(0, left)
        finally:
            for child in running:
                child.stop()


class _Child:
    """A forked process that runs jobs of one question, and writes a line for what it begins and for every outcome."""

    def __init__(self, jobs: list[Job], first_only: bool, patient: bool, seconds: dict[tuple[str, str], float]) -> None:
        self.jobs = jobs
        self.first_only = first_only
        self.ended = False
        self._seconds = seconds
        self._done: set[tuple[int, str]] = set()
        self._stopped: set[int] = set()
        self._now: tuple[int, str] | None = None
        self._until = time.monotonic() + STARTING
        self._text = b""
        self.reader, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self._pid = os.fork()
        if self._pid == 0:
            code = 1
            try:
                os.close(self.reader)
                _run(jobs, first_only, patient, seconds, writer)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(writer)

    def read(self) -> Iterator[Outcome]:
        """What has come from the process."""
        content = os.read(self.reader, 1 << 16)
        if not content:
            self.ended = True
            return
        *lines, self._text = (self._text + content).split(b"\n")
        for line in lines:
            place, case, what, number = json.loads(line)
            if what == "needs":
                self._seconds[self.jobs[0][0].question, case] = number
            elif what == "begins":
                self._now, self._until = (place, case), time.monotonic() + number + GRACE
            else:
                self._now, self._until = None, time.monotonic() + STARTING
                yield self._noted(place, case, what)

    def _noted(self, place: int, case: str, what: str) -> Outcome:
        self._done.add((place, case))
        if what != PASSED and self.first_only:
            self._stopped.add(place)
        return self.jobs[place][0], case, what

    def is_late(self) -> bool:
        """Whether a case goes on that its alarm should have ended."""
        return time.monotonic() > self._until

    def stop(self) -> None:
        """Ends the process, if it still runs."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self.reader)

    def interrupted(self) -> Iterator[Outcome]:
        """The outcome of the case that brought the process to its end, if one did."""
        if self._now is not None:
            yield self._noted(*self._now, FAILED if self.ended else TOO_SLOW)

    def left(self) -> list[Job]:
        """What is still to do. RuntimeError where nothing has been done at all."""
        left: list[Job] = [
            (mutant, [case for case in cases if (place, case) not in self._done])
            for place, (mutant, cases) in enumerate(self.jobs)
            if place not in self._stopped
        ]
        left = [job for job in left if job[1]]
        if left and not self._done:
            mutant = self.jobs[0][0]
            raise RuntimeError(
                f"the references of {mutant.assignment} {mutant.question} do not get through its cases here: "
                "python -m pytest tests/assignments says more"
            )
        return left


def _run(jobs: list[Job], first_only: bool, patient: bool, seconds: dict[tuple[str, str], float], writer: int) -> None:
    """In the child: every job, and a line for each step."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warnings.simplefilter("ignore")  # of divisions by zero and the like

    def write(place: int, case: str, what: str, number: float = 0.0) -> None:
        os.write(writer, json.dumps([place, case, what, number]).encode() + b"\n")

    one = jobs[0][0]
    right = reference_functions(one.assignment, one.question)
    runs: dict[str, Callable[[dict[str, Any]], object]] = {
        case.name: case.run for case in cases_of(one.assignment, one.question)
    }
    runs[ORACLE] = oracles_of(one.assignment)[one.question].check
    assignment = Assignment.load(one.assignment)
    grader = assignment.question(one.question).call_seconds or assignment.limits.call_seconds
    least = grader if patient else LEAST
    for place, (mutant, names) in enumerate(jobs):
        functions: dict[str, Any] | None = None
        for name in names:
            if (one.question, name) not in seconds:
                started = time.monotonic()
                runs[name](right)  # what the references need, with all that is compiled on the way
                seconds[one.question, name] = time.monotonic() - started
                write(place, name, "needs", seconds[one.question, name])
            limit = max(least, FACTOR * seconds[one.question, name])
            write(place, name, "begins", limit)
            try:
                functions = functions or {**right, **mutant.load()}
            except Exception:  # it cannot even be loaded
                write(place, name, FAILED)
                continue
            what = passes(runs[name], functions, limit)
            write(place, name, what)
            if first_only and what != PASSED:
                break

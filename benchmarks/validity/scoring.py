"""What the cases of a question say of a mutant, in processes that can be ended.

A mutant may loop for ever, fill the memory or bring Python down, so it runs in a child, forked from a process that has
imported everything and computed nothing with JAX yet. A child takes mutants one after the other and writes a line for
every case. A case has ten times what the references need, and `LEAST` seconds at least: an alarm ends it, and what no
alarm reaches (a loop within compiled code) ends with the child; the next child goes on behind that case. What ran out
of that time has failed where it is certain to loop (`validity.loops`). Else it may be right, and slow: other cases may
know better at once; what none of them refuses is asked again with the grader's own limit (`patient`).
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
from types import FrameType
from typing import Any

from autograder.assignment import Assignment
from autograder.testcases import Case, load_cases
from validity.loops import LoopError, watch
from validity.mutants import CODE, Mutant, reference_functions
from validity.oracles import oracles_of

__all__ = ["FAILED", "ORACLE", "PASSED", "TOO_SLOW", "UNDECIDED", "Job", "cases_of", "in_children", "passes"]

LEAST = 4.0
"""Seconds that a case may take at least."""
FACTOR = 10
"""How many times as long as the references a mutant may take."""
SLOW_CASES = 2
"""Where one failed case is enough: no more cases of a mutant once so many have run out of time."""
WATCHED = 3.0
"""Seconds that are taken to see whether what has not ended after `LEAST` is certain never to."""
AGAIN = 0.5
"""Seconds until an alarm rings again, where what it raised was lost: in a callback, say."""
GRACE = 2.0
"""Seconds of computing until what does not heed its alarm is ended by the system."""
MEMORY = 3 << 30
"""Bytes of data that a child may have."""
BATCH = 50
"""Mutants for one child: what JAX compiles for them stays in its memory."""
STARTING = 300.0
"""Seconds until a child must have begun."""
BUSY = 20
"""How many times as long as a process computes it may take on a machine that is busy."""
PASSED, FAILED, TOO_SLOW = "+", "-", "t"
UNDECIDED = "?"
"""What is noted of a mutant that ran out of time in a case where nothing depends on that case."""
ORACLE = "oracle"
"""What is run like a case, and passes where the oracle finds nothing wrong."""


class LimitError(BaseException):
    """A case that has used up its time. No `except Exception` stops it."""


def cases_of(assignment: str, question: str) -> tuple[Case, ...]:
    """The cases of a question, public ones first."""
    return tuple(sorted(load_cases(Assignment.load(assignment))[question], key=lambda case: case.hidden))


@contextmanager
def alarm(seconds: float, code: str = "") -> Generator[None]:
    """LimitError in what takes longer and is Python, in seconds of this process: those of a busy machine do not count.

    code: the beginning of the file names of code that is watched for `WATCHED` seconds after `LEAST` of them, and gets
    LoopError if it is certain never to end.
    """
    before, traced = signal.getsignal(signal.SIGPROF), sys.gettrace()
    started = time.process_time()
    stages = iter(("watch", "on") if code else ())

    def rings(_number: int, frame: FrameType | None) -> None:
        left = max(started + seconds - time.process_time(), 0.0)
        sys.settrace(traced)
        match next(stages, ""):
            case "watch":
                signal.setitimer(signal.ITIMER_PROF, WATCHED, AGAIN)
                watch(frame, code)
            case "on" if left:
                signal.setitimer(signal.ITIMER_PROF, left, AGAIN)
            case _:
                raise LimitError

    signal.signal(signal.SIGPROF, rings)
    signal.setitimer(signal.ITIMER_PROF, min(seconds, LEAST) if code else seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.settrace(traced)
        signal.signal(signal.SIGPROF, before)


def passes(run: Callable[[dict[str, Any]], object], functions: dict[str, Any], seconds: float) -> str:
    """Whether the case, or the oracle, that `run` is passes with these functions: PASSED, FAILED or TOO_SLOW."""
    try:
        with alarm(seconds, CODE):
            run(functions)
    except LimitError:
        return TOO_SLOW
    except LoopError:  # it would run out of any time
        return FAILED
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

    first_only: no more cases of a mutant once one has failed, or `SLOW_CASES` have run out of time. patient: the
    grader's limits, not those of here, and whatever runs out of these has failed.
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
        self._patient = patient
        self._slow: dict[int, int] = {}
        self._stopped: set[int] = set()
        self._now: tuple[int, str] | None = None
        self._status = 0
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
                self._now, self._until = (place, case), time.monotonic() + STARTING + BUSY * number
            else:
                self._now, self._until = None, time.monotonic() + STARTING
                yield self._noted(place, case, what)

    def _noted(self, place: int, case: str, what: str) -> Outcome:
        self._done.add((place, case))
        if what == TOO_SLOW:
            self._slow[place] = self._slow.get(place, 0) + 1
        if self.first_only and _is_enough(what, self._slow.get(place, 0), self._patient):
            self._stopped.add(place)
        return self.jobs[place][0], case, what

    def is_late(self) -> bool:
        """Whether a case goes on that should have ended, and does not even compute."""
        return time.monotonic() > self._until

    def stop(self) -> None:
        """Ends the process, if it still runs."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        _, self._status = os.waitpid(self._pid, 0)
        os.close(self.reader)

    def interrupted(self) -> Iterator[Outcome]:
        """The outcome of the case that brought the process to its end, if one did."""
        if self._now is not None:
            late = not self.ended or (os.WIFSIGNALED(self._status) and os.WTERMSIG(self._status) == signal.SIGXCPU)
            yield self._noted(*self._now, TOO_SLOW if late else FAILED)

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


def _is_enough(what: str, slow: int, patient: bool) -> bool:
    """Whether a mutant that lost a case, or ran out of time in `slow` of them, needs no more cases."""
    return what == FAILED or (what == TOO_SLOW and (patient or slow >= SLOW_CASES))


def _run(jobs: list[Job], first_only: bool, patient: bool, seconds: dict[tuple[str, str], float], writer: int) -> None:
    """In the child: every job, and a line for each step."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
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
        slow = 0
        for name in names:
            if (one.question, name) not in seconds:
                resource.setrlimit(resource.RLIMIT_CPU, (most, most))
                started = time.process_time()
                runs[name](right)  # what the references need, with all that is compiled on the way
                seconds[one.question, name] = time.process_time() - started
                write(place, name, "needs", seconds[one.question, name])
            limit = max(least, FACTOR * seconds[one.question, name])
            write(place, name, "begins", limit)
            ends = int(time.process_time() + limit + WATCHED + GRACE) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (ends, most))
            try:
                functions = functions or {**right, **mutant.load()}
            except Exception:  # it cannot even be loaded
                write(place, name, FAILED)
                if first_only:
                    break
                continue
            what = passes(runs[name], functions, limit)
            write(place, name, what)
            slow += what == TOO_SLOW
            if first_only and _is_enough(what, slow, patient):
                break

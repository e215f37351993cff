"""Fair time limits: a clock that stands still while a submission waits for a processor that others have.

**The rule.** Every limit in seconds (a call, a cell, all cells, a traced function, a whole submission) counts the time
in which the submission *ran* on any of its threads, or *slept*. What it does not count is the time in which it was
ready to run and other programs had the processor. So an answer that takes 0.6 of its limit on a quiet machine passes
on a busy one, an endless loop ends when it has had its limit of processor time, and a sleeper gains nothing: it waits
for no processor. `HARD` times the limit by the plain clock is the end of everything, whatever the machine does.

**What is measured.** All figures are the kernel's, read by the grader from outside: the submission is asked nothing.
`/proc/PID/task/TID/schedstat` holds for each thread the time it ran and the time it stood in the queue for a processor;
the process's own processor clock holds the time of all its threads, those that have ended included. Over an interval,
with w_i and c_i the waiting and running of thread i and C the processor time of all threads of the submission,

    forgiven = max(0, w_g + max_i (w_i + c_i) - C),

w_g the waiting of the grader, whose turn it is while an answer is read or a callback evaluated. The thread that was
ready for the longest time counts, not the sum: hundreds of threads that wait at once wait no longer than one. And a
thread that waits for threads of its own submission is forgiven nothing, since their running is in C: on a machine
that is otherwise idle forgiven is 0, however many threads spin. A thread that has made itself nicer than the grader is
waiting because it wants to, and is not forgiven either.

Where the kernel does not count the waiting (no CONFIG_SCHED_INFO), a submission that is ready to run is charged its
processor time, and one that sleeps the clock. Time that a hypervisor takes away is not seen.

Sources: Linux, Documentation/scheduler/sched-stats.rst; proc_pid_schedstat(5); clock_getcpuclockid(3).
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Protocol

from autograder.isolation import procfs

HARD: Final = 10.0
"""So many times a limit, by the plain clock, ends what is still not done."""
SLICE: Final = 0.1
"""Seconds between two looks at something that is waited for."""
_OFTEN: Final = 0.005
"""Seconds within which a second look is not worth its price."""
_PROCESSOR_CLOCK: Final = 2
"""CPUCLOCK_SCHED: with a process id, the clock of what its threads, living and ended, have run."""


class Watched(Protocol):
    """Something that runs in processes of its own."""

    def processes(self) -> Sequence[int]:
        """The ids of its processes."""
        ...


class Clock:
    """One submission's clock. For one thread: the one that waits for the submission."""

    def __init__(self, report: Callable[[float], None] | None = None) -> None:
        """`report`: called now and then with the seconds that have been forgiven since the last time."""
        self._started = time.monotonic()
        self._report = report
        self._reported = 0.0
        self._own = f"/proc/self/task/{threading.get_native_id()}/schedstat"
        self._watched: list[Watched] = []
        self._looked = self._started
        self._in_full = False
        self._own_waited = _ran_and_waited(self._own)[1]
        self._own_ran = time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)
        self._ready: dict[tuple[int, int], float] = {}
        """By process and thread, at the last look."""
        self._ran: dict[int, float] = {}
        self._children: dict[int, float] = {}
        self.forgiven = 0.0
        """Seconds that were spent waiting for a processor, so far."""

    def now(self) -> float:
        """Seconds since this clock was made, without those that are forgiven."""
        return time.monotonic() - self._started - self.forgiven

    def deadline(self, seconds: float) -> "Deadline":
        """A limit that begins to run now."""
        return Deadline(self, self.now() + seconds, time.monotonic() + HARD * seconds)

    def watch(self, processes: Watched) -> None:
        """From now on what these processes run and wait counts."""
        self._watched.append(processes)

    def forget(self, processes: Watched) -> None:
        """The end of `watch`."""
        if processes in self._watched:
            self._watched.remove(processes)

    def look(self, *, full: bool = False) -> None:
        """Forgives what has been waited since the last look. `full`: at all threads, not only at the first of each."""
        moment = time.monotonic()
        if not full and moment - self._looked < _OFTEN:
            return
        ran: dict[int, float] = {}
        ready: dict[tuple[int, int], float] = {}
        used = 0.0
        for pid in [pid for watched in self._watched for pid in watched.processes()]:
            ran[pid] = _ran_in_all(pid)
            used += max(0.0, ran[pid] - self._ran.get(pid, ran[pid]))
            if full:
                children = procfs.seconds_of_children(pid)
                used += max(0.0, children - self._children.get(pid, 0.0))
                self._children[pid] = children
            for thread in procfs.threads(pid) if full else (pid,):
                ready[pid, thread] = sum(_ran_and_waited(f"/proc/{pid}/task/{thread}/schedstat"))
        if _waiting_is_counted():
            waited = _ran_and_waited(self._own)[1]
            forgiven = waited - self._own_waited + max(self._lengths(ready), default=0.0) - used
            self._own_waited = waited
        else:
            own = time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)
            runs = any(procfs.is_ready(*thread) for thread in ready)
            forgiven = moment - self._looked - used - (own - self._own_ran) if runs else 0.0
            self._own_ran = own
        self.forgiven = min(self.forgiven + max(0.0, forgiven), moment - self._started)
        self._looked, self._in_full, self._ready, self._ran = moment, full, ready, ran
        if self._report is not None and self.forgiven - self._reported >= 1.0:
            self._report(self.forgiven - self._reported)
            self._reported = self.forgiven

    def _lengths(self, ready: dict[tuple[int, int], float]) -> Iterator[float]:
        """How long each thread was ready to run since the last look, for those that go first as the grader does."""
        for (pid, thread), seconds in ready.items():
            # what the last look at all threads did not find has begun since; else nothing is known of it
            begun = self._in_full and pid in self._ran
            earlier = self._ready.get((pid, thread), 0.0 if begun else seconds)
            if seconds > earlier and not _humble(thread):
                yield seconds - earlier


@dataclass(frozen=True)
class Deadline:
    """The end of a limit: `at` on the fair clock, `hard` on the plain one (time.monotonic)."""

    clock: Clock
    at: float
    hard: float

    def left(self) -> float:
        """Seconds until the nearer end."""
        return min(self.at - self.clock.now(), self.hard - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether time is up."""
        return self.left() <= 0

    def and_not_after(self, other: "Deadline") -> "Deadline":
        """The earlier end of two limits of one clock."""
        return Deadline(self.clock, min(self.at, other.at), min(self.hard, other.hard))


def _ran_and_waited(file: str) -> tuple[float, float]:
    """Seconds that a thread has run and has waited for a processor; zeros when it is gone."""
    try:
        with open(file, "rb", 0) as opened:
            ran, waited, *_ = opened.read(128).split()
    except (OSError, ValueError):
        return 0.0, 0.0
    return int(ran) / 1e9, int(waited) / 1e9


@cache
def _waiting_is_counted() -> bool:
    """Whether this kernel counts the time in the queue: else there is no such file, or nothing but zeros in it."""
    return any(_ran_and_waited("/proc/self/schedstat"))


def _ran_in_all(pid: int) -> float:
    """Processor seconds of all threads that a process has or had."""
    try:
        return time.clock_gettime(~pid << 3 | _PROCESSOR_CLOCK)
    except OSError:
        return 0.0


def _humble(thread: int) -> bool:
    """Whether a thread lets others go first that the grader would not let."""
    try:
        return os.sched_getscheduler(thread) != os.sched_getscheduler(0) or (
            os.getpriority(os.PRIO_PROCESS, thread) > os.getpriority(os.PRIO_PROCESS, 0)
        )
    except OSError:
        return True

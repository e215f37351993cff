"""Fair time limits: waiting for a busy machine is forgiven, and nothing else is."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import courses
import pytest
from adkit import checks
from courses import one_question

from autograder.assignment import Limits
from autograder.grading.one import grade_one
from autograder.grading.pool import WorkerProcess
from autograder.isolation import clock as clock_module
from autograder.isolation import layers, procfs
from autograder.isolation.clock import HARD, Clock
from autograder.isolation.forkserver import ForkServer
from autograder.isolation.session import Session
from autograder.records.results import SubmissionResult, Timeout
from autograder.submissions.read import Submission

PROCESS = 100


class Kernel:
    """What a kernel says, by hand: a submission of one process, and the grader's own thread."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 50.0
        self.waiting_is_counted = True
        self.ran: dict[int, float] = {PROCESS: 0.0}
        self.waited: dict[int, float] = {PROCESS: 0.0}
        self.ended = 0.0
        """What threads ran that have ended since."""
        self.grader_waited = self.grader_ran = 0.0
        self.humble: set[int] = set()
        self.ready: set[int] = set()
        monkeypatch.setattr(clock_module.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(clock_module.time, "clock_gettime", lambda _clock: self.grader_ran)
        monkeypatch.setattr(clock_module, "_ran_and_waited", self._ran_and_waited)
        monkeypatch.setattr(clock_module, "_ran_in_all", lambda _pid: sum(self.ran.values()) + self.ended)
        monkeypatch.setattr(procfs, "seconds_of_children", lambda _pid: 0.0)
        monkeypatch.setattr(procfs, "threads", lambda _pid: list(self.ran))
        monkeypatch.setattr(clock_module, "_humble", lambda thread: thread in self.humble)
        monkeypatch.setattr(procfs, "is_ready", lambda _pid, thread: thread in self.ready)
        monkeypatch.setattr(clock_module, "_waiting_is_counted", lambda: self.waiting_is_counted)
        self.clock = Clock()
        self.clock.watch(self)
        for _ in range(2):  # what the submission had done before is not known, so it is not counted
            self.clock.look(full=True)

    def processes(self) -> list[int]:
        return [PROCESS]

    def goes_by(self, seconds: float, *, full: bool = True) -> float:
        """Time passes; what is forgiven of it."""
        before = self.clock.forgiven
        self.now += seconds
        self.clock.look(full=full)
        return self.clock.forgiven - before

    def _ran_and_waited(self, file: str) -> tuple[float, float]:
        if file.startswith("/proc/self"):
            return self.grader_ran, self.grader_waited
        thread = int(file.split("/")[4])
        return self.ran[thread], self.waited[thread]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    return Kernel(monkeypatch)


@pytest.mark.parametrize("full", [True, False], ids=["all threads", "the first thread"])
def test_waiting_for_a_processor_is_forgiven(kernel: Kernel, full: bool) -> None:
    kernel.ran[PROCESS] += 0.2
    kernel.waited[PROCESS] += 0.8
    assert kernel.goes_by(1.0, full=full) == pytest.approx(0.8)


def test_sleeping_is_not_forgiven(kernel: Kernel) -> None:
    assert kernel.goes_by(1.0) == 0


def test_waiting_of_the_grader_is_forgiven_too(kernel: Kernel) -> None:
    kernel.grader_waited += 0.3
    assert kernel.goes_by(1.0) == pytest.approx(0.3)


def test_waiting_for_threads_of_its_own_is_not_forgiven(kernel: Kernel) -> None:
    for thread in range(PROCESS, PROCESS + 30):
        kernel.ran[thread], kernel.waited[thread] = 1 / 30, 29 / 30
    assert kernel.goes_by(1.0) == pytest.approx(0.0)


def test_waiting_for_threads_of_its_own_that_have_ended_is_not_forgiven(kernel: Kernel) -> None:
    kernel.waited[PROCESS] += 0.9
    kernel.ended += 0.9
    assert kernel.goes_by(1.0) == 0


def test_threads_that_wait_together_are_forgiven_once(kernel: Kernel) -> None:
    for thread in range(PROCESS, PROCESS + 200):
        kernel.ran[thread], kernel.waited[thread] = 0.0, 0.25
    assert kernel.goes_by(1.0) == pytest.approx(0.25)


def test_a_thread_that_lets_others_go_first_is_not_forgiven(kernel: Kernel) -> None:
    kernel.waited[PROCESS] += 0.9
    kernel.humble.add(PROCESS)
    assert kernel.goes_by(1.0) == 0


def test_what_a_thread_waited_before_anybody_looked_is_not_forgiven(kernel: Kernel) -> None:
    kernel.goes_by(1.0, full=False)
    kernel.ran[PROCESS + 1], kernel.waited[PROCESS + 1] = 0.0, 5.0
    assert kernel.goes_by(1.0) == 0


@pytest.mark.parametrize(("ready", "forgiven"), [(True, 0.6), (False, 0.0)])
def test_where_waiting_is_not_counted_only_a_submission_that_is_ready_is_charged_its_processor_time(
    kernel: Kernel, ready: bool, forgiven: float
) -> None:
    kernel.waiting_is_counted = False
    kernel.ready = {PROCESS} if ready else set()
    kernel.ran[PROCESS] += 0.4
    assert kernel.goes_by(1.0) == pytest.approx(forgiven)


def test_ten_times_a_limit_ends_everything(kernel: Kernel) -> None:
    deadline = kernel.clock.deadline(1.0)
    for _ in range(int(HARD)):
        assert not deadline.passed
        kernel.waited[PROCESS] += 1.0
        assert kernel.goes_by(1.0) == pytest.approx(1.0)
    assert deadline.passed


def test_of_two_limits_the_earlier_one_counts(kernel: Kernel) -> None:
    both = kernel.clock.deadline(5.0).and_not_after(kernel.clock.deadline(2.0))
    kernel.goes_by(1.5)
    assert both.left() == pytest.approx(0.5)


def test_what_is_forgiven_is_reported(kernel: Kernel) -> None:
    told: list[float] = []
    kernel.clock = Clock(told.append)
    kernel.clock.watch(kernel)
    kernel.clock.look(full=True)
    for _ in range(3):
        kernel.waited[PROCESS] += 0.75
        kernel.goes_by(1.0)
    assert told == [pytest.approx(1.5)]


def test_a_worker_has_more_time_for_what_its_submission_waited_but_not_without_end() -> None:
    worker = object.__new__(WorkerProcess)
    worker.deadline, worker._latest = 100.0, 1000.0
    worker.extend(20.0)
    assert worker.deadline > 120.0
    worker.extend(1e6)
    assert worker.deadline == 1000.0


# ---------------------------------------- on this machine

LIMITS = Limits(call_seconds=0.5, cell_seconds=20, notebook_seconds=40, submission_seconds=100)
CODE = """
import os, threading, time
import numpy as np
def work(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end: pass
def spin():
    while True: pass
def f(what):
    if what == "an honest answer": work(0.3); return 42
    if what == "an endless loop": spin()
    if what == "a loop in the kernel":
        while True: os.urandom(1 << 22)
    if what == "a loop in a thread": threading.Thread(target=spin, daemon=True).start(); time.sleep(100)
    if what == "sleep": time.sleep(100)
"""


@pytest.fixture(scope="module")
def busy() -> Iterator[Session]:
    """A session whose processes share one processor with two programs that never rest."""
    before = os.sched_getaffinity(0)
    loops: list[subprocess.Popen[bytes]] = []
    try:
        os.sched_setaffinity(0, {min(before)})
        submission, assignment = Submission("toy", None, (CODE,)), one_question(LIMITS, "f")
        with ForkServer(layers.policy()) as workshop, Session(workshop, submission, assignment) as session:
            for _ in range(2):  # only now: starting all that need not wait for them
                loops.append(subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True))
            os.sched_setaffinity(0, before)  # nor need the grader itself
            yield session
    finally:
        os.sched_setaffinity(0, before)
        for loop in loops:
            loop.kill()
            loop.wait()


def test_an_honest_answer_is_not_failed_by_a_busy_machine(busy: Session) -> None:
    before = busy._clock.forgiven
    assert busy.functions["f"]("an honest answer") == 42
    assert 0.3 + busy._clock.forgiven - before > LIMITS.call_seconds  # by the plain clock it was too late


@pytest.mark.parametrize("what", ["an endless loop", "a loop in the kernel"])
def test_an_endless_loop_ends_on_a_busy_machine_too(busy: Session, what: str) -> None:
    with pytest.raises(checks.StudentError, match=r"did not finish within 0\.5 seconds"):
        busy.functions["f"](what)
    assert busy.log.timeouts[-1] == Timeout("call", "f", 0.5)


@pytest.mark.parametrize("what", ["sleep", "a loop in a thread"])
def test_a_sleeper_ends_on_a_busy_machine_too(busy: Session, what: str) -> None:
    busy._deaths.clear()
    with pytest.raises(checks.StudentError, match=r"did not finish within 0\.5 seconds"):
        busy.functions["f"](what)


@pytest.fixture(scope="module")
def late(workshop: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> SubmissionResult:
    """A submission whose functions never answer, graded with less time than it would take to find out of each."""
    assignment = courses.awkward_assignment(tmp_path_factory.mktemp("late"))
    limits = replace(assignment.limits, call_seconds=1, submission_seconds=2.5)
    code = "import time\ndef double(x): time.sleep(100)\nnegate = extra = double"
    return grade_one(
        Submission("late.ipynb", None, (code,)), replace(assignment, limits=limits), partial(Session, workshop), "s"
    )


def test_a_submission_whose_time_is_over_is_timed_out_and_says_how_far_it_came(late: SubmissionResult) -> None:
    assert late.status == "timed out"
    assert late.problem.startswith("All in all it took longer than 2.5 seconds; ")
    assert late.graded
    assert late.timeouts[-1] == Timeout("submission", "", 2.5)
    assert Timeout("call", "double", 1) in late.timeouts


def test_a_case_says_as_a_field_whether_it_ran_out_of_time_or_was_not_run(late: SubmissionResult) -> None:
    failures = [case.failure for question in late.questions for case in question.cases]
    assert "timeout" in failures
    assert "not run" in failures
    assert "" not in failures


def test_what_a_submission_raises_does_not_make_it_a_timeout(workshop: ForkServer, tmp_path: Path) -> None:
    assignment = courses.awkward_assignment(tmp_path)
    code = "def double(x): raise TimeoutError('did not finish')"
    result = grade_one(Submission("a.ipynb", None, (code,)), assignment, partial(Session, workshop), "s")
    assert result.status == "completed"
    assert {case.failure for case in result.questions[0].cases} == {""}


def test_a_result_comes_back_from_the_journal_with_its_timeouts(late: SubmissionResult) -> None:
    assert SubmissionResult.from_json(late.to_json()) == late

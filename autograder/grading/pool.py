"""The pool: N workers, each grading one submission at a time; what dies or stalls is killed and tried once more.

One thread, one event loop over the workers' pipes. A submission is handed out when a worker is free, so
memory does not grow with the class, and results come out in the order in which they are finished.
"""

import importlib.util
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.grading.one import ungraded
from autograder.grading.task import Settings, settings_line, task_of
from autograder.isolation import procfs
from autograder.isolation.clock import HARD
from autograder.records.journal import Record
from autograder.records.results import SubmissionResult, Timeout
from autograder.submissions.batch import Entry
from autograder.walk import remove_folder

_WORKER = "autograder.grading.worker"
START_SECONDS = 900.0
"""A worker that is not ready after this is given up: its start may include compiling what every submission needs."""
MARGIN = 1.25
"""A worker is killed when a submission takes this much longer than its own limit, plus GRACE_SECONDS; the time in which
the submission waited for a processor, as the worker tells it, does not count (`autograder.isolation.clock`)."""
GRACE_SECONDS = 60.0
STOP_SECONDS = 5.0
"""What a worker has to end its sessions before it is killed."""
MAX_REPLY_BYTES = 64 * 1024**2
ATTEMPTS = 2

_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PYTHONSAFEPATH": "1"}


class EngineError(Exception):
    """No worker could be started; the message says why and what to do."""


@dataclass
class _Task:
    entry: Entry
    problems: list[str] = field(default_factory=list[str])


class WorkerProcess:
    """One worker: started, given a task, asked for its reply, killed with everything it started."""

    def __init__(self, settings: Settings) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        # Scratch folders lie below it, so that nothing stays behind when the worker is killed. Submissions
        # run under another user id: they must be able to pass through, not to look.
        self._scratch = tempfile.mkdtemp(prefix="autograder-")
        os.chmod(self._scratch, 0o711)
        environment = {key: value for key, value in os.environ.items() if key != "AUTOGRADER_SEED"}
        environment |= {
            **_ENVIRONMENT,
            "PYTHONPATH": os.pathsep.join(_import_folders()),
            "TMPDIR": self._scratch,
        }
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", _WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the parent, which then ends its workers in order
                bufsize=0,
            )
        except BaseException:
            self._errors.close()
            os.rmdir(self._scratch)
            raise
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._input, self.output = self.process.stdin, self.process.stdout
        os.set_blocking(self.output.fileno(), False)
        self._received = bytearray()
        self.ready = False
        self.task: _Task | None = None
        self.deadline = self._latest = time.monotonic() + START_SECONDS
        self._send(settings_line(settings))

    def give(self, task: _Task, seconds: float) -> None:
        """Hands out a task, to be done in `seconds`."""
        self.task = task
        self.deadline = time.monotonic() + seconds
        self._latest = time.monotonic() + HARD * seconds
        self._send(json.dumps(task_of(task.entry.name, task.entry.path)).encode() + b"\n")

    def extend(self, seconds: float) -> None:
        """Gives the task in hand more time, for what it has waited; never more than HARD times what it was given."""
        self.deadline = min(self.deadline + MARGIN * seconds, self._latest)

    def receive(self) -> list[dict[str, Any]] | None:
        """The messages that have arrived; None when the worker is gone or talks nonsense."""
        while True:
            try:
                chunk = self.output.read(65536)
            except OSError:
                return None
            if chunk is None:
                break
            if not chunk:
                return None
            self._received += chunk
            if len(self._received) > MAX_REPLY_BYTES:
                return None
        *lines, rest = self._received.split(b"\n")
        self._received = bytearray(rest)
        try:
            return [json.loads(line) for line in lines]
        except ValueError:
            return None

    def last_words(self) -> str:
        """The end of what it wrote to standard error."""
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 2000))
        return self._errors.read().decode("utf-8", "replace").strip()

    def stop(self) -> None:
        """Ends the worker in order if it is able to, and kills whatever is left of its tree."""
        self._stop_in_order()
        kill_tree(self.process)
        remove_folder(self._scratch)
        for file in (self._input, self.output, self._errors):
            with suppress(OSError):
                file.close()

    def _stop_in_order(self) -> None:
        with suppress(OSError):
            self._input.close()
        if self.task is not None or not self.ready:
            with suppress(ProcessLookupError):
                self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)

    def _send(self, line: bytes) -> None:
        with suppress(OSError):  # a dead worker is noticed when its reply is read
            self._input.write(line)


class Pool:
    """Workers for one run; use it in a `with` statement."""

    def __init__(self, settings: Settings, jobs: int = 1, meanwhile: Callable[[], object] | None = None) -> None:
        """`meanwhile` is called once, while the first workers start."""
        self.settings = settings
        self.assignment = settings.load_assignment()
        self.jobs = max(1, jobs)
        self.isolation: list[str] = []
        """The layers of isolation that the first worker found."""
        self.restarts = 0
        self._seconds = self.assignment.limits.submission_seconds * MARGIN + GRACE_SECONDS
        self._workers: list[WorkerProcess] = []
        self._selector = selectors.DefaultSelector()
        self._failed_starts = 0
        self._opened = False
        """Whether a worker has been ready."""
        self._meanwhile = meanwhile

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in list(self._workers):
            self._dismiss(worker)
        self._selector.close()

    def grade(self, entries: Iterable[Entry]) -> Iterator[Record]:
        """Grades all entries; yields each one's record when it is finished."""
        waiting = deque(entries)
        again: deque[_Task] = deque()
        following = _next_task(waiting, again)
        while following is not None or any(worker.task for worker in self._workers):
            while following is not None:
                idle = next((worker for worker in self._workers if worker.ready and not worker.task), None)
                if idle is None:
                    break
                idle.give(following, self._seconds)
                following = _next_task(waiting, again)
            # All at once: what has to be compiled ahead one of them compiles, and the others wait for it.
            starting = sum(not worker.ready for worker in self._workers)
            left = (following is not None) + len(waiting) + len(again)
            for _ in range(min(left - starting, self.jobs - len(self._workers))):
                self._start()
            if self._meanwhile is not None:
                self._meanwhile()
                self._meanwhile = None
            for worker in self._wait():
                yield from self._listen(worker, again)
            if following is None:
                following = _next_task(waiting, again)

    def _start(self) -> None:
        worker = WorkerProcess(self.settings)
        self._workers.append(worker)
        self._selector.register(worker.output, selectors.EVENT_READ, worker)

    def _wait(self) -> list[WorkerProcess]:
        """The workers that have something to say, or whose time is over."""
        busy = [worker for worker in self._workers if worker.task or not worker.ready]
        nearest = min((worker.deadline for worker in busy), default=time.monotonic())
        events = self._selector.select(max(0.0, nearest - time.monotonic()))
        heard: list[WorkerProcess] = [key.data for key, _ in events]
        now = time.monotonic()
        return heard + [worker for worker in busy if worker not in heard and worker.deadline <= now]

    def _listen(self, worker: WorkerProcess, again: deque[_Task]) -> Iterator[Record]:
        overdue = worker.deadline <= time.monotonic()
        messages = worker.receive()
        for message in messages or ():
            if "fatal" in message:
                if self._opened:  # it is possible here: what ended this one may be gone by the next
                    yield from self._failed(worker, str(message["fatal"]), again)
                    return
                self._dismiss(worker)
                raise EngineError(str(message["fatal"]))
            if "ready" in message:
                worker.ready = self._opened = True
                self._failed_starts = 0
                self.isolation = self.isolation or [str(layer) for layer in message.get("isolation", ())]
                continue
            if "waited" in message:
                worker.extend(float(message["waited"]))
                continue
            task = worker.task
            if task is None:
                messages = None  # nothing was asked
                break
            if "error" in message:
                yield from self._failed(worker, str(message["error"]), again, str(message.get("sha256", "")))
                return
            worker.task = None
            result = SubmissionResult.from_json(message["result"])
            yield Record(task.entry.name, task.entry.stem, str(message["sha256"]), result)
            return
        if messages is None:
            yield from self._failed(worker, "the grader's worker process ended unexpectedly", again)
        elif overdue and not messages:
            what = "did not finish in time" if worker.task else "did not start"
            yield from self._failed(worker, f"the grader's worker process {what}", again, late=True)

    def _failed(
        self, worker: WorkerProcess, problem: str, again: deque[_Task], sha256: str = "", *, late: bool = False
    ) -> Iterator[Record]:
        """A worker failed; its submission goes to another one, or is given up. `late`: its time was over."""
        task, words = worker.task, worker.last_words()
        self._dismiss(worker)
        self.restarts += 1
        if task is None:
            self._failed_starts += 1
            if self._failed_starts >= 3:
                raise EngineError(f"no worker could be started: {problem}\n{words}".strip())
            return
        task.problems.append(problem)
        if len(task.problems) < ATTEMPTS:
            again.append(task)
            return
        times = "twice, also with a fresh worker" if ATTEMPTS == 2 else f"{ATTEMPTS} times"
        result = ungraded(
            task.entry.name,
            "timed out" if late else "failed",
            f"This submission could not be graded: {problem} ({times}).",
            self.assignment,
            timeouts=(Timeout("worker", "", self._seconds),) if late else (),
        )
        yield Record(task.entry.name, task.entry.stem, sha256, result)

    def _dismiss(self, worker: WorkerProcess) -> None:
        if worker in self._workers:
            self._workers.remove(worker)
            self._selector.unregister(worker.output)
            worker.stop()


def kill_tree(process: "subprocess.Popen[bytes]") -> None:
    """Kills a process, its session and all its descendants, and waits for it."""
    descendants = procfs.descendants(process.pid) if process.poll() is None else []
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for pid in descendants:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _next_task(waiting: deque[Entry], again: deque[_Task]) -> _Task | None:
    if again:
        return again.popleft()
    return _Task(waiting.popleft()) if waiting else None


def _import_folders() -> list[str]:
    """Where `autograder`, `reference` and `adkit` are imported from here: a worker must find the same ones, and nothing
    in the current folder."""
    folders: list[str] = []
    for package in ("autograder", "reference", "adkit"):
        spec = importlib.util.find_spec(package)
        if spec is not None and spec.origin is not None:
            folder = str(Path(spec.origin).resolve().parent.parent)
            if folder not in folders:
                folders.append(folder)
    return folders

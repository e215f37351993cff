"""A worker: `python -m autograder.grading.worker`, one warm workshop, one submission after another.

It speaks lines of JSON: settings first, then tasks on its standard input; replies on its standard output.
Whatever else is printed in this process goes to standard error. It ends when its input does, or its parent.
"""

import ctypes
import hashlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from autograder.assignment import Assignment, Limits
from autograder.grading.one import Workshop, grade_one, load_cases, ungraded
from autograder.submissions.read import SubmissionError, read_bytes, read_content, unreadable_digest


@dataclass(frozen=True)
class Settings:
    """What a worker is told at its start."""

    assignment: str
    """The path of the assignment's folder."""
    seed: str
    isolated: bool = True
    timeout: float | None = None
    """Instead of the assignment's submission_seconds."""
    secrets: tuple[str, ...] = ()
    """Files and folders that no submission may read: checked when the workshop opens."""
    workshop: str = "autograder.grading.worker:isolated_workshop"
    """module:function that makes the workshop from these settings."""

    def load_assignment(self) -> Assignment:
        """The assignment, with its limits cut to the timeout."""
        assignment = Assignment.load(self.assignment)
        return with_timeout(assignment, self.timeout)


def with_timeout(assignment: Assignment, timeout: float | None) -> Assignment:
    """The assignment with no limit above `timeout` seconds."""
    if timeout is None:
        return assignment
    limits: Limits = assignment.limits
    return replace(
        assignment,
        questions=tuple(
            replace(question, call_seconds=min(question.call_seconds or limits.call_seconds, timeout))
            for question in assignment.questions
        ),
        limits=replace(
            limits,
            submission_seconds=timeout,
            notebook_seconds=min(limits.notebook_seconds, timeout),
            cell_seconds=min(limits.cell_seconds, timeout),
            call_seconds=min(limits.call_seconds, timeout),
        ),
    )


def isolated_workshop(settings: Settings) -> AbstractContextManager[Workshop]:
    """The real one: a template process from which every submission is forked."""
    from autograder.grading.compiled import compiled, use_here
    from autograder.isolation import forkserver as workshop
    from autograder.isolation import layers

    policy = layers.policy(
        secrets=[Path(secret) for secret in settings.secrets],
        allow_none=not settings.isolated,
    )
    folder = compiled(Assignment.load(settings.assignment), policy, seed=settings.seed)
    if folder is not None:
        use_here(folder)
    return workshop.Workshop(policy, compiled=folder)


def main() -> int:
    """Serves until the input ends."""
    from autograder.grading import known  # imports NumPy and Otter: not where a pool is only talked to

    _die_with_parent()
    signal.signal(signal.SIGTERM, _leave)
    tasks, replies = _own_pipes()
    try:
        settings = Settings(**json.loads(tasks.readline()))
        assignment = settings.load_assignment()
        module, _, factory = settings.workshop.partition(":")
        opening: AbstractContextManager[Workshop] = getattr(import_module(module), factory)(settings)
        with ThreadPoolExecutor(1) as meanwhile:  # Otter takes as long to import as the template to start
            loading = meanwhile.submit(load_cases, assignment)
            workshop = opening.__enter__()
            loading.result()
    except Exception as error:
        traceback.print_exc()
        _reply(replies, {"fatal": str(error) or type(error).__name__, "kind": type(error).__name__})
        return 2
    # Only now: the template process was started without it, and no environment of a process shows it.
    os.environ["AUTOGRADER_SEED"] = settings.seed
    known.load(assignment)
    if hasattr(workshop, "report_waiting"):  # what the submission is forgiven, the pool must forgive this process
        reporting: Any = workshop

        def report(seconds: float) -> None:
            _reply(replies, {"waited": round(seconds, 3)})

        reporting.report_waiting = report
    try:
        _reply(replies, {"ready": os.getpid(), "isolation": _isolation(workshop)})
        for line in tasks:
            task: dict[str, str] = json.loads(line)
            _reply(replies, grade_task(task, settings, assignment, workshop))
    finally:
        known.save(assignment)
        with suppress(Exception):
            opening.__exit__(None, None, None)
    return 0


def grade_task(task: dict[str, str], settings: Settings, assignment: Assignment, workshop: Workshop) -> dict[str, Any]:
    """A task `{"name", "path"}` done: `{"result", "sha256"}`, or `{"error"}` when the grader failed."""
    started = time.monotonic()
    name, path = task["name"], Path(os.fsdecode(bytes.fromhex(task["path"])))
    sha256 = ""
    try:
        content = read_bytes(path, assignment.limits)
        sha256 = hashlib.sha256(content).hexdigest()
        submission = read_content(
            content, path.name, assignment.limits, name=name, path=path, assignment=assignment.name
        )
    except SubmissionError as error:
        sha256 = sha256 or unreadable_digest(error)
        result = ungraded(name, "unreadable", str(error), assignment)
    else:
        read = time.monotonic()
        try:
            result = grade_one(submission, assignment, workshop, settings.seed)
        except Exception as error:
            traceback.print_exc()
            return {"error": f"{type(error).__name__}: {error}"[:2000], "sha256": sha256}
        seconds = {"read": round(read - started, 4), **result.seconds}
        result = replace(result, seconds=seconds, isolated=settings.isolated)
    seconds = {**result.seconds, "total": round(time.monotonic() - started, 4)}
    return {"result": replace(result, seconds=seconds).to_json(), "sha256": sha256}


def task_of(name: str, path: Path) -> dict[str, str]:
    """A task's message; the path as hex, since a file's name need not be text."""
    return {"name": name, "path": os.fsencode(path).hex()}


def settings_line(settings: Settings) -> bytes:
    """The first line a worker reads."""
    return json.dumps(asdict(settings)).encode() + b"\n"


def _isolation(workshop: Workshop) -> list[str]:
    """The layers in use, as plain data."""
    policy: Any = getattr(workshop, "policy", None)
    layers: Any = getattr(policy, "layers", ())
    return sorted(str(layer) for layer in layers)


def _reply(replies: IO[bytes], message: dict[str, Any]) -> None:
    replies.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
    replies.flush()


def _own_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes to the parent under descriptors that nothing started here inherits."""
    tasks = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return tasks, replies


def _leave(_signal: int, _frame: object) -> None:
    """Unwinds, so that the session in hand ends its processes and removes its scratch folder."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def _die_with_parent() -> None:
    """A killed parent leaves no worker behind (Linux; elsewhere the end of the input does it)."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None, use_errno=True).prctl(set_parent_death_signal, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    tempfile.gettempdir()  # decided before anything of a submission's could change it
    sys.exit(main())

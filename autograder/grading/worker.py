"""A worker: `python -m autograder.grading.worker`, one warm grader, one submission after another.

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
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from autograder.assignment import Assignment
from autograder.grading.grader import open_grader
from autograder.grading.one import OpenSession, grade_one, ungraded
from autograder.grading.task import Settings, settle_jax
from autograder.submissions.read import SubmissionError, read_bytes, read_content, unreadable_digest

_LOST = "the process that submissions are forked from was ended from outside"


def main() -> int:
    """Serves until the input ends."""
    _die_with_parent()
    settle_jax()
    signal.signal(signal.SIGTERM, _leave)
    tasks, replies = _own_pipes()
    with ExitStack() as stack:
        try:
            settings = Settings(**json.loads(tasks.readline()))
            assignment = settings.load_assignment()
            secrets = [Path(secret) for secret in settings.secrets]
            opening = open_grader(assignment, seed=settings.seed, secrets=secrets, isolated=settings.isolated)
            grader = stack.enter_context(opening)
        except Exception as error:
            traceback.print_exc()
            _reply(replies, {"fatal": str(error) or type(error).__name__, "kind": type(error).__name__})
            return 2
        # what the submission is forgiven, the pool must forgive this process
        grader.report_waiting(lambda seconds: _reply(replies, {"waited": round(seconds, 3)}))
        _reply(replies, {"ready": os.getpid(), "isolation": list(grader.isolation)})
        for line in tasks:
            task: dict[str, str] = json.loads(line)
            reply = grade_task(task, settings, assignment, grader.open_session)
            if "result" in reply and grader.lost_template():
                # a call that was under way has failed through no fault of the submission's
                reply = {"error": _LOST, "sha256": reply["sha256"]}
            _reply(replies, reply)
    return 0


def grade_task(
    task: dict[str, str], settings: Settings, assignment: Assignment, open_session: OpenSession
) -> dict[str, Any]:
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
            result = grade_one(submission, assignment, open_session, settings.seed)
        except Exception as error:
            traceback.print_exc()
            return {"error": f"{type(error).__name__}: {error}"[:2000], "sha256": sha256}
        seconds = {"read": round(read - started, 4), **result.seconds}
        result = replace(result, seconds=seconds, isolated=settings.isolated)
    seconds = {**result.seconds, "total": round(time.monotonic() - started, 4)}
    return {"result": replace(result, seconds=seconds).to_json(), "sha256": sha256}


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
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # everything is closed; taking JAX apart takes the parent a tenth of a second

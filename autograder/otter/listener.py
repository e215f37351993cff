"""Otter's `otter grade`, in a process of its own that tells each result as soon as it is there.

Otter keeps its results to itself until the last submission is done, and then loses them all when none was completed.
This process runs Otter's own command unchanged, listens at the two functions that build the image and grade a
submission, and writes a line of JSON for each thing that happens: `{"container": id}`, `{"built": true}`,
`{"fatal": why}`, and for a submission `{"file", "seconds", "summary"}` with `{"error", "kind"}` or
`{"scores", "cases", "output"}`.

It reads its order from standard input: the arguments of Otter's command as JSON.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

PLUGIN = "autograder.otter.plugin.IsolationPlugin"
"""Under this name Otter carries what the plugin notes beside the scores."""
Tell = Callable[[dict[str, Any]], None]


def main() -> None:
    """Runs the order; raises what Otter raises, after everything that was graded has been told."""
    order: dict[str, Any] = json.load(sys.stdin)
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what Otter prints is not for the reader of the replies
    lock = threading.Lock()

    def tell(message: dict[str, Any]) -> None:
        with lock:
            replies.write(json.dumps(message) + "\n")
            replies.flush()

    from otter.grade import containers
    from otter.grade import main as otter_grade

    containers.docker = _Docker(containers.docker, tell)
    containers.build_image = _build_told(containers.build_image, tell)
    containers.grade_submission = _grading_told(containers.grade_submission, tell)
    otter_grade(**order)


class _Docker:
    """Docker as Otter uses it; tells the containers, so that none is left when this process is ended."""

    def __init__(self, docker: Any, tell: Tell) -> None:
        self._docker = docker
        self.container = _Containers(docker.container, tell)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._docker, name)


class _Containers:
    def __init__(self, containers: Any, tell: Tell) -> None:
        self._containers = containers
        self._tell = tell

    def create(self, *arguments: Any, **options: Any) -> Any:
        container = self._containers.create(*arguments, **options)
        self._tell({"container": str(container.id)})
        return container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._containers, name)


def _build_told(build: Callable[..., str], tell: Tell) -> Callable[..., str]:
    def build_image(*arguments: Any, **options: Any) -> str:
        try:
            image = build(*arguments, **options)
        except BaseException as error:
            tell({"fatal": f"{type(error).__name__}: {error}"[:4000]})
            raise
        tell({"built": True})
        return image

    return build_image


def _grading_told(grade: Callable[..., Any], tell: Tell) -> Callable[..., Any]:
    def grade_submission(submission_path: str, **options: Any) -> Any:
        from otter.test_files import GradingResults

        started = time.monotonic()
        try:
            results = grade(submission_path=submission_path, **options)
        except Exception as error:  # one container's trouble would end the batch
            results = GradingResults.without_results(error)
            results.file = os.path.basename(submission_path)
        tell(described(results, submission_path) | {"seconds": round(time.monotonic() - started, 3)})
        return results

    return grade_submission


def described(results: Any, path: str) -> dict[str, Any]:
    """Otter's results as plain data; `path`, which names a file of this machine, does not appear in it."""
    from otter.grade.utils import TimeoutException

    file = os.path.basename(path)
    try:
        summary = str(results.summary())
        if results.has_catastrophic_failure():
            error = results.catastrophic_error
            kind = "failed"
            if isinstance(error, TimeoutException):
                kind = "timeout"
            elif type(error) is ValueError and error.__traceback__ is None:
                kind = "unreadable"  # said in the container of what is not a submission, and not raised here
            text = str(error).replace(path, "the submission")
            return {"file": file, "kind": kind, "error": text, "summary": summary.replace(path, "the submission")}
        return {
            "file": file,
            "scores": {name: float(question.score) for name, question in results.results.items()},
            "cases": {
                name: [[bool(case.passed), str(case.message or "")] for case in question.test_case_results]
                for name, question in results.results.items()
            },
            "output": str(results.output or ""),
            "outcome": results.get_plugin_data(PLUGIN, {}),
            "summary": summary,
        }
    except Exception as error:
        return {"file": file, "kind": "failed", "error": f"unusable results: {error}", "summary": ""}


if __name__ == "__main__":
    main()

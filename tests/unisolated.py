"""Grading in this very process, without a fork server and without isolation: for tests of everything around it."""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autograder.assignment import Assignment
from autograder.grading.task import Settings, task_of
from autograder.grading.worker import grade_task
from autograder.records.journal import Record
from autograder.records.results import SubmissionResult, Timeout
from autograder.submissions.batch import Entry
from autograder.submissions.read import Submission


class OpenSession:
    """A session of functions that are just functions."""

    def __init__(self, submission: Submission, assignment: Assignment) -> None:
        self.log: Any = SimpleNamespace(
            notes=[], failed_cells=[], output="", seconds={"cells": 0.0}, timeouts=[], not_run=0
        )
        names: dict[str, Any] = {}
        for number, cell in enumerate(submission.cells, start=1):
            what, once, marker = cell.partition(" ONCE ")
            if once:
                if not Path(marker.strip()).exists():
                    Path(marker.strip()).touch()
                    if what == "DIE":
                        os._exit(9)
                    assert what == "END THE TEMPLATE"
                    os.kill(int(os.environ["TOY_TEMPLATE"]), signal.SIGKILL)
                    return  # as if every call had failed
                continue
            if cell == "OUT OF TIME":
                self.log.timeouts.append(Timeout("submission", "", 20.0))
                continue
            if cell == "DIE":
                os._exit(9)
            if cell == "STALL":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                while True:
                    signal.pause()
            if cell == "RAISE":
                raise RuntimeError("the session broke")
            try:
                exec(cell, names)
            except Exception as error:
                self.log.failed_cells.append((number, str(error)))
        self.functions = {name: names[name] for name in assignment.functions if name in names}

    def __enter__(self) -> "OpenSession":
        return self

    def __exit__(self, *exception: object) -> None:
        self.log.output = "printed 4711"


class OneProcess:
    """Grades like a pool, in this very process."""

    isolation = ("none at all",)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.assignment = settings.load_assignment()

    def __enter__(self) -> "OneProcess":
        return self

    def __exit__(self, *exception: object) -> None:
        return

    def grade(self, entries: Sequence[Entry]) -> Iterator[Record]:
        """Grades all entries in order."""
        for entry in entries:
            answer = grade_task(task_of(entry.name, entry.path), self.settings, self.assignment, OpenSession)
            result = SubmissionResult.from_json(json.loads(json.dumps(answer["result"])))
            yield Record(entry.name, entry.stem, answer["sha256"], result)

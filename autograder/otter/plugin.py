"""Otter's commands, isolated: a plugin that replaces the submission by one trusted cell.

Otter runs hidden tests in the kernel that ran the submission. With this plugin the kernel never sees the submission:

    before_grading     reads the submission as text, empties its folder (everything but Otter's own copy of the tests)
    before_execution   one cell that opens an isolated session and binds the proxies (`autograder.otter.kernel`); not
                       in a container, where a process beside Otter grades (`autograder.otter.container.beside`)
    after_grading      nothing of the submission is alive; bonus points, notes

It fails closed: when the session could not be opened, the tests' verdicts are worth nothing and an error is raised
instead of a score.

What happens before a plugin is Otter's: it extracts a submitted zip (Python's `extractall` keeps to the folder and
makes no links) and reads a notebook's metadata, so `otter run` ends with Otter's own error for a file that is no
notebook. In a container `autograder.otter.container.entry` has read the submission before Otter starts, and every
submission gets a result.
"""

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, cast

import nbformat.v4
from otter.plugins import AbstractOtterPlugin

from autograder.assignment import Assignment
from autograder.grading.task import settle_jax
from autograder.isolation.procfs import start_of
from autograder.otter.container.config import seed_of
from autograder.otter.listener import PLUGIN
from autograder.otter.outcome import as_text, read, written
from autograder.submissions.read import Submission, SubmissionError, read_submission
from autograder.text import printable
from autograder.walk import remove

CELL = "from autograder.otter.kernel import open_session\nglobals().update(open_session({path!r}))"
REPORT = "report.json"
SESSION = "session.json"
_MESSAGE_LIMIT = 8_000


class IsolationPluginError(RuntimeError):
    """Grading that was not isolated, or not finished, has no result."""


class IsolationPlugin(AbstractOtterPlugin):
    """Configured in otter_config.json: `assignment`, `bonus` (question -> points of each case), perhaps `seed`."""

    graded: ClassVar[dict[str, Any] | None] = None
    """The report of who has graded the submission beside Otter; None where Otter's kernel does."""
    submission_path: str
    submission_metadata: dict[str, Any]
    plugin_config: dict[str, Any]
    _record: Path
    _notes: tuple[str, ...]

    def before_grading(self, config: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Takes the submission apart; only its text survives."""
        folder = Path(self.submission_path).resolve().parent
        source = folder.parent / "source"
        if not (source / "otter_config.json").is_file():
            raise IsolationPluginError(f"{folder} is not a folder that Otter grades in; nothing was touched")
        assignment = self._assignment(source)
        try:
            submission = read_submission(self.submission_path, assignment.limits, assignment=assignment.name)
        except SubmissionError as error:
            submission = Submission(Path(self.submission_path).name, None, (), (str(error),))
        notes = cast("list[str]", (self.submission_metadata or {}).get("autograder_notes", []))
        self._notes = (*map(str, notes), *submission.notes)
        _empty(folder, Path(self.submission_path).name)
        self._record = Path(tempfile.mkdtemp(prefix="autograder-session-"))  # readable by its owner alone
        record = {
            "assignment": str(_settled(assignment.folder, self._record)),
            "submission": {
                "name": submission.name,
                "cells": submission.cells,
                "notes": self._notes,
                "demonstrations": submission.demonstrations,
                "lines": submission.lines,
            },
            "seed": seed_of(self.plugin_config),
            "secrets": [str(folder), str(source), str(self._record)],
        }
        (self._record / SESSION).write_text(json.dumps(record), encoding="utf-8")
        # a log is never unpickled, a seed never written into a cell, nothing exported or uploaded
        config.grade_from_log = False
        config.serialized_variables = None
        config.seed = config.seed_variable = None
        config.pdf = False
        config.token = None
        settle_jax()

    def before_execution(self, submission: Any) -> Any:
        """The trusted notebook: none of the submission's cells, metadata, tags or kernel."""
        cell: Any = nbformat.v4.new_code_cell(CELL.format(path=str(self._record / SESSION)))  # pyright: ignore[reportUnknownMemberType]
        kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
        notebook: Any = nbformat.v4.new_notebook(cells=[cell], metadata=kernel)  # pyright: ignore[reportUnknownMemberType]
        return notebook

    def after_grading(self, results: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Adds bonus points and notes; raises when the results cannot be believed."""
        try:
            report = self._report()
            _end_leftovers(report)
        finally:
            shutil.rmtree(self._record, ignore_errors=True)
        if results.has_catastrophic_failure():
            raise IsolationPluginError(f"the grader's kernel gave no results: {results.catastrophic_error}")
        problem = report.get("problem")
        if problem or not report.get("closed"):
            raise IsolationPluginError(str(problem or "the isolated session did not end as it should"))
        for question, points in self.plugin_config.get("bonus", {}).items():
            outcome = results.get_result(question).test_case_results
            results.update_score(
                question, sum(worth for worth, case in zip(points, outcome, strict=True) if case.passed)
            )
        for test_file in results.results.values():
            for case in test_file.test_case_results:
                case.message = printable(case.message or "", _MESSAGE_LIMIT)
        results.notebook = nbformat.v4.new_notebook()  # pyright: ignore[reportUnknownMemberType]
        outcome = read(report.get("outcome"))
        results.set_output(as_text(outcome))
        results.set_plugin_data(PLUGIN, written(outcome))

    def _assignment(self, source: Path) -> Assignment:
        """The assignment as the autograder.zip holds it, else the one of this name that is installed here."""
        name = str(self.plugin_config["assignment"])
        bundled = source / "files" / "assignments" / name
        return Assignment.load(bundled if (bundled / "assignment.toml").is_file() else name)

    def _report(self) -> dict[str, Any]:
        if self.graded is not None:
            return self.graded
        try:
            return cast("dict[str, Any]", json.loads((self._record / REPORT).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {"problem": "the isolated session was not opened: is `autograder` importable in the kernel?"}


def _settled(assignment: Path, record: Path) -> Path:
    """A copy of the assignment's folder where nothing of the submission's has been."""
    target = record / "assignments" / assignment.name
    (target / "tests").mkdir(parents=True)
    shutil.copyfile(assignment / "assignment.toml", target / "assignment.toml")
    for file in sorted((assignment / "tests").glob("*.py")):
        shutil.copyfile(file, target / "tests" / file.name)
    return target


def _empty(folder: Path, placeholder: str) -> None:
    """Deletes everything in the submission's folder but Otter's copy of the tests, without following links.

    An empty file stays in the submission's place, for Otter reads it again.
    """
    for entry in os.scandir(folder):
        if entry.name == "tests" and entry.is_dir(follow_symlinks=False):
            continue
        if entry.is_dir(follow_symlinks=False):
            remove(Path(entry.path))
        else:
            os.unlink(entry.path)
    content = ""
    if placeholder.endswith(".ipynb"):
        content = nbformat.writes(nbformat.v4.new_notebook())  # pyright: ignore[reportUnknownMemberType]
    (folder / placeholder).write_text(content, encoding="utf-8")


def _end_leftovers(report: dict[str, Any]) -> None:
    """Ends what a kernel that died may have left: the recorded processes that are still the same ones."""
    recorded = cast("Iterable[tuple[int, str]]", report.get("processes", []))
    for pid, started in recorded:
        if start_of(pid) == started:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue

"""Grading in a container: by a process of its own, beside Otter, which is imported meanwhile and starts no kernel.

Otter runs a submission in a kernel of Jupyter's, and its tests with it, to keep both out of its own process. Here no
line of a submission ever runs in that kernel (`autograder.otter.plugin`): it would do nothing but take seconds to
start. So the submission is graded as a worker grades it, and Otter is told what came out: its settings, plugins, scores
and files are its own.
"""

import json
import os
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment
from autograder.grading.task import settle_jax
from autograder.isolation import procfs
from autograder.otter.outcome import Outcome, as_otters, written
from autograder.records.results import CaseResult, SubmissionResult
from autograder.submissions.read import Submission


@contextmanager
def graded_beside(
    submission: Submission, assignment: Assignment, seed: str, secrets: Sequence[Path]
) -> Generator[Callable[[], dict[str, Any]]]:
    """Grades in a process that is at it when this returns; what is given waits for it: {"result": …}, or {"problem": …}
    when the grader failed.

    seed: the course's; empty for the documented default. secrets: what no submission may read.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _grade_and_tell(writing, submission, assignment, seed, secrets)
    os.close(writing)
    with os.fdopen(reading, "rb") as told:

        def wait() -> dict[str, Any]:
            try:
                return json.loads(told.read())
            except ValueError:
                return {"problem": "the process that graded the submission ended before it was done"}

        try:
            yield wait
        finally:
            told.close()  # one that is still at it is told nothing, and ends by what it says
            os.waitpid(pid, 0)


def _grade_and_tell(
    writing: int, submission: Submission, assignment: Assignment, seed: str, secrets: Sequence[Path]
) -> None:
    """The process itself. Never returns."""
    os.dup2(2, 1)
    try:
        settle_jax()
        from autograder.grading.grader import open_grader
        from autograder.grading.one import grade_one

        # for one submission it does not pay to compile ahead
        with open_grader(assignment, seed=seed or None, secrets=secrets, make=False) as grader:
            told = {"result": grade_one(submission, assignment, grader.open_session).to_json()}
        left = [pid for pid in procfs.descendants(os.getpid()) if procfs.start_of(pid)]
        if left:
            told = {"problem": f"{len(left)} processes of the submission could not be ended"}
    except BaseException as error:
        traceback.print_exc()
        told = {"problem": f"{type(error).__name__}: {error}"}
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(told).encode())
    finally:
        os._exit(0)


@contextmanager
def told_to_otter(wait: Callable[[], dict[str, Any]]) -> Generator[None]:
    """Within it `otter.run.run_autograder.main` starts no kernel, and has for its results what `wait` gives."""
    from otter.run.run_autograder.runners import python_runner

    from autograder.otter.plugin import IsolationPlugin, IsolationPluginError

    def grade_notebook(_path: str, *, tests_glob: Sequence[str], plugin_collection: Any, **_settings: object) -> Any:
        """In place of `otter.execute.grade_notebook`: its other settings are those of a kernel."""
        told = wait()
        if "problem" in told:
            raise IsolationPluginError(str(told["problem"]))
        result = SubmissionResult.from_json(told["result"])
        cases = {case.name: case for question in result.questions for case in question.cases}
        said = Outcome(result.notes, result.grader_notes, result.output, result.timeouts, Outcome.said(cases))
        IsolationPlugin.graded = {"closed": True, "outcome": written(said)}
        results = _results(tests_glob, cases)
        plugin_collection.run("after_grading", results)
        return results

    theirs, python_runner.grade_notebook = python_runner.grade_notebook, grade_notebook
    try:
        yield
    finally:
        python_runner.grade_notebook = theirs


def _results(tests: Sequence[str], cases: Mapping[str, CaseResult]) -> Any:
    """What came out of each case, as Otter's tests would have it."""
    from otter.nbmeta_config import NBMetadataConfig
    from otter.test_files import GradingResults, create_test_file

    files: list[Any] = [create_test_file(test, NBMetadataConfig()) for test in tests]
    for file in files:
        file.test_case_results = [as_otters(entry, cases[entry.body.test_func.__name__]) for entry in file.test_cases]
    return GradingResults(files)

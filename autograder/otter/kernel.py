"""The trusted cell: opens an isolated session in Otter's kernel and gives the tests proxies of the student's functions.

Runs in the kernel that Otter's tests run in. The submission's own processes are forked from a template process, never
from the kernel, and end before the results are written. In a container there is no kernel, and none of this
(`autograder.otter.container.beside`).
"""

import atexit
import json
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.assignment import Assignment
from autograder.isolation import procfs
from autograder.otter.outcome import Outcome, as_otters, written
from autograder.otter.plugin import REPORT
from autograder.records.results import CaseResult
from autograder.submissions.read import Submission

if TYPE_CHECKING:
    from adkit.checks.errors import CheckError


def open_session(path: str) -> dict[str, Any]:
    """The submission's functions by name, as proxies. What goes wrong is reported to the plugin, which then fails."""
    report = Path(path).parent / REPORT
    try:
        return _open(json.loads(Path(path).read_text(encoding="utf-8")), report)
    except BaseException as error:
        _write(report, {"problem": f"the isolated session could not be opened: {error}", "processes": []})
        raise


def _open(record: dict[str, Any], report: Path) -> dict[str, Any]:
    from autograder.grading.grader import open_grader

    assignment = Assignment.load(record["assignment"])
    given = record["submission"]
    parts = {part: tuple(given[part]) for part in ("cells", "notes", "demonstrations", "lines")}
    submission = Submission(given["name"], None, **parts)
    secrets = [Path(secret) for secret in record["secrets"]]
    stack = ExitStack()
    # for one submission it does not pay to compile ahead
    grader = stack.enter_context(open_grader(assignment, seed=record["seed"] or None, secrets=secrets, make=False))
    session: Any = stack.enter_context(grader.open_session(submission, assignment))
    closing = _Closing(stack, session, given["notes"], report)
    atexit.register(closing.close)
    _say_what_checks_say(assignment, closing, session.log)
    _close_before_results(closing)
    return {name: session.functions[name] for name in assignment.functions if name in session.functions}


class _Closing:
    """Ends the session once and reports how it went."""

    def __init__(self, stack: ExitStack, session: Any, notes: list[str], report: Path) -> None:
        self._stack = stack
        self._session = session
        self._notes = notes
        self._report = report
        self._done = False
        self.grader_notes: list[str] = []
        self.outcomes: dict[str, CaseResult] = {}
        _write(report, {"closed": False, "processes": _descendants()})

    def close(self) -> None:
        """Ends every process of the submission, then writes the report."""
        if self._done:
            return
        self._done = True
        processes = _descendants()
        self._stack.close()
        log = self._session.log
        failed = [f"Cell {number} raised an error: {text}" for number, text in getattr(log, "failed_cells", [])]
        left = [entry for entry in processes if procfs.start_of(entry[0]) == entry[1]]
        _write(
            self._report,
            {
                "closed": not left,
                "processes": processes,
                "problem": f"{len(left)} processes of the submission could not be ended" if left else "",
                "outcome": written(
                    Outcome(
                        notes=(*self._notes, *log.notes, *failed),
                        grader_notes=tuple(self.grader_notes),
                        output=log.output,
                        timeouts=tuple(log.timeouts),
                        cases=Outcome.said(self.outcomes),
                    )
                ),
            },
        )


def _say_what_checks_say(assignment: Assignment, closing: _Closing, log: Any) -> None:
    """The engine's messages for Otter's, which show the failing line of a test: that gives a hidden case away."""
    from otter.test_files import exception_test

    from autograder.grading import one as single
    from autograder.testcases import in_order

    cases = {case.name: case for case in in_order(assignment)}
    outcomes = closing.outcomes
    errors: dict[str, CheckError] = {}
    settled: set[str] = set()

    def outcome(name: str, functions: dict[str, Any]) -> CaseResult:
        if name not in outcomes:
            outcomes[name] = single.run_case(cases[name], functions, closing.grader_notes, log, errors)
        return outcomes[name]

    def run(self: Any, global_environment: dict[str, Any]) -> None:
        functions = {name: global_environment[name] for name in assignment.functions if name in global_environment}
        for name in cases:  # all of them, when Otter comes with its first file: in order
            outcome(name, functions)
        own = [outcome(entry.body.test_func.__name__, functions) for entry in self.test_cases]
        question = cases[own[0].name].question if own else ""
        if own and question not in settled:
            settled.add(question)
            outcomes.update(single.settled(assignment, question, own, errors))
        self.test_case_results = [
            as_otters(entry, outcome(entry.body.test_func.__name__, functions)) for entry in self.test_cases
        ]

    exception_test.ExceptionTestFile.run = run


def _close_before_results(closing: _Closing) -> None:
    """Otter asks the checker for its results when the last test is done, and then writes them."""
    from otter.execute import Checker

    collect = Checker.get_results

    def get_results() -> Any:
        closing.close()
        return collect()

    Checker.get_results = staticmethod(get_results)


def _descendants() -> list[tuple[int, str]]:
    started = [(pid, procfs.start_of(pid)) for pid in procfs.descendants(os.getpid())]
    return [(pid, start) for pid, start in started if start]  # without those that have ended and wait to be collected


def _write(report: Path, content: dict[str, Any]) -> None:
    partial = report.with_suffix(".part")
    partial.write_text(json.dumps(content), encoding="utf-8")
    partial.replace(report)

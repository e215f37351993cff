"""Otter's grading without Otter's kernel: the trusted cell and the tests run in Otter's own process.

Otter runs a submission in a kernel of Jupyter's, and its tests beside it, to keep both out of its own process. Here no
line of a submission ever runs in that kernel (`autograder.otter.plugin`), so that all it does is take two to three
seconds of every container to start. What Otter does before and after (its settings, plugins, scores and files) stays.
"""

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

from autograder.otter.plugin import IsolationPluginError


@contextmanager
def without_kernel() -> Generator[None]:
    """Within it `otter.run.run_autograder.main` starts no kernel."""
    from otter.run.run_autograder.runners import python_runner

    theirs, python_runner.grade_notebook = python_runner.grade_notebook, grade_notebook
    try:
        yield
    finally:
        python_runner.grade_notebook = theirs


def grade_notebook(
    submission_path: str, *, tests_glob: Sequence[str], plugin_collection: Any, **_settings: object
) -> Any:
    """In place of `otter.execute.grade_notebook`; its other settings are those of a kernel, or what the plugin has
    turned off.

    submission_path: of the file that the plugin has left in the submission's place. tests_glob: Otter's test files.
    Raises IsolationPluginError when there is no plugin that isolates the submission.
    """
    from otter.execute import Checker
    from otter.test_files import GradingResults

    notebook = plugin_collection.before_execution(None) if plugin_collection else None
    if notebook is None:
        raise IsolationPluginError(f"{os.path.basename(submission_path)} would not be isolated; it was not run")
    names: dict[str, Any] = {}
    try:
        with redirect_stdout(sys.stderr):
            for cell in notebook.cells:
                exec(cell.source, names)
            Checker.enable_tracking()
            for test in tests_glob:
                Checker.check_if_not_already_checked(test, global_env=names)
            results = GradingResults(Checker.get_results())
    except Exception as error:
        results = GradingResults.without_results(error)
    plugin_collection.run("after_grading", results)
    return results

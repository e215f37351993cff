"""Grades the one submission of a container and always leaves a result.

`otter grade` unpickles `results.pkl` on the instructor's machine, so it is written last: by this process, after every
other process in the container is gone, from a folder that no submission could reach. Otter itself runs on a folder of
its own, in which the submission is a notebook rebuilt from the text of its cells: no uploaded zip, metadata or second
file ever comes near it.
"""

import json
import os
import shutil
import signal
import tempfile
import traceback
from pathlib import Path
from typing import Any

import nbformat
import nbformat.v4

from autograder.assignment import Assignment, AssignmentError
from autograder.names import kind_of
from autograder.otter.container import results as written
from autograder.otter.container.beside import graded_beside, told_to_otter
from autograder.otter.container.config import plugin_settings, seed_of
from autograder.submissions.read import Submission, SubmissionError, demonstration_digest, read_submission


def main(folder: Path) -> int:
    """Grades `folder`/submission (`folder` is /autograder); the exit code is 0 whenever there is a result."""
    work = Path(tempfile.mkdtemp(prefix="grading-", dir=folder / "course"))
    config = json.loads((folder / "source" / "otter_config.json").read_text(encoding="utf-8"))
    try:
        outcome = _grade(folder, work, config)
    except Exception:
        outcome = written.failed(traceback.format_exc())
    _end_everything_else()
    for name, content in outcome.items():
        target = folder / "results" / name
        target.unlink(missing_ok=True)
        target.write_bytes(content)
    shutil.rmtree(work, ignore_errors=True)
    return 0


def _grade(folder: Path, work: Path, config: dict[str, Any]) -> dict[str, bytes]:
    try:
        assignment = Assignment.load(str(plugin_settings(config)["assignment"]))
    except (AssignmentError, ValueError):
        return written.failed(traceback.format_exc())
    try:
        submission = find_submission(folder / "submission", assignment)
    except SubmissionError as error:
        return written.unreadable(str(error))
    seed = seed_of(plugin_settings(config))
    secrets = [folder / "source", folder / "submission", folder / "results", work]
    with graded_beside(submission, assignment, seed, secrets) as graded:
        _lay_out(folder, work, config, submission)
        from otter.run.run_autograder import main as run_autograder

        with told_to_otter(graded):
            run_autograder(str(work))
    return {name: (work / "results" / name).read_bytes() for name in ("results.json", "results.pkl")}


def find_submission(folder: Path, assignment: Assignment) -> Submission:
    """What was handed in: the one notebook, else the one zip, else the one script; SubmissionError otherwise."""
    files = sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.name != "__init__.py")
    for ending, what in ((".ipynb", "notebooks"), (".zip", "zip files"), (".py", "scripts")):
        found = [path for path in files if kind_of(path.name) == ending]
        if len(found) > 1:
            named = [path for path in found if path.stem == assignment.name]
            if len(named) != 1:
                raise SubmissionError(f"The submission holds {len(found)} {what}. Hand in one.")
            found = named
        if found:
            return read_submission(found[0], assignment.limits, assignment=assignment.name)
    raise SubmissionError("The submission holds no notebook (.ipynb), script (.py) or export (.zip).")


def _lay_out(folder: Path, work: Path, config: dict[str, Any], submission: Submission) -> None:
    """The folders Otter expects, with trusted content only."""
    (work / "source").mkdir()
    (work / "submission").mkdir()
    (work / "results").mkdir()
    config = {**config, "zips": False, "autograder_dir": str(work)}
    (work / "source" / "otter_config.json").write_text(json.dumps(config), encoding="utf-8")
    shutil.copytree(folder / "source" / "tests", work / "source" / "tests")
    metadata = {"autograder_notes": list(submission.notes)}
    # Otter's image leaves this file empty, which Otter then cannot read
    (work / "submission_metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    cells: list[Any] = [
        nbformat.v4.new_code_cell(cell, metadata=_cell_metadata(submission, number))  # pyright: ignore
        for number, cell in enumerate(submission.cells, 1)
    ]
    notebook: Any = nbformat.v4.new_notebook(cells=cells)  # pyright: ignore[reportUnknownMemberType]
    nbformat.write(notebook, work / "submission" / "submission.ipynb")  # pyright: ignore[reportUnknownMemberType]


def _cell_metadata(submission: Submission, number: int) -> dict[str, str]:
    """What the plugin has to know of a cell when it reads the notebook again."""
    if number not in submission.demonstrations:
        return {}
    return {"demonstration": demonstration_digest(submission.cells[number - 1])}


def _end_everything_else() -> None:
    """As the container's first process, ends every other one. Elsewhere (Gradescope) the plugin has ended its own."""
    if os.getpid() != 1:
        return
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        return
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return

"""What `grader.export` hands in: the notebook that runs, as it is on the screen, and nothing else."""

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from adkit.notebook import file as notebook_file
from adkit.notebook.file import NotebookFileError, Ran, own_path, surely_older
from small_handout import DOUBLE, EXPORT, SETUP, STUB, TWICE, handout, notebook

from autograder.assignment import Limits
from autograder.submissions.read import read_submission

MINE = DOUBLE.replace("2 * x", "x * 2  # mine")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(handout(tmp_path))
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setattr(notebook_file, "_path_at_the_server", lambda: None)
    return tmp_path


def ran(*cells: str) -> Ran:
    record = Ran()
    for number, cell in enumerate(cells):
        record.record(cell, f"id-{number}")
    return record


def earlier(file: Path) -> None:
    """As if it had been saved an hour ago."""
    moment = time.time() - 3600
    os.utime(file, (moment, moment))


def test_where_nobody_knows_the_file_it_is_the_one_that_holds_what_ran(folder: Path) -> None:
    (folder / "small.ipynb").write_text(notebook(SETUP, STUB, TWICE, EXPORT))
    (folder / "small (1).ipynb").write_text(notebook(SETUP, MINE, TWICE, EXPORT))
    assert own_path("small", ran(MINE, TWICE), {}).name == "small (1).ipynb"


def test_where_no_file_holds_what_ran_nothing_is_chosen(folder: Path) -> None:
    (folder / "small.ipynb").write_text(notebook(SETUP, STUB, TWICE, EXPORT))
    with pytest.raises(NotebookFileError, match=r"No notebook in .* holds the cells that ran here"):
        own_path("small", ran(MINE), {})


def test_where_two_files_could_be_it_nothing_is_chosen(folder: Path) -> None:
    (folder / "small.ipynb").write_text(notebook(SETUP, MINE, STUB))
    (folder / "copy.ipynb").write_text(notebook(SETUP, MINE, TWICE))
    with pytest.raises(NotebookFileError, match=r"Which notebook is this one\?"):
        own_path("small", ran(MINE), {})


@pytest.mark.parametrize("name", ["__vsc_ipynb_file__", "__session__"])
def test_what_the_front_end_says_of_the_file_counts(folder: Path, name: str) -> None:
    (folder / "small.ipynb").write_text(notebook(SETUP, MINE))
    (folder / "other.ipynb").write_text(notebook(SETUP, STUB))
    assert own_path("small", ran(MINE), {name: str(folder / "other.ipynb")}).name == "other.ipynb"


def test_a_path_that_is_no_longer_there_does_not_count(folder: Path) -> None:
    (folder / "renamed.ipynb").write_text(notebook(SETUP, MINE))
    assert own_path("small", ran(MINE), {"__session__": str(folder / "small.ipynb")}).name == "renamed.ipynb"


def test_a_file_that_was_saved_before_a_cell_ran_that_it_does_not_hold_is_older(folder: Path) -> None:
    file = folder / "small.ipynb"
    file.write_text(notebook(SETUP, STUB))
    earlier(file)
    assert surely_older(file, ran(MINE)) == [MINE]


def test_a_file_that_was_saved_after_the_cells_ran_is_not_older(folder: Path) -> None:
    file = folder / "small.ipynb"
    record = ran(MINE)
    file.write_text(notebook(SETUP, STUB))
    moment = time.time() + 10
    os.utime(file, (moment, moment))
    assert surely_older(file, record) == []


def test_a_cell_that_was_changed_and_run_again_counts_as_it_ran_last(folder: Path) -> None:
    file = folder / "small.ipynb"
    file.write_text(notebook(SETUP, MINE))
    earlier(file)
    record = Ran()
    record.record(STUB, "a")
    record.record(MINE, "a")
    assert surely_older(file, record) == []


# --- in IPython -----------------------------------------------------------------------------------------------------

RUN = """
import sys, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in sys.argv[1:]:
    shell.run_cell(cell, store_history=True)
"""


def session(folder: Path, *cells: str) -> str:
    """What a session in IPython prints that runs these cells, as VS Code's does (no front end to ask)."""
    environment = {**os.environ, "IPYTHONDIR": str(folder / ".ipython")}
    command = [sys.executable, "-c", RUN, *cells]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8")
    assert done.stderr == ""
    return done.stdout


def exported(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.zip"))


def code_of(file: Path) -> tuple[str, ...]:
    return read_submission(file, Limits(), assignment="small").cells


def test_the_zip_holds_the_notebook_that_ran_and_the_grader_takes_it(folder: Path) -> None:
    (folder / "small.ipynb").write_text(notebook(SETUP, STUB, TWICE, EXPORT))
    (folder / "small (1).ipynb").write_text(notebook(SETUP, MINE, TWICE, EXPORT))
    said = session(folder, SETUP, MINE, TWICE, EXPORT)
    (file,) = exported(folder)
    assert code_of(file) == (SETUP, MINE, TWICE, EXPORT)
    assert zipfile.ZipFile(file).namelist()[0] == "small.ipynb"
    assert "2 questions: 2 passed" in said
    assert f"Hand in: {file}" in said


def test_an_older_file_is_refused_in_one_sentence(folder: Path) -> None:
    file = folder / "small.ipynb"
    file.write_text(notebook(SETUP, STUB, TWICE, EXPORT))
    earlier(file)
    said = session(folder, f"__vsc_ipynb_file__ = {str(file)!r}", SETUP, MINE, EXPORT)
    assert exported(folder) == []
    (line,) = said.strip().splitlines()
    assert line.startswith("Nothing was exported. small.ipynb was last saved before some of its cells ran: save it now")


def test_a_newer_file_that_differs_is_exported_with_one_sentence(folder: Path) -> None:
    file = folder / "small.ipynb"
    file.write_text(notebook(SETUP, MINE, TWICE, EXPORT))
    moment = time.time() + 3600
    os.utime(file, (moment, moment))
    said = session(
        folder, f"__vsc_ipynb_file__ = {str(file)!r}", SETUP, DOUBLE, TWICE, "grader.export(run_tests=False)"
    )
    assert len(exported(folder)) == 1
    assert said.count("1 cell that defines functions has been changed in the file since") == 1


def test_what_the_grader_leaves_out_is_a_note_of_the_export_and_no_problem(folder: Path) -> None:
    (folder / "small.ipynb").write_text(notebook(SETUP, "import seaborn", MINE, EXPORT))
    said = session(folder, SETUP, MINE, EXPORT).splitlines()
    assert any(line.startswith("  Note: Drawing was left out") for line in said), said
    assert [line for line in said if line.startswith("  !")] == []


def test_an_unfinished_notebook_exports_without_a_traceback(folder: Path) -> None:
    (folder / "small.ipynb").write_text(notebook(SETUP, STUB, TWICE, "print(double(2))", EXPORT))
    said = session(folder, SETUP, STUB, TWICE, EXPORT)
    assert "q1: Question 1  not filled in yet" in said
    assert "Traceback" not in said
    assert len(exported(folder)) == 1


def test_an_old_notebook_of_otters_goes_on_working(folder: Path) -> None:
    setup = 'import otter\ngrader = otter.Notebook("small.ipynb", tests_dir="tests/small")'
    (folder / "small.ipynb").write_text(notebook(setup, DOUBLE, TWICE))
    assert "q1 results: All test cases passed!" in session(folder, setup, DOUBLE, 'print(grader.check("q1"))')


def test_otters_own_check_runs_a_notebook_of_ours(folder: Path) -> None:
    (folder / "small.ipynb").write_text(notebook(SETUP, DOUBLE, 'grader.check("q1")', TWICE, EXPORT))
    command = [sys.executable, "-m", "otter", "check", "small.ipynb", "-t", "tests/small"]
    environment: dict[str, Any] = {**os.environ, "IPYTHONDIR": str(folder / ".ipython")}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert "All tests passed!" in done.stdout, done.stdout + done.stderr
    assert exported(folder) == []


def test_the_setup_cell_says_in_one_sentence_that_adkit_is_elsewhere(tmp_path: Path) -> None:
    import json

    source = json.loads((ROOT_NOTEBOOK).read_text(encoding="utf-8"))["cells"]
    setup = next("".join(cell["source"]) for cell in source if cell["cell_type"] == "code")
    hide = "import sys; sys.modules['adkit'] = None; sys.path.insert(0, '')"
    said = session(tmp_path, hide, setup)
    (line,) = said.strip().splitlines()
    assert line.startswith(f"There is no adkit/ in {tmp_path}: open this notebook in the folder")


ROOT_NOTEBOOK = Path(__file__).parents[3] / "student_template" / "matrix_gradients.ipynb"

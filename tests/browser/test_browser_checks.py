"""Checking and handing in, as a student does it in JupyterLab."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from solved import solved_notebook

NAME = "matrix_gradients"
SUMMARY = "4 of 4 public cases, 3 of 8 points; the rest runs after you hand in."


@pytest.fixture(scope="module")
def solved(handout: Path) -> Path:
    """The handout with a solved notebook besides, and one second for a call of q3 instead of ten."""
    (handout / "solved.ipynb").write_text(solved_notebook(NAME), encoding="utf-8")
    facts = handout / "tests" / NAME / "assignment.json"
    content = json.loads(facts.read_text(encoding="utf-8"))
    for question in content["questions"]:
        question["call_seconds"] = 1.0 if question["name"] == "q3" else question["call_seconds"]
    facts.write_text(json.dumps(content), encoding="utf-8")
    return handout


def exported(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.zip"))


def test_a_solved_question_is_one_block_that_says_how_much_green_is(solved, lab):
    notebook = lab.open("solved.ipynb")
    assert notebook.run_cell(notebook.find("import adkit")) == ""
    notebook.run_cell(notebook.find("def linear_solve_vjp("))
    said = notebook.run_cell(notebook.find('grader.check("q1")'))
    assert said.splitlines()[-1] == SUMMARY
    assert said.count("✓") == 4


def test_a_stub_is_one_sentence_and_an_endless_loop_ends_with_variables_that_survive(solved, lab):
    notebook = lab.open(f"{NAME}.ipynb")
    notebook.run_cell(notebook.find("import adkit"))
    notebook.run_cell(notebook.find("def linear_solve_vjp("))
    assert "q1 is not filled in yet (8 points)." in notebook.run_cell(notebook.find('grader.check("q1")'))
    stub = notebook.find("def nuclear_norm_gradient(")
    notebook.set_source(stub, "survivor = 41\ndef nuclear_norm_gradient(W):\n    while True:\n        pass")
    notebook.run_cell(stub)
    assert "nuclear_norm_gradient did not finish within 1 seconds." in notebook.run_cell(
        notebook.find('grader.check("q3")')
    )
    notebook.set_source(stub, "print(survivor + 1)")
    assert notebook.run_cell(stub) == "42"


def test_export_holds_an_edit_that_was_not_saved(solved, lab):
    notebook = lab.open(f"{NAME}.ipynb")
    notebook.run_cell(notebook.find("import adkit"))
    notebook.set_source(notebook.find("def svd_vjp("), "# not saved by hand")
    export = notebook.find("grader.export()")
    notebook.set_source(export, "grader.export(run_tests=False)")
    said = notebook.run_cell(export)
    (file,) = exported(lab.folder)
    assert f"{file.name} holds {NAME}.ipynb, saved just now." in said
    assert "# not saved by hand" in zipfile.ZipFile(file).read(f"{NAME}.ipynb").decode()
    file.unlink()


def test_a_copy_exports_itself_and_shows_what_it_earns(solved, lab):
    shutil.copy(lab.folder / "solved.ipynb", lab.folder / f"{NAME} (1).ipynb")
    notebook = lab.open(f"{NAME} (1).ipynb")
    notebook.run_cell(notebook.find("import adkit"))
    notebook.set_source(notebook.find("def svd_vjp("), "# of the copy")
    said = notebook.run_cell(notebook.find("grader.export()"), seconds=200)
    (file,) = exported(lab.folder)
    assert "# of the copy" in zipfile.ZipFile(file).read(f"{NAME}.ipynb").decode()
    assert f"holds {NAME} (1).ipynb, saved just now." in said
    assert "5 questions: 4 passed, 1 wrong, 0 not yet." in said
    assert f"Hand in {file.name}." in said
    assert "Warning" not in said
    file.unlink()

"""The notebooks as a student has them: opened in JupyterLab, run, checked and handed in there.

What a test reads is what the page shows. All are in one file because they share a server, a browser and a page.
"""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from browser.front_end import DARK, LIGHT, Lab, figures, solve
from solved import solved_notebook

from autograder.assignment import names

NAME = "matrix_gradients"
NOTEBOOK = f"{NAME}.ipynb"
SUMMARY = "4 of 4 public cases, 3 of 8 points; the rest runs after you hand in."


def test_a_notebook_runs_in_jupyterlab_with_what_the_handout_holds(lab):
    notebook = lab.open(NOTEBOOK)
    setup = notebook.find("import adkit")
    assert notebook.run_cell(setup) == ""
    example = notebook.find("pull_back(Y_bar)[0]")
    assert notebook.run_cell(example).startswith("largest difference:")
    assert notebook.cells()[example]["outputs"]


def test_what_is_typed_into_a_cell_runs_before_it_is_saved_and_is_in_the_file_after(lab):
    notebook = lab.open(NOTEBOOK)
    stub = notebook.find("def svd_vjp(")
    notebook.set_source(stub, "print(6 * 7)  # mine")
    assert notebook.run_cell(stub) == "42"
    file = lab.folder / NOTEBOOK
    assert "# mine" not in file.read_text(encoding="utf-8")
    notebook.save()
    assert "# mine" in file.read_text(encoding="utf-8")


def test_running_all_cells_shows_an_error_where_it_was_raised(lab):
    notebook = lab.open("ad_modes.ipynb")
    notebook.set_source(notebook.find("import adkit"), "1 / 0")
    notebook.run_all()
    assert "ZeroDivisionError" in notebook.output_text(notebook.find("1 / 0"))


# --- checking and handing in ------------------------------------------------------------------------------------


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


# --- every figure, in both themes, and every formula ------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_every_figure_and_formula_is_on_the_page_in_both_themes(lab: Lab, name: str) -> None:
    file = f"{name}.ipynb"  # of a solved one only the code cells are different
    expected = figures((lab.folder / file).read_text(encoding="utf-8"))
    assert expected
    notebook = lab.open(file, kernel=False)
    for theme in (LIGHT, DARK):
        notebook.set_theme(theme)
        shown = notebook.pictures()
        assert len(shown) == len(expected)
        assert [picture["alt"] for picture in shown if picture["width"] == 0] == []
        assert [picture["alt"] for picture in shown] == expected
    assert notebook.page.locator("mjx-container").count() > 20
    assert notebook.page.locator("mjx-merror, [data-mjx-error]").count() == 0


def test_the_pages_on_which_tests_measure_contrast_are_jupyterlabs(lab: Lab) -> None:
    """#ffffff, #111111 and #212121, as in tests/autograder/build/test_figures.py."""
    notebook = lab.open("ad_modes.ipynb", kernel=False)
    notebook.set_theme(LIGHT)
    assert notebook.backgrounds() == ["rgb(255, 255, 255)", "rgb(255, 255, 255)"]
    notebook.set_theme(DARK)
    assert notebook.backgrounds() == ["rgb(17, 17, 17)", "rgb(33, 33, 33)"]


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_a_solved_notebook_runs_and_every_drawing_is_on_the_page(lab: Lab, name: str) -> None:
    notebook = lab.open(solve(lab.folder, name, export=False))
    notebook.run_all()
    cells = notebook.cells()
    kinds = [output["output_type"] for cell in cells for output in cell.get("outputs", [])]
    assert "error" not in kinds
    drawings = [
        output
        for cell in cells
        for output in cell.get("outputs", [])
        if "image/svg+xml" in output.get("data", {}) and "text/html" not in output["data"]
    ]
    shown = [picture for picture in notebook.pictures() if picture["output"]]
    assert len(shown) == len(drawings)
    assert all(picture["width"] for picture in shown)

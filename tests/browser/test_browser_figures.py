"""What a student sees on opening a notebook, unsolved or solved: every figure, in both themes, and every formula."""

import pytest
from browser.front_end import DARK, LIGHT, Lab, figures, solve

from autograder.assignment import names

NOTEBOOKS = [(name, solved) for name in names() for solved in (False, True)]


@pytest.mark.parametrize(("name", "solved"), NOTEBOOKS)
def test_every_figure_and_formula_is_on_the_page_in_both_themes(lab: Lab, name: str, solved: bool) -> None:
    file = solve(lab.folder, name) if solved else f"{name}.ipynb"
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

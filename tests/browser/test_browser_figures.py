"""What a student sees on opening a notebook, unsolved or solved: every figure, in both themes, and every formula."""

import json
from pathlib import Path

import pytest
from front_end import DARK, LIGHT, figures

from autograder.assignment import Assignment, names
from autograder.build.command import solutions

NOTEBOOKS = [(name, solved) for name in names() for solved in (False, True)]


def solve(folder: Path, name: str) -> str:
    """Writes <name>_solved.ipynb, the notebook with the reference solutions in the stubs' place; returns its name."""
    notebook = json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))
    code = solutions(Assignment.load(name))
    for cell in notebook["cells"]:
        if "question" in cell["metadata"]:
            cell["source"] = code[cell["metadata"]["question"]]
    (folder / f"{name}_solved.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return f"{name}_solved.ipynb"


@pytest.mark.parametrize(("name", "solved"), NOTEBOOKS)
def test_every_figure_is_on_the_page_in_both_themes(lab, name: str, solved: bool) -> None:
    file = solve(lab.folder, name) if solved else f"{name}.ipynb"
    expected = figures((lab.folder / file).read_text(encoding="utf-8"))
    assert expected
    notebook = lab.open(file, kernel=False)
    for theme in (LIGHT, DARK):
        notebook.set_theme(theme)
        shown = notebook.pictures()
        assert len(shown) == len(expected)
        assert [picture["alt"] for picture in shown if picture["width"] == 0] == []
    assert notebook.page.locator("mjx-container").count() > 20
    assert notebook.page.locator("mjx-merror, [data-mjx-error]").count() == 0

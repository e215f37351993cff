"""The same notebooks in Notebook 7 and as the page that nbconvert makes. Slow: `pytest -m slow tests/browser`."""

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from browser.front_end import TEMPLATE, Server, figures, open_notebook, serve
from markdown_it import MarkdownIt
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Page

from autograder.assignment import names

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def notebook7(browser: Browser, handout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(handout, tmp_path_factory.mktemp("jupyter"), "notebook") as server:
        yield server


@pytest.mark.parametrize("name", names())
def test_notebook_7_shows_every_figure_and_runs_a_cell(notebook7: Server, page: Page, name: str) -> None:
    expected = figures((TEMPLATE / f"{name}.ipynb").read_text(encoding="utf-8"))
    notebook = open_notebook(page, notebook7, f"{name}.ipynb")
    shown = notebook.pictures()
    assert [picture["alt"] for picture in shown if picture["width"]] == expected
    assert "Error" not in notebook.run_cell(notebook.find("import adkit"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", names())
def test_nbconverts_page_shows_every_figure(page: Page, tmp_path: Path, name: str, theme: str) -> None:
    text = (TEMPLATE / f"{name}.ipynb").read_text(encoding="utf-8")
    html, _ = HTMLExporter(theme=theme).from_notebook_node(nbformat.reads(text, as_version=4))
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    page.route("http*://**", lambda route: route.abort())  # its MathJax is on a server: formulas stay as typed
    page.goto((tmp_path / "page.html").as_uri())
    shown = page.evaluate("[...document.images].map(image => [image.alt, image.naturalWidth > 0])")
    assert shown == [[alt, True] for alt in figures(text)]


@pytest.mark.parametrize("name", names())
def test_markdown_it_with_which_vs_code_reads_markdown_passes_every_figure(name: str) -> None:
    """Not VS Code itself: its rule of which addresses of images are harmless, in the Python version of its parser."""
    text = (TEMPLATE / f"{name}.ipynb").read_text(encoding="utf-8")
    cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
    html = "".join(MarkdownIt("commonmark").render("".join(cell["source"])) for cell in cells)
    assert html.count('src="data:image/png;base64,') == len(figures(text))

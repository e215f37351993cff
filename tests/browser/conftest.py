"""Fixtures of the tests in a browser: `browser`, `page`, `handout`, `lab`. front_end.py says what a notebook can do.

Without a Chromium or Chrome these tests are skipped, and say so; where CI is set a missing browser is a failure,
because nobody would notice that what students see is no longer tested.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from front_end import BROWSERS, OpenNotebook, Server, find_browser, open_browser, open_notebook, serve
from playwright.sync_api import Browser, Page

TEMPLATE = Path(__file__).parents[2] / "student_template"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    if find_browser() is None:
        message = f"no Chromium or Chrome here (looked for $CHROMIUM, {', '.join(BROWSERS)}): apt-get install chromium"
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(message)
        pytest.skip(message)
    with open_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page of 1280 x 900 pixels, with no memory of other tests."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        yield context.new_page()
    finally:
        context.close()


@pytest.fixture(scope="module")
def handout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of student_template/, as a student has it."""
    folder = tmp_path_factory.mktemp("student") / "handout"
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    return folder


class Lab:
    """JupyterLab in the copy of student_template/, and a page."""

    def __init__(self, server: Server, page: Page) -> None:
        self.server = server
        self.page = page

    @property
    def folder(self) -> Path:
        """The files that the student has."""
        return self.server.folder

    def open(self, notebook: str) -> OpenNotebook:
        """Opens a notebook, by its path in `folder`, and waits for its cells and its kernel."""
        return open_notebook(self.page, self.server, notebook)


@pytest.fixture(scope="module")
def jupyterlab(browser: Browser, handout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab for the tests of one file. (It asks for the browser so that nothing starts where there is none.)"""
    with serve(handout, tmp_path_factory.mktemp("jupyter")) as server:
        yield server


@pytest.fixture
def lab(jupyterlab: Server, page: Page) -> Lab:
    """JupyterLab with a page: `lab.open("ad_modes.ipynb")`."""
    return Lab(jupyterlab, page)

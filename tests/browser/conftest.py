"""Fixtures of the tests in a browser: `browser`, `page`, `handout`, `lab`. front_end.py says what a notebook can do.

Without a Chromium or Chrome these tests are skipped, and say so; where CI is set a missing browser is a failure,
because nobody would notice that what students see is no longer tested.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser.front_end import TEMPLATE, Lab, Server, open_browser, serve
from playwright.sync_api import Browser, BrowserContext, Page

from autograder.build.pictures import BROWSERS, find_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium, closed after each file: its event loop would be in the way of other files' tests."""
    if find_browser() is None:
        message = f"no Chromium or Chrome here (looked for $CHROMIUM, {', '.join(BROWSERS)}): apt-get install chromium"
        if os.environ.get("CI", "").lower() not in ("", "0", "false"):
            pytest.fail(message)
        pytest.skip(message)
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """What the pages of one file share: above all JupyterLab's own scripts, which are read once."""
    opened = browser.new_context(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(90_000)  # for a machine that is busy with other tests
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """An empty page of 1280 x 900 pixels."""
    opened = context.new_page()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def handout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of student_template/, as a student has it."""
    folder = tmp_path_factory.mktemp("student") / "handout"
    shutil.copytree(TEMPLATE, folder, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    return folder


@pytest.fixture(scope="module")
def jupyterlab(browser: Browser, handout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A JupyterLab for the tests of one file. (It asks for the browser so that nothing starts where there is none.)"""
    with serve(handout, tmp_path_factory.mktemp("jupyter")) as server:
        yield server


@pytest.fixture(scope="module")
def loaded(jupyterlab: Server, context: BrowserContext) -> Lab:
    """JupyterLab with a page for the tests of one file: most of what opening a notebook takes is loading JupyterLab."""
    return Lab(jupyterlab, context.new_page())


@pytest.fixture
def lab(loaded: Lab) -> Iterator[Lab]:
    """JupyterLab with nothing open, and the notebooks as they are handed out: `lab.open("ad_modes.ipynb")`."""
    yield loaded
    loaded.close()
    for notebook in TEMPLATE.glob("*.ipynb"):
        shutil.copy(notebook, loaded.folder)

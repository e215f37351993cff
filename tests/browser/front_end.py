"""Jupyter as a student has it: a server on the loopback address, a notebook open in a headless Chromium.

`serve` starts JupyterLab (or Notebook 7) in a folder, `open_notebook` opens one of its notebooks in a page. The
notebook is driven through the front end's own commands ("notebook:run-cell", …), which is what its menus and keys
call, and what is read is what the page shows. The fixtures in conftest.py put both together:

    def test_the_check_shows_a_sentence(lab):
        notebook = lab.open("ad_modes.ipynb")
        notebook.run_cell(notebook.find("import adkit"))
        notebook.set_source(notebook.find("def toy_forward"), "def toy_forward(x1, x2, dx1, dx2): return 0")
        ...
        assert "five pairs" in notebook.run_cell(notebook.find('grader.check("q1")'))

Nothing is downloaded: the browser is one that is on the machine (`autograder.build.pictures.find_browser`).
"""

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from markdown_it import MarkdownIt
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from autograder.assignment import Assignment
from autograder.build.command import solutions
from autograder.build.pictures import find_browser

TEMPLATE = Path(__file__).parents[2] / "student_template"
LIGHT, DARK = "JupyterLab Light", "JupyterLab Dark"

# What JupyterLab would do by itself, and a test must not depend on: ask whether it may fetch news, look for updates,
# draw only the cells that are in sight.
_SETTINGS = {
    "apputils-extension/notification": '{"fetchNews": "false", "checkForUpdates": false}',
    "notebook-extension/tracker": '{"windowingMode": "none"}',
}
_START_SECONDS = 120
_PANEL = "window.jupyterapp.shell.currentWidget"
_IMAGES = ".jp-MarkdownOutput img, .jp-OutputArea img"  # not those with which a cell's editor keeps its lines apart


@dataclass(frozen=True)
class Server:
    """A Jupyter server that answers on the loopback address."""

    folder: Path
    """What it serves; the kernels' working directory."""
    interface: Literal["lab", "notebook"]
    base: str
    """http://127.0.0.1:<port>/"""
    token: str

    def address(self, notebook: str) -> str:
        """Where the interface shows a notebook, named by its path in `folder`; without an earlier session's tabs."""
        path = "lab/tree" if self.interface == "lab" else "notebooks"
        return f"{self.base}{path}/{notebook}?reset&token={self.token}"


def figures(notebook: str) -> list[str]:
    """The alternative text of each image in a notebook's markdown cells, in order, as markdown-it reads them."""
    found: list[str] = []
    for cell in json.loads(notebook)["cells"]:
        if cell["cell_type"] != "markdown":
            continue
        for token in MarkdownIt("commonmark").parse("".join(cell["source"])):
            parts = token.children or [token]  # an element over several lines stands in a paragraph
            found += [part.content for part in parts if part.type == "image"]
            found += [part.content.split('alt="')[1].split('"')[0] for part in parts if "<img " in part.content[:5]]
    return found


def solve(folder: Path, name: str, export: bool = True) -> str:
    """Writes <name>_solved.ipynb, the notebook with the reference solutions in the stubs' place; returns its name."""
    notebook = json.loads((folder / f"{name}.ipynb").read_text(encoding="utf-8"))
    code = solutions(Assignment.load(name))
    for cell in notebook["cells"]:
        if "question" in cell["metadata"]:
            cell["source"] = code[cell["metadata"]["question"]]
        elif "export" in cell["metadata"].get("tags", []) and not export:
            cell["source"] = ""
    (folder / f"{name}_solved.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return f"{name}_solved.ipynb"


@contextmanager
def serve(
    folder: Path, scratch: Path, interface: Literal["lab", "notebook"] = "lab", settings: dict[str, str] | None = None
) -> Generator[Server]:
    """Runs Jupyter in `folder` with settings of its own (in `scratch`), a free port and a token; ends it afterwards.

    settings: JSON by plug-in, e.g. {"notebook-extension/tracker": "{…}"}, over the ones above. RuntimeError when the
    server does not start, with what it wrote.
    """
    for plugin, text in (_SETTINGS | (settings or {})).items():
        file = scratch / "settings" / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    token = secrets.token_hex(16)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "JUPYTER_CONFIG_DIR": str(scratch / "config"),
        "JUPYTER_DATA_DIR": str(scratch / "data"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(scratch / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(scratch / "workspaces"),
        "IPYTHONDIR": str(scratch / "ipython"),
    }
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        *(sys.executable, "-m", "jupyterlab" if interface == "lab" else "notebook", "--no-browser"),
        *("--ip=127.0.0.1", f"--port={port}", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"),
        *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
        *(["--allow-root"] if os.geteuid() == 0 else []),
    ]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    log: list[str] = []
    base: list[str] = []
    answered = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            log.append(line)
            if not base and (found := re.search(r"(http://127\.0\.0\.1:\d+/)", line)):
                base.append(found[1])
                answered.set()
        answered.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        answered.wait(_START_SECONDS)
        if not base:
            raise RuntimeError(f"Jupyter did not start: {''.join(log)[-2000:]}")
        yield Server(folder, interface, base[0], token)
    finally:
        process.terminate()  # it ends its kernels first
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        reader.join()
        if process.stderr is not None:
            process.stderr.close()


@contextmanager
def open_browser() -> Generator[Browser]:
    """A headless Chromium; RuntimeError when there is none on this machine."""
    executable = find_browser()
    if executable is None:
        raise RuntimeError("there is no Chromium or Chrome on this machine")
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not start as root
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


class OpenNotebook:
    """A notebook that is open in a page. Cells are numbered from 0, markdown cells included."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def cells(self) -> list[dict[str, Any]]:
        """The cells as the front end holds them, saved or not: cell_type, source, outputs, metadata."""
        return self.page.evaluate(f"() => {_PANEL}.content.widgets.map(cell => cell.model.toJSON())")

    def find(self, text: str) -> int:
        """The number of the only code cell whose source has `text` in it; LookupError when it is not one."""
        found = [
            number
            for number, cell in enumerate(self.cells())
            if cell["cell_type"] == "code" and text in "".join(cell["source"])
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} code cells hold {text!r}: {found}")
        return found[0]

    def set_source(self, number: int, source: str) -> None:
        """Writes into a cell as typing does: the notebook has unsaved changes afterwards."""
        self.page.evaluate(
            f"([number, source]) => {_PANEL}.content.widgets[number].model.sharedModel.setSource(source)",
            [number, source],
        )

    def run_cell(self, number: int, seconds: float = 60) -> str:
        """Runs a cell, waits until it is done, and returns the text that its outputs show."""
        self._command("notebook:run-cell", number, seconds)
        return self.output_text(number)

    def start_cell(self, number: int) -> None:
        """Runs a cell without waiting for its end."""
        self.page.evaluate(
            f"number => {{ {_PANEL}.content.activeCellIndex = number;"
            "window.jupyterapp.commands.execute('notebook:run-cell'); }",
            number,
        )

    def run_all(self, seconds: float = 300) -> None:
        """Runs all cells and waits for the last one, or for the first error, which is an output of its cell."""
        self._command("notebook:run-all-cells", None, seconds)

    def save(self, seconds: float = 30) -> None:
        """Saves the notebook."""
        self._command("docmanager:save", None, seconds)

    def wait_idle(self, seconds: float = 60) -> None:
        """Waits until a kernel is there and has nothing to do."""
        self.page.wait_for_function(
            f"() => {_PANEL}.sessionContext.session?.kernel?.status === 'idle'", timeout=1000 * seconds
        )

    def cell(self, number: int) -> Locator:
        """The cell on the page."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").nth(number)

    def output(self, number: int) -> Locator:
        """A code cell's outputs on the page."""
        return self.cell(number).locator(".jp-Cell-outputArea")

    def output_text(self, number: int) -> str:
        """What a code cell's outputs say on the page; "" when there are none."""
        area = self.output(number)
        return "\n".join(area.all_inner_texts()).strip()

    def set_theme(self, theme: str) -> None:
        """LIGHT or DARK."""
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        self.page.wait_for_function(
            "dark => document.body.dataset.jpThemeLight === (dark ? 'false' : 'true')", arg=theme == DARK
        )

    def pictures(self) -> list[dict[str, Any]]:
        """Every image that a reader of the page sees, once it is loaded or broken, in order.

        cell: its cell's number; output: whether it is in an output; alt; width: its natural width, 0 when it is
        broken; shown: its width on the page, in CSS pixels.
        """
        self.page.wait_for_function(
            f"() => [...{_PANEL}.node.querySelectorAll('{_IMAGES}')].every(image => image.complete)"
        )
        return self.page.evaluate(
            f"""() => {_PANEL}.content.widgets.flatMap((cell, number) =>
                [...cell.node.querySelectorAll('{_IMAGES}')].map(image => ({{
                    cell: number, output: image.closest('.jp-OutputArea') !== null, alt: image.alt,
                    width: image.naturalWidth, shown: image.getBoundingClientRect().width,
                }})))"""
        )

    def backgrounds(self) -> list[str]:
        """The colours of the theme's page and of what lies on it (--jp-layout-color0 and -color1)."""
        return self.page.evaluate(
            """() => ['--jp-layout-color0', '--jp-layout-color1'].map(name => {
                const patch = document.body.appendChild(document.createElement('div'));
                patch.style.backgroundColor = `var(${name})`;
                const colour = getComputedStyle(patch).backgroundColor;
                patch.remove();
                return colour;
            })"""
        )

    def screenshot(self, path: Path) -> None:
        """The whole notebook as a picture, up to 16 000 pixels long."""
        outer = f"{_PANEL}.node.querySelector('.jp-WindowedPanel-outer')"
        height = self.page.evaluate(f"() => Math.ceil({outer}.scrollHeight)")
        size = self.page.viewport_size or {"width": 1280, "height": 900}
        self.page.set_viewport_size({"width": size["width"], "height": min(height + 140, 16_000)})
        self.page.evaluate(f"() => {{ {outer}.scrollTop = 0; }}")
        self.page.screenshot(path=path)
        self.page.set_viewport_size({"width": size["width"], "height": size["height"]})

    def _command(self, name: str, number: int | None, seconds: float) -> None:
        if number is not None:
            self.page.evaluate(f"number => {{ {_PANEL}.content.activeCellIndex = number; }}", number)
        # Promises have no time limit of their own: the page keeps the outcome, and waiting for it has one.
        self.page.evaluate(
            """name => { window.outcome = null; window.jupyterapp.commands.execute(name).then(
                () => { window.outcome = 'done'; }, error => { window.outcome = String(error); }); }""",
            name,
        )
        self.page.wait_for_function("() => window.outcome !== null", timeout=1000 * seconds)
        outcome = self.page.evaluate("() => window.outcome")
        if outcome != "done":
            raise RuntimeError(f"{name}: {outcome}")


def open_notebook(page: Page, server: Server, notebook: str, kernel: bool = True) -> OpenNotebook:
    """Loads a notebook's page, and waits until its cells are drawn and, with `kernel`, until its kernel is idle."""
    page.goto(server.address(notebook))
    return _opened(page, notebook, kernel)


def _opened(page: Page, notebook: str, kernel: bool) -> OpenNotebook:
    page.wait_for_function(
        "name => { const context = window.jupyterapp?.shell?.currentWidget?.context;"
        " return context?.path === name && context.isReady; }",
        arg=notebook,
        timeout=60_000,
    )
    page.evaluate(
        f"""async () => {{
            await {_PANEL}.revealed;
            await Promise.all({_PANEL}.content.widgets.map(cell => cell.ready));
        }}"""
    )
    page.wait_for_function(
        f"""() => {_PANEL}.content.widgets.every(cell => cell.model.type !== 'markdown' || !cell.rendered
            || cell.node.querySelector('.jp-RenderedMarkdown')?.childElementCount > 0)"""
    )
    opened = OpenNotebook(page)
    if kernel:
        opened.wait_idle()
    return opened


class Lab:
    """JupyterLab in the copy of student_template/, in a page in which one notebook after the other is opened."""

    def __init__(self, server: Server, page: Page) -> None:
        self.server = server
        self.page = page
        self._loaded = False

    @property
    def folder(self) -> Path:
        """The files that the student has."""
        return self.server.folder

    def open(self, notebook: str, kernel: bool = True) -> OpenNotebook:
        """Opens a notebook, by its path in `folder`, and waits for its cells and, unless told otherwise, its kernel."""
        if not self._loaded:
            self._loaded = True
            return open_notebook(self.page, self.server, notebook, kernel)
        self.page.evaluate("path => { window.jupyterapp.commands.execute('docmanager:open', { path }); }", notebook)
        return _opened(self.page, notebook, kernel)

    def close(self) -> None:
        """Closes every notebook without saving it, and ends its kernel."""
        if self._loaded:
            self.page.evaluate(
                """async () => {
                    const open = [...window.jupyterapp.shell.widgets('main')].filter(widget => widget.sessionContext);
                    await Promise.all(open.map(widget => widget.sessionContext.shutdown()));
                    open.forEach(widget => widget.dispose());
                }"""
            )

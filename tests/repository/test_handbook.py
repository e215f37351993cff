"""The handbook as pages: without a warning, with nothing loaded from elsewhere, and for students nothing hidden."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from autograder.assignment import Assignment, names
from autograder.build.leaks import find_leaks, secrets
from autograder.build.percent import read_cells
from autograder.build.testfiles import read_test_files
from autograder.cli import _parser

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(DOCS / "extensions"))

import mathml  # noqa: E402
import pages  # noqa: E402

WRITTEN = [
    *DOCS.rglob("*.md"),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "student_template/README.md")),
]
LOADED = {("script", "src"), ("img", "src"), ("iframe", "src"), ("link", "href"), ("source", "src"), ("object", "data")}


class Loads(HTMLParser):
    """What a page loads when it is opened."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if (tag, name) in LOADED]


@pytest.fixture(scope="module")
def built() -> tuple[Path, Path]:
    """The handbook, and the students' part alone, as the README's second command makes them."""
    stamp = f"{sys.prefix}/.installed"  # whatever runs the tests has the packages
    command = ["make", "--no-print-directory", "docs", f"VENV={sys.prefix}", f"INSTALLED={stamp}", "-o", stamp]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "build" / "docs", ROOT / "build" / "docs-students"


def html(folder: Path) -> Iterator[Path]:
    return folder.rglob("*.html")


def test_pages_load_nothing_from_elsewhere(built: tuple[Path, Path]) -> None:
    for page in html(built[0]):
        outside = [url for url in Loads(page.read_text(encoding="utf-8")).found if re.match(r"(?:[a-z]+:)?//", url)]
        assert outside == [], page
    for style in built[0].rglob("*.css"):
        text = style.read_text(encoding="utf-8")
        assert re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//[^)]*", text) == [], style


def test_the_search_and_both_colours_are_there(built: tuple[Path, Path]) -> None:
    assert (built[0] / "searchindex.js").stat().st_size > 50_000
    assert "theme-toggle" in (built[0] / "index.html").read_text(encoding="utf-8")


def test_every_notebook_can_be_read(built: tuple[Path, Path]) -> None:
    for name in names():
        page = (built[0] / "students" / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        assert "grader" in page
        assert "<math" in page
        assert "raise" in page


def test_students_pages_hold_nothing_hidden(built: tuple[Path, Path]) -> None:
    found = {str(page.relative_to(built[1])) for page in html(built[1])}
    assert "students/start.html" in found
    assert not {name for name in found if name.startswith(("instructors", "maintainers", "index"))}
    assert {name for name in found if name.startswith("mathematics")} == {"mathematics/counts.html"}
    texts = {
        f"{name}.txt": unescape(re.sub(r"<[^>]+>", "", (built[1] / name).read_text(encoding="utf-8"))).encode()
        for name in found
        if "notebooks/" in name or name.startswith(("students", "mathematics"))
    }
    for name in names():
        assignment = Assignment.load(name)
        hidden = secrets(assignment, read_cells(assignment), read_test_files(assignment))
        assert find_leaks(hidden, texts) == []


def test_no_page_is_left_out_of_the_contents(built: tuple[Path, Path]) -> None:
    text = (built[0] / "genindex.html").read_text(encoding="utf-8")  # any page has the whole sidebar
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix(".html")
        assert name.name == "index.html" or str(name) in text, name


def commands() -> list[tuple[str, str]]:
    """Every command line of `autograder` that a page shows, with the page it is on."""
    found: list[tuple[str, str]] = []
    for page in WRITTEN:
        for line in re.findall(
            r"^ {4,}(?:\.venv/bin/)?autograder ([a-z].*)$", page.read_text(encoding="utf-8"), re.MULTILINE
        ):
            command = re.sub(r"\s+#.*", "", line)
            if not re.search(r"[\[…]", command):
                found.append((str(page.relative_to(ROOT)), command))
    return found


def test_commands_are_found() -> None:
    assert len(commands()) > 12


@pytest.mark.parametrize(("page", "command"), commands())
def test_a_command_that_a_page_shows_has_the_options_that_there_are(page: str, command: str) -> None:
    options = _parser().parse_args(shlex.split(command))
    assert callable(options.run)


# --- formulas, drawings, docstrings -----------------------------------------------------------------------------------


def test_a_formula_becomes_mathml() -> None:
    made = mathml.to_mathml(r"\bar A = -\bar b\, x^\top", display=True)
    assert made.startswith("<math")
    assert 'display="block"' in made
    assert "<msup>" in made


def test_a_command_that_is_not_understood_is_not_shown_as_it_is() -> None:
    with pytest.raises(ValueError, match="unknown"):
        mathml.to_mathml(r"\nosuchcommand x", display=False)


def test_every_drawing_is_of_what_is_written() -> None:
    drawn = {file.name for file in (DOCS / pages.DRAWN).glob("*.svg")}
    written = {
        pages.drawing(source)
        for page in DOCS.rglob("*.md")
        for source in re.findall(r"```mermaid\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    }
    assert drawn == written


def test_a_docstring_keeps_what_is_aligned_and_marks_code() -> None:
    made = pages.as_rst(["Calls `f` on a*b, as `Node`s.", "", "    x = 1", "", "a | b | c", "- one", "  more"])
    assert made[0] == r"Calls ``f`` on a\*b, as ``Node``\ s."
    assert "::" in made
    assert "    x = 1" in "\n".join(made)
    assert "    a | b | c" in made


def test_a_link_to_a_file_that_is_no_page_becomes_its_name() -> None:
    page = DOCS / "students" / "start.md"
    text = "[a](../../Makefile) [b](../../SECURITY.md#personal-data) [c](checks.md) `[d](../../Makefile)`"
    made = pages.led_to_pages(text, page, page, pages.written_elsewhere())
    assert made == "a [b](../instructors/security.md#personal-data) [c](checks.md) `[d](../../Makefile)`"

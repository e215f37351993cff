"""Pages of the handbook that are written elsewhere, and what is made from code.

- A page with the comment `<!-- this page: ../../SECURITY.md -->` is that file, which GitHub shows at its own place. Its
  links, and links of the handbook to files outside of it, lead to the pages that hold them; to a file that is not
  a page, they become its name.
- A drawing in Mermaid is shown as the SVG that `docs/draw.py` made of it, with the digest of the drawing in its name.
- `<!-- made: NAME -->` is replaced by what this module makes under that name: `keys` (of assignment.toml), `grades`
  (the assignments' points) and so on.
- `<!-- toctree … -->` is a table of contents, which GitHub does not show.
- Docstrings, which are written as plain text with code spans, become reStructuredText.
- Notebooks and figures of assignments are copied beside the pages that show them.
"""

import hashlib
import os
import re
import shutil
import textwrap
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from sphinx.util import logging

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
DRAWN = "_static/drawn"
NOTEBOOKS = "students/notebooks"
_LOGGER = logging.getLogger(__name__)
_THIS_PAGE = re.compile(r"<!-- this page: (\S+) -->")
_MADE = re.compile(r"<!-- made: (\w+) -->")
_TOCTREE = re.compile(r"<!-- toctree\n(.*?)-->", re.DOTALL)
_MERMAID = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)
_LINK = re.compile(r"(?<!\!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")


def drawing(source: str) -> str:
    """The name of the SVG of a drawing."""
    return f"{hashlib.sha256(source.strip().encode()).hexdigest()[:16]}.svg"


def written_elsewhere() -> dict[Path, Path]:
    """The files that are pages of the handbook, and the page that each of them is."""
    found: dict[Path, Path] = {}
    for page in sorted(DOCS.rglob("*.md")):
        match = _THIS_PAGE.search(page.read_text(encoding="utf-8"))
        if match is not None:
            found[(page.parent / match[1]).resolve()] = page
    return found


EXCLUDED: list[str] = []
"""Patterns of pages that this build leaves out."""


def page_of(path: Path, elsewhere: dict[Path, Path]) -> Path | None:
    """The page that shows a file of the repository; None when none does."""
    shown = _page_of(path.resolve(), elsewhere)
    if shown is None or any(shown.relative_to(DOCS).match(pattern) for pattern in EXCLUDED):
        return None
    return shown


def _page_of(path: Path, elsewhere: dict[Path, Path]) -> Path | None:
    if path.is_relative_to(DOCS) and path.suffix == ".md":
        return path
    if path.suffix == ".ipynb" and path.parent == ROOT / "student_template":
        return DOCS / NOTEBOOKS / path.name
    return elsewhere.get(path)


def led_to_pages(text: str, home: Path, page: Path, elsewhere: dict[Path, Path]) -> str:
    """A text written in the file `home`, with its links as they have to be in the page `page`."""

    def link(match: re.Match[str]) -> str:
        label, target = match[1], match[2]
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        path, _, anchor = target.partition("#")
        shown = page_of(home.parent / path, elsewhere)
        if shown is None:
            return label
        return f"[{label}]({os.path.relpath(shown, page.parent)}{'#' * bool(anchor)}{anchor})"

    def image(match: re.Match[str]) -> str:
        if re.match(r"[a-z]+:", match[2]):
            return match[0]
        file = (home.parent / match[2]).resolve()
        if not file.is_relative_to(DOCS):
            name = "-".join(file.relative_to(ROOT).parts).removeprefix(".")
            (DOCS / "_build" / "images").mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, DOCS / "_build" / "images" / name)
            file = DOCS / "_build" / "images" / name
        return f"![{match[1]}]({os.path.relpath(file, page.parent)})"

    parts = re.split(r"(^```.*?^```$|`[^`\n]+`)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(part if part.startswith("`") else _IMAGE.sub(image, _LINK.sub(link, part)) for part in parts)


def rewritten(text: str, page: Path) -> str:
    """What Sphinx reads in place of a page's text."""
    elsewhere = written_elsewhere()
    here = _THIS_PAGE.search(text)
    home = page
    if here is not None:
        home = (page.parent / here[1]).resolve()
        text = home.read_text(encoding="utf-8")
    text = _MADE.sub(lambda match: MADE[match[1]](), text)
    text = led_to_pages(text, home, page, elsewhere)
    text = _TOCTREE.sub(lambda match: f"```{{toctree}}\n{match[1]}```", text)

    def drawn(match: re.Match[str]) -> str:
        file = DOCS / DRAWN / drawing(match[1])
        if not file.is_file():
            _LOGGER.warning("%s: a drawing has changed; run python docs/draw.py", page.relative_to(DOCS))
            return ""
        return f"![A drawing of the text around it]({os.path.relpath(file, page.parent)})"

    return _MERMAID.sub(drawn, text)


# --- made from code ---------------------------------------------------------------------------------------------------


def keys() -> str:
    """The keys of assignment.toml: names, types, defaults, and what the code says of them."""
    from autograder import assignment

    parts = [
        "## Of a question\n",
        _fields(assignment.Question, skip={"name"}),
        "\n## `[limits]`\n",
        _fields(assignment.Limits),
        "\n## An example with everything\n",
        "```toml",
        _example(str(assignment.__doc__)),
        "```",
    ]
    return "\n".join(parts)


def _fields(cls: Any, skip: frozenset[str] | set[str] = frozenset()) -> str:
    said = _said_of_fields(cls)
    rows = ["| key | type | default | |", "|---|---|---|---|"]
    for entry in fields(cls):
        if entry.name in skip:
            continue
        default = "" if entry.default is MISSING else _number(entry.default)
        kind = entry.type.__name__ if isinstance(entry.type, type) else str(entry.type)
        kind = {"tuple[str, ...]": "list of str"}.get(kind, kind.replace(" | None", ""))
        rows.append(f"| `{entry.name}` | {kind} | {default} | {said.get(entry.name, '')} |")
    return "\n".join(rows)


def _number(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: ""}[value]
    if isinstance(value, int) and value >= 1024 and value % 1024 == 0:
        for unit, size in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
            if value >= size:
                return f"{value} ({value / size:g} {unit})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _said_of_fields(cls: Any) -> dict[str, str]:
    """The strings below the fields of a class."""
    import ast
    import inspect

    body = ast.parse(inspect.getsource(cls)).body[0]
    said: dict[str, str] = {}
    assert isinstance(body, ast.ClassDef)
    for node, following in zip(body.body, body.body[1:], strict=False):
        match node, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                said[name] = " ".join(text.split())
            case _:
                pass
    return said


def _example(doc: str) -> str:
    return doc.partition("\n\n")[2].strip()


def grades() -> str:
    """The table of assignments."""
    from autograder.assignment import Assignment, names
    from autograder.build.tables import points

    rows = ["| assignment | what a student writes | points |", "|---|---|--:|"]
    for each in map(Assignment.load, names()):
        rows.append(f"| `{each.name}` | {each.about} | {points(each)} |")
    return "\n".join(rows)


def isolation_limits() -> str:
    """What a submission may use, as a sentence for students."""
    from autograder.assignment import Limits

    limits = Limits()
    return (
        f"One call {limits.call_seconds:g} s unless the question says otherwise, one cell {limits.cell_seconds:g} s, "
        f"everything together {limits.submission_seconds:g} s; {limits.memory_bytes / 1024**3:g} GiB of memory; "
        f"{limits.output_bytes // 1024} KiB of printed text are kept."
    )


def commands() -> str:
    """Every command of `autograder`, from its parser."""
    import argparse

    from autograder.cli import _parser

    groups: list[Any] = [each for each in _parser()._actions if isinstance(each, argparse._SubParsersAction)]
    parts: list[str] = []
    for name, parser in groups[0].choices.items():
        examples = str(parser.epilog).partition("\n\n")[0].removeprefix("examples:\n")
        parts += [f"## `{name}`\n", f"{parser.description}\n", "```text", textwrap.dedent(examples), "```\n"]
        rows = [_argument(action) for action in parser._actions if action.dest not in ("help", "debug")]
        parts += ["| argument | |", "|---|---|", *rows, ""] if rows else []
    return "\n".join(parts)


def _argument(action: Any) -> str:
    """The row of an argument."""
    value = f" {action.metavar or action.dest.upper()}" if action.nargs != 0 else ""
    if action.choices and not action.metavar:
        value = f" {'|'.join(map(str, action.choices))}"
    names = ", ".join(f"`{option}`" for option in action.option_strings)
    shown = f"{names}{f' `{value.strip()}`' if value else ''}" if names else f"`{value.strip()}`"
    said = (action.help or "") % {"default": action.default, "prog": "autograder"}
    return f"| {shown} | {'required: ' if names and action.required else ''}{said} |".replace("|'", "\\|'")


MADE: dict[str, Callable[[], str]] = {"keys": keys, "grades": grades, "limits": isolation_limits, "commands": commands}


# --- docstrings -------------------------------------------------------------------------------------------------------


def as_rst(lines: list[str]) -> list[str]:
    """A docstring as reStructuredText: what is indented, aligned or a table stays as it is, the rest is text."""
    made: list[str] = []
    for block in re.split(r"\n(?:[ \t]*\n)+", "\n".join(lines).strip("\n")):
        rows = block.split("\n")
        if not block.strip():
            continue
        is_list = re.match(r"\s*(?:[-*]|\d+\.) ", rows[0]) is not None
        kept = not is_list and (any(row.startswith(" ") for row in rows) or any(row.count("|") > 1 for row in rows))
        if kept:
            made += ["::", "", *(f"    {row}" for row in rows), ""]
        elif is_list:
            items = re.split(r"\n(?=(?:[-*]|\d+\.) )", block)
            for item in items:
                mark, _, rest = item.partition(" ")
                made += [f"{mark} {_text(' '.join(rest.split()))}"]
            made.append("")
        else:
            made += [*_text(block).split("\n"), ""]
    return made


def _text(text: str) -> str:
    made = ""
    for part in re.split(r"(`[^`]+`)", text):
        if part.startswith("`") and len(part) > 2:
            made += f"``{' '.join(part[1:-1].split())}``"
        else:
            made += ("\\ " if made.endswith("``") and part[:1].isalnum() else "") + _escaped(part)  # `Variable`s
    return made


def _escaped(text: str) -> str:
    return re.sub(r"([\\*`|])|(?<=\w)(_)(?!\w)", lambda match: "\\" + (match[1] or match[2]), text)


# --- Sphinx -----------------------------------------------------------------------------------------------------------


def _copy_notebooks(_app: Any) -> None:
    target = DOCS / NOTEBOOKS
    for notebook in sorted((ROOT / "student_template").glob("*.ipynb")):
        copy = target / notebook.name
        if not copy.is_file() or copy.read_bytes() != notebook.read_bytes():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(notebook, copy)


def _read(app: Any, name: str, source: list[str]) -> None:
    path = Path(app.env.doc2path(name))
    if path.suffix == ".md":
        source[0] = rewritten(source[0], path)


def _docstring(_app: Any, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    lines[:] = as_rst(lines)


def setup(app: Any) -> dict[str, Any]:
    """As Sphinx calls it."""
    EXCLUDED[:] = app.config.exclude_patterns
    app.connect("builder-inited", _copy_notebooks)
    app.connect("source-read", _read)
    app.connect("autodoc-process-docstring", _docstring)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

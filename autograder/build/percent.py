"""Reads `notebook.py` (jupytext percent format) into cells, and checks the conventions the other stages rely on.

# %% tags=["setup"]         imports and `grader = adkit.Notebook("<name>")`
# %% [markdown]             text
# %% question="q1"          the stub: every function of the question
# %% check="q1"             grader.check("q1")
# %% tags=["export"]        the export cell

A question with `minutes` in assignment.toml is announced in the text by a heading and a row of the table at the top,
which say the same as assignment.toml:

## q1: Title (8 points, about 25 minutes)
| q1 | `function`, `other_function` | 8 | 25 |
"""

import ast
import re
from dataclasses import dataclass
from typing import Any, Literal, cast

import jupytext

from autograder.assignment import Assignment, Question
from autograder.build import BuildError

KEPT_METADATA = ("question", "check", "tags")


@dataclass(frozen=True)
class Cell:
    """One cell of the notebook as its author wrote it."""

    kind: Literal["markdown", "code"]
    source: str
    question: str = ""
    """The question whose stub this is."""
    check: str = ""
    """The question that this cell checks."""
    tags: tuple[str, ...] = ()


def read_cells(assignment: Assignment) -> tuple[Cell, ...]:
    """The cells of `assignment.notebook`, in order; BuildError when a convention is broken."""
    path = assignment.notebook
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BuildError(f"{path}: missing; it is the notebook's text (jupytext percent format)") from None
    entries = cast("list[Any]", jupytext.reads(text, fmt="py:percent").cells)  # pyright: ignore
    cells = tuple(_cell(entry, path.name) for entry in entries if entry.source.strip())
    _check_conventions(assignment, cells)
    _check_announcements(assignment, cells)
    return cells


def heading(question: Question) -> str:
    """The heading that announces a question with an estimate of minutes."""
    return f"## {question.heading}"


def table_row(question: Question) -> str:
    """The row of the notebook's table for a question with an estimate of minutes."""
    functions = ", ".join(f"`{function}`" for function in question.functions)
    name, plus = (f"{question.name} (bonus)", "+") if question.bonus else (question.name, "")
    return f"| {name} | {functions} | {plus}{question.points:g} | {question.minutes} |"


def _check_announcements(assignment: Assignment, cells: tuple[Cell, ...]) -> None:
    lines = [line.strip() for cell in cells if cell.kind == "markdown" for line in cell.source.splitlines()]
    for question in assignment.questions:
        if question.minutes is None:
            continue
        for wanted, start in (
            (heading(question), rf"#+ {question.name}\b"),
            (table_row(question), rf"\| {question.name}\b"),
        ):
            found = [line for line in lines if re.match(start, line)]
            if found != [wanted]:
                there = " and ".join(repr(line) for line in found) or "no such line"
                raise BuildError(
                    f"{assignment.name}/notebook.py: what it says of {question.name} is not what assignment.toml says: "
                    f"{wanted!r} expected once, {there} found"
                )


def _cell(entry: Any, file: str) -> Cell:
    kind = entry.cell_type
    if kind not in ("markdown", "code"):
        raise BuildError(f"{file}: {kind} cells are not used here; write markdown or code")
    metadata = {key: value for key, value in entry.metadata.items() if key != "lines_to_next_cell"}
    unknown = set(metadata) - set(KEPT_METADATA)
    if unknown:
        raise BuildError(f"{file}: unknown cell metadata {', '.join(sorted(unknown))}; known: {KEPT_METADATA}")
    return Cell(
        kind=kind,
        source=str(entry.source),
        question=str(metadata.get("question", "")),
        check=str(metadata.get("check", "")),
        tags=tuple(metadata.get("tags", ())),
    )


def _check_conventions(assignment: Assignment, cells: tuple[Cell, ...]) -> None:
    file = f"{assignment.name}/notebook.py"
    known = [question.name for question in assignment.questions]
    for role in ("question", "check"):
        found = [getattr(cell, role) for cell in cells if getattr(cell, role)]
        if found != known:
            raise BuildError(
                f'{file}: the cells with {role}="…" must be, once each and in this order: '
                f"{', '.join(known)}; found: {', '.join(found) or 'none'}"
            )
    for question in assignment.questions:
        stub = next(cell for cell in cells if cell.question == question.name)
        position = {cell.check: index for index, cell in enumerate(cells) if cell.check}
        if position[question.name] < cells.index(stub):
            raise BuildError(f"{file}: {question.name} is checked before its stub")
        try:
            body = ast.parse(stub.source).body
        except SyntaxError as error:
            raise BuildError(f"{file}: the stub of {question.name} is not valid Python: {error}") from None
        defined = {node.name for node in body if isinstance(node, ast.FunctionDef)}
        missing = [name for name in question.functions if name not in defined]
        if missing:
            raise BuildError(f"{file}: the stub of {question.name} does not define {', '.join(missing)}")
    first = next((cell for cell in cells if cell.kind == "code"), None)
    ours = re.compile(rf'adkit\.Notebook\("{re.escape(assignment.name)}"')
    otters = first is not None and "otter.Notebook(" in first.source and f"tests/{assignment.name}" in first.source
    if first is None or not (ours.search(first.source) or otters):
        raise BuildError(
            f"{file}: the first code cell must set the checks up: import adkit; "
            f'grader = adkit.Notebook("{assignment.name}")'
        )

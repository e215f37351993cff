"""Reads `notebook.py` (jupytext percent format) into cells, and checks the conventions the other stages rely on.

# %% tags=["setup"]         imports and `grader = adkit.Notebook("<name>")`
# %% [markdown]             text
# %% question="q1"          the stub: every function of the question
# %% check="q1"             grader.check("q1")
# %% tags=["export"]        the export cell

In the text a line `<!-- questions -->` becomes the table of all questions, and a heading `## q1` the whole heading of
that question: `autograder.build.tables` makes both from assignment.toml. Who writes them out has to say the same.
"""

import ast
import re
from dataclasses import dataclass
from typing import Any, Literal, cast

import jupytext

from autograder.assignment import Assignment
from autograder.build import BuildError, Faults
from autograder.build.tables import filled_in, heading, row

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
    """The cells of `assignment.notebook`, in order; BuildError with every convention that is broken."""
    path = assignment.notebook
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BuildError(f"{path}: missing; it is the notebook's text (jupytext percent format)") from None
    entries = cast("list[Any]", jupytext.reads(text, fmt="py:percent").cells)  # pyright: ignore
    faults = Faults()
    cells: list[Cell] = []
    for entry in entries:
        if entry.source.strip():
            with faults.collected():
                cells.append(_cell(entry, assignment))
    _check_conventions(assignment, cells, faults)
    _check_announcements(assignment, cells, faults)
    faults.raise_any()
    return tuple(cells)


def _check_announcements(assignment: Assignment, cells: list[Cell], faults: Faults) -> None:
    lines = [line.strip() for cell in cells if cell.kind == "markdown" for line in cell.source.splitlines()]
    for question in assignment.questions:
        if question.minutes is None:
            continue
        for wanted, start in (
            (heading(question), rf"#+ {question.name}\b"),
            (row(question), rf"\| {question.name}\b"),
        ):
            found = [line for line in lines if re.match(start, line)]
            if found != [wanted]:
                there = " and ".join(repr(line) for line in found) or "no such line"
                faults.add(
                    f"{assignment.name}/notebook.py: what it says of {question.name} is not what assignment.toml says: "
                    f"{wanted!r} expected once, {there} found"
                )


def _cell(entry: Any, assignment: Assignment) -> Cell:
    kind, file = entry.cell_type, f"{assignment.name}/{assignment.notebook.name}"
    if kind not in ("markdown", "code"):
        raise BuildError(f"{file}: {kind} cells are not used here; write markdown or code")
    metadata = {key: value for key, value in entry.metadata.items() if key != "lines_to_next_cell"}
    unknown = set(metadata) - set(KEPT_METADATA)
    if unknown:
        raise BuildError(f"{file}: unknown cell metadata {', '.join(sorted(unknown))}; known: {KEPT_METADATA}")
    source = str(entry.source)
    return Cell(
        kind=kind,
        source=filled_in(source, assignment) if kind == "markdown" else source,
        question=str(metadata.get("question", "")),
        check=str(metadata.get("check", "")),
        tags=tuple(metadata.get("tags", ())),
    )


def _check_conventions(assignment: Assignment, cells: list[Cell], faults: Faults) -> None:
    file = f"{assignment.name}/notebook.py"
    known = [question.name for question in assignment.questions]
    for role in ("question", "check"):
        found = [getattr(cell, role) for cell in cells if getattr(cell, role)]
        if found != known:
            faults.add(
                f'{file}: the cells with {role}="…" must be, once each and in this order: '
                f"{', '.join(known)}; found: {', '.join(found) or 'none'}"
            )
    stubs = {cell.question: cell for cell in cells if cell.question}
    checks = {cell.check: index for index, cell in enumerate(cells) if cell.check}
    for question in assignment.questions:
        stub = stubs.get(question.name)
        if stub is None:
            continue
        if checks.get(question.name, len(cells)) < cells.index(stub):
            faults.add(f"{file}: {question.name} is checked before its stub")
        try:
            body = ast.parse(stub.source).body
        except SyntaxError as error:
            faults.add(f"{file}: the stub of {question.name} is not valid Python: {error}")
            continue
        defined = {node.name for node in body if isinstance(node, ast.FunctionDef)}
        missing = [name for name in question.functions if name not in defined]
        if missing:
            faults.add(f"{file}: the stub of {question.name} does not define {', '.join(missing)}")
    first = next((cell for cell in cells if cell.kind == "code"), None)
    ours = re.compile(rf'adkit\.Notebook\("{re.escape(assignment.name)}"')
    otters = first is not None and "otter.Notebook(" in first.source and f"tests/{assignment.name}" in first.source
    if first is None or not (ours.search(first.source) or otters):
        faults.add(
            f"{file}: the first code cell must set the checks up: import adkit; "
            f'grader = adkit.Notebook("{assignment.name}")'
        )
    if not any("export" in cell.tags and "grader.export(" in cell.source for cell in cells):
        faults.add(f'{file}: no cell with tags=["export"] calls grader.export(): students could not hand in')

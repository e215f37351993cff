"""Otter's master notebook: the author's cells between Otter's raw cells, with solutions and test cases put in."""

from typing import Any

import nbformat.v4
import yaml

from autograder.assignment import Assignment
from autograder.build.figures import split_figures
from autograder.build.percent import Cell
from autograder.build.testfiles import TestFile

SOLUTION_TAG = "otter_assign_solution_cell"
ANSWER_TAG = "otter_answer_cell"
KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def master_notebook(
    assignment: Assignment, cells: tuple[Cell, ...], tests: tuple[TestFile, ...], solutions: dict[str, str]
) -> Any:
    """The master notebook. `solutions` maps a question to the code that solves it."""
    by_question = {file.question: file for file in tests}
    config = {
        "init_cell": False,  # the notebook's own setup cell does it
        "check_all_cell": False,
        "export_cell": False,  # the notebook has its own
        "run_tests": False,
        "generate": False,  # the bundle calls Otter's generate itself
        "tests": {"files": True, "ok_format": False},
    }
    out = [_raw("ASSIGNMENT CONFIG", config)]
    for cell in cells:
        if cell.question:
            out += [_raw("BEGIN QUESTION", {"name": cell.question})]
            out += [_raw("BEGIN PROMPT"), _plain(cell), _raw("END PROMPT")]
            source = f"# BEGIN SOLUTION NO PROMPT\n{solutions[cell.question]}\n# END SOLUTION"
            out += [_raw("BEGIN SOLUTION"), _code(source, question=cell.question), _raw("END SOLUTION")]
        elif cell.check:
            out += [_raw("BEGIN TESTS")]
            out += [_code(_test_cell(file)) for file in _cases(by_question[cell.check])]
            out += [_raw("END TESTS"), _raw("END QUESTION")]  # here Otter puts the check cell
        elif cell.kind == "markdown":
            out += [_markdown(source, cell.tags) for source in split_figures(cell.source, assignment.folder)]
        else:
            out.append(_plain(cell))
    notebook: Any = nbformat.v4.new_notebook(cells=out, metadata=KERNEL)  # pyright: ignore[reportUnknownMemberType]
    return notebook


def _cases(file: TestFile) -> list[tuple[dict[str, Any], str]]:
    found: list[tuple[dict[str, Any], str]] = []
    for case in file.cases:
        config: dict[str, Any] = {"points": case.points, "hidden": case.hidden}
        found.append((config, case.source))
    return found


def _test_cell(case: tuple[dict[str, Any], str]) -> str:
    config, source = case
    return f'""" # BEGIN TEST CONFIG\n{yaml.safe_dump(config)}""" # END TEST CONFIG\n{source}'


def _plain(cell: Cell) -> Any:
    metadata: dict[str, Any] = {}
    if cell.question:
        metadata["question"] = cell.question
    if cell.tags:
        metadata["tags"] = list(cell.tags)
    return _code(cell.source, **metadata)


def _markdown(source: str, tags: tuple[str, ...]) -> Any:
    metadata = {"tags": list(tags)} if tags else {}
    made: Any = nbformat.v4.new_markdown_cell(source, metadata=metadata)  # pyright: ignore[reportUnknownMemberType]
    return made


def _code(source: str, **metadata: Any) -> Any:
    made: Any = nbformat.v4.new_code_cell(source, metadata=metadata)  # pyright: ignore[reportUnknownMemberType]
    return made


def _raw(heading: str, config: dict[str, Any] | None = None) -> Any:
    text = f"# {heading}\n{yaml.safe_dump(config) if config else ''}"
    made: Any = nbformat.v4.new_raw_cell(text)  # pyright: ignore[reportUnknownMemberType]
    return made

"""Test cases, read as Otter reads them: the one reader of Otter's test files."""

import ast
import importlib
import importlib.util
import inspect
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from autograder.assignment import Assignment, AssignmentError, Question


@dataclass(frozen=True)
class Case:
    """A test case."""

    name: str
    """The function's name."""
    question: str
    title: str
    """The first paragraph of its docstring, without the full stop."""
    points: float
    hidden: bool
    parameters: tuple[str, ...]
    """The student's functions that it takes."""
    function: Callable[..., None]
    """The test function itself; raises when the case fails."""
    run: Callable[[dict[str, Any]], None]
    """Calls it as Otter does, with the functions of these names, or None for a name that is missing."""
    source: str
    """The function as the author wrote it, without its decorator."""


def load_cases(assignment: Assignment) -> dict[str, tuple[Case, ...]]:
    """The cases of every question, in order; AssignmentError when a test file is missing or malformed."""
    return _load_cases(assignment.folder, assignment.questions)


@lru_cache(maxsize=8)
def _load_cases(folder: Path, questions: tuple[Question, ...]) -> dict[str, tuple[Case, ...]]:
    return {
        question.name: read_cases(folder / "tests" / f"{question.name}.py", question.name) for question in questions
    }


def in_order(assignment: Assignment) -> tuple[Case, ...]:
    """All cases in the order in which they are run: the public ones first, then the hidden ones; after all of them, in
    the same way, those of questions that are marked as last, since what these hand out could answer other questions.

    A session starts its process anew before a public case that follows a hidden one, so that nothing of a hidden case
    can be carried into a message that is shown.
    """
    cases = load_cases(assignment)
    every = [(case, question.last) for question in assignment.questions for case in cases[question.name]]
    return tuple(case for case, _ in sorted(every, key=lambda each: (each[1], each[0].hidden)))


def read_cases(file: Path, question: str) -> tuple[Case, ...]:
    """The cases of one test file; AssignmentError when it is missing or malformed."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        raise AssignmentError(f"{file}: there is no such test file, question {question} needs it") from None
    try:
        with _otters_reader() as read:
            tests: Any = read(text, path=str(file))
    except Exception as error:
        raise AssignmentError(f"{file}: not a test file of Otter: {type(error).__name__}: {error}") from None
    if tests.all_or_nothing:
        raise AssignmentError(f"{file}: all_or_nothing is not supported, use one test case instead")
    if tests.name != question:
        raise AssignmentError(f"{file}: its name is '{tests.name}', it must be '{question}'")
    sources = _sources(text)
    cases = tuple(
        Case(
            name=entry.body.test_func.__name__,
            question=question,
            title=title_of(entry.body.test_func.__doc__)
            or entry.body.test_func.__name__.removeprefix(f"test_{question}_").replace("_", " "),
            points=float(entry.points),
            hidden=bool(entry.hidden),
            parameters=tuple(inspect.signature(entry.body.test_func).parameters),
            function=entry.body.test_func,
            run=entry.body.call_func,
            source=sources.get(entry.body.test_func.__name__, ""),
        )
        for entry in tests.test_cases
    )
    if not cases:
        raise AssignmentError(f"{file}: has no test case")
    return cases


@contextmanager
def _otters_reader() -> Generator[Callable[..., Any]]:
    """Otter's reader of test files, without all else of Otter.

    Importing anything of Otter imports all of it, with pandas and nbconvert: a second of processor time in every
    worker. The reader needs nothing of it, nor do test files, which import a decorator from beside it. So, where Otter
    has not been imported, its packages are stood in for while a file is read.
    """
    spec = importlib.util.find_spec("otter")
    if "otter" in sys.modules or spec is None or spec.submodule_search_locations is None:
        from otter.test_files.exception_test import ExceptionTestFile

        yield ExceptionTestFile.from_string
        return
    with _one_at_a_time:
        stand_ins = {name: ModuleType(name) for name in ("otter", "otter.test_files")}
        for name, module in stand_ins.items():
            inside = name.split(".")[1:]
            module.__path__ = [str(Path(place, *inside)) for place in spec.submodule_search_locations]
        sys.modules.update(stand_ins)
        try:
            reader: Any = importlib.import_module("otter.test_files.exception_test")
            vars(stand_ins["otter.test_files"])["test_case"] = reader.test_case
            yield reader.ExceptionTestFile.from_string
        finally:
            for name in [name for name in sys.modules if name == "otter" or name.startswith("otter.")]:
                del sys.modules[name]


_one_at_a_time = threading.Lock()


def title_of(docstring: str | None) -> str:
    """The first paragraph of a test function's docstring, in one line, without the full stop."""
    return " ".join(inspect.cleandoc(docstring or "").split("\n\n")[0].split()).rstrip(".")


def _sources(text: str) -> dict[str, str]:
    lines = text.splitlines()
    functions = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    return {node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in functions}

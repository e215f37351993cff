"""Implementations that a student's own test is graded with, as text: a program runs in a process of its own.

Known mistakes are among the wrong ones. Right ones in different styles, and what is wrong in other ways, are in a
module for each assignment, which is a program by itself and imports nothing of the course but `adkit`.
"""

import ast
import inspect
import linecache
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from adkit.implementations import Program

from reference.editing import unannotated
from reference.mistakes import Mistake, catalogue


@lru_cache
def reference(assignment: str, function: str) -> Program:
    """The reference's own function."""
    return Program(_text(f"reference.{assignment}"), function)


@lru_cache
def own(assignment: str, name: str) -> Program:
    """The implementation `name` of the assignment's module here."""
    return Program(_text(f"{__name__}.{assignment}"), name)


@lru_cache
def mistaken(assignment: str, name: str, function: str = "") -> Program:
    """The known mistake `name`, <function>__<mistake>; with `function`, that one of the reference, which uses it."""
    mistake = next(each for each in catalogue(assignment) if f"{each.function}__{each.name}" == name)
    source = f"{_text(f'reference.{assignment}')}\n\n\n{_source(assignment, mistake)}\n"
    if not function:
        return Program(source, name)
    return Program(f"{source}\n\n{mistake.function} = {name}\n", function)


@lru_cache
def _text(module: str) -> str:
    """A module's source without annotations, which need imports that are for type checkers alone."""
    return unannotated(Path(str(import_module(module).__file__)).read_text(encoding="utf-8"))


def _source(assignment: str, mistake: Mistake) -> str:
    """What defines a mistake: an edit's whole text, or the function without its decorator."""
    code = inspect.unwrap(mistake.implementation).__code__
    if code.co_filename.startswith("<"):
        return "".join(linecache.getlines(code.co_filename))
    name = f"{mistake.function}__{mistake.name}"
    text = _text(f"reference.mistakes.{assignment}")
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.FunctionDef) and statement.name == name:
            return "\n".join(text.splitlines()[statement.lineno - 1 : statement.end_lineno])
    raise ValueError(f"{name} is not defined at the level of its module")

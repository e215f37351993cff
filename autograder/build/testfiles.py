"""Test files: Otter's exception-based format, read with `ast` and written again with or without the hidden cases.

Otter assign renders each case with `ast.unparse`, whose output differs between Python versions and drops comments.
The files handed out are therefore cut from the author's own text; `agree` holds them equal in meaning to Otter's.
"""

import ast
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.assignment import Assignment, AssignmentError, Question
from autograder.build import BuildError, Faults
from autograder.testcases import Case, read_cases, title_of


@dataclass(frozen=True)
class TestFile:
    """The cases of one question."""

    __test__ = False  # not a pytest class
    question: str
    title: str
    """The module's docstring."""
    cases: tuple[Case, ...]


def read_test_files(assignment: Assignment) -> tuple[TestFile, ...]:
    """All test files of an assignment, in the order of its questions; BuildError with every rule that one breaks."""
    faults = Faults()
    files: list[TestFile] = []
    for question in assignment.questions:
        with faults.collected():
            files.append(_read(assignment.tests_dir / f"{question.name}.py", question, assignment.functions))
    known = {f"{question.name}.py" for question in assignment.questions}
    extra = sorted(path.name for path in assignment.tests_dir.glob("*.py") if path.name not in known)
    if extra:
        faults.add(f"{assignment.tests_dir}: {', '.join(extra)} belong to no question")
    seen: set[str] = set()
    for case in (case for file in files for case in file.cases):
        if case.name in seen:
            faults.add(f"{assignment.tests_dir}: two test cases are named {case.name}")
        seen.add(case.name)
    faults.raise_any()
    return tuple(files)


def render(file: TestFile, *, hidden: bool, worth_nothing: bool = False) -> str:
    """The text of a test file; without its hidden cases when `hidden` is False.

    `worth_nothing` writes 0 points everywhere: Otter knows no bonus and would count a bonus question as possible.
    """
    parts = [
        f'"""{file.title}"""\n\nfrom otter.test_files import test_case\n\n'
        f'OK_FORMAT = False\nname = "{file.question}"\npoints = None\n'
    ]
    for case in file.cases:
        if case.hidden and not hidden:
            continue
        parts.append(f"\n\n{_decorator(case, worth_nothing)}\n{case.source}\n")
    return "".join(parts)


def agree(ours: str, otters: str) -> bool:
    """Whether two test files mean the same: the same cases, points and code, in the same order."""
    return _meaning(ours) == _meaning(otters)


def _decorator(case: Case, worth_nothing: bool) -> str:
    points = 0 if worth_nothing else int(case.points) if case.points == int(case.points) else case.points
    entries = [f"name={_literal(case.title)}", f"points={points}"]
    entries += ["hidden=True"] if case.hidden else []
    return f"@test_case({', '.join(entries)})"


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _read(path: Path, question: Question, functions: Iterable[str]) -> TestFile:
    try:
        text = path.read_text(encoding="utf-8")
        module = ast.parse(text)
    except FileNotFoundError:
        raise BuildError(f"{path}: missing; it holds the test cases of {question.name}") from None
    except SyntaxError as error:
        raise BuildError(f"{path}: not valid Python: {error}") from None
    faults = Faults()
    title = ast.get_docstring(module)
    if not title:
        faults.add(f'{path}: does not start with a docstring; write """{question.name}: what it tests."""')
    constants: dict[str, Any] = {}
    for node in module.body[1 if title else 0 :]:
        match node:
            case ast.ImportFrom(module="otter.test_files"):
                continue
            case ast.Assign(targets=[ast.Name(id=target)], value=ast.Constant(value=value)):
                constants[target] = value
            case ast.FunctionDef():
                with faults.collected():
                    _check_case(node, path, question.name, functions)
            case _:
                faults.add(
                    f"{path}:{node.lineno}: only test cases may be at the top level of a test file; Otter takes each "
                    "function on its own, so imports and shared values go inside"
                )
    expected = {"OK_FORMAT": False, "name": question.name, "points": None}
    if constants != expected:
        faults.add(f"{path}: must set exactly {expected}, it sets {constants}")
    faults.raise_any()
    try:
        cases = read_cases(path, question.name)
    except AssignmentError as error:
        raise BuildError(str(error)) from None
    total = sum(case.points for case in cases)
    if abs(total - question.points) > 1e-9:
        raise BuildError(f"{path}: the cases are worth {total:g} points, the contract says {question.points:g}")
    return TestFile(question.name, title or "", cases)


def _check_case(node: ast.FunctionDef, path: Path, question: str, functions: Iterable[str]) -> None:
    """The rules for a test function; BuildError where it breaks one."""
    where = f"{path}:{node.lineno}: {node.name}"
    if not node.name.startswith(f"test_{question}_"):
        raise BuildError(f"{where}: must be named test_{question}_…")
    if not title_of(ast.get_docstring(node)):
        raise BuildError(f"{where}: has no docstring; its first paragraph is the case's title")
    match node.decorator_list:
        case [ast.Call(func=ast.Name(id="test_case"), args=[], keywords=keywords)]:
            pass
        case _:
            raise BuildError(f"{where}: needs exactly one decorator, @test_case(points=…)")
    options: dict[str, Any] = {}
    for keyword in keywords:
        try:
            options[str(keyword.arg)] = ast.literal_eval(keyword.value)
        except ValueError:
            raise BuildError(f"{where}: {keyword.arg} must be written out") from None
    points = options.get("points")
    if (
        set(options) - {"points", "hidden"}
        or isinstance(points, bool)
        or not isinstance(points, int | float)
        or points < 0
    ):
        raise BuildError(f"{where}: @test_case takes points (a number) and hidden; got {options}")
    strangers = {argument.arg for argument in node.args.args} - set(functions)
    if strangers:
        raise BuildError(
            f"{where}: takes {', '.join(sorted(strangers))}; a test case takes functions that assignment.toml names: "
            f"{', '.join(functions)}"
        )


def _meaning(text: str) -> list[tuple[str, dict[str, Any]]]:
    functions: Iterable[ast.FunctionDef] = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    found: list[tuple[str, dict[str, Any]]] = []
    for function in functions:
        options: dict[str, Any] = {"hidden": False}
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call):
                options |= {str(k.arg): ast.literal_eval(k.value) for k in decorator.keywords}
        options.pop("name", None)  # Otter assign cannot carry it
        function.decorator_list = []
        found.append((ast.dump(function), options))
    return found

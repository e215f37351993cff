"""Looks for hidden material in what students are handed: lines of hidden tests and of what they share, of references,
of known mistakes, of implementations that a student's test is graded with, and of samples.

Two nets. *Text*: a secret line with its whitespace taken out, anywhere in a file (cells, metadata, outputs,
attachments, JSON strings, prose). *Code*: every piece of Python found in a file, as a syntax tree with local names
numbered in order of appearance, so that a renamed or reformatted solution is found too.

Not secret: what the stubs and `adkit` say anyway; for hidden tests also what the public cases say; a line that ends
with `# public`; and lines too plain to give anything away (imports, signatures, `x = np.asarray(x)`).
"""

import ast
import base64
import io
import json
import re
import tokenize
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from autograder.assignment import Assignment
from autograder.build.course import Course
from autograder.build.percent import Cell
from autograder.build.solution import Module
from autograder.build.testfiles import TestFile, render
from reference.editing import unannotated

MIN_CODE = 12
"""Characters a secret line of code has at least, whitespace not counted (`return U @ Vt` has 11 and an operator)."""
MIN_PROSE = 40
"""The same for comments and docstrings, which share everyday phrases with the notebook."""
MIN_STATEMENTS = 2
"""Statements a function body has at least to be compared as a tree with renamed variables."""
PUBLIC_MARK = "# public"
_DATA_URI = re.compile(r"data:[\w/+.-]+;base64,([A-Za-z0-9+/\s]*={0,2})")


@dataclass(frozen=True)
class Leak:
    """One secret found in a handed-out file."""

    file: str
    origin: str
    """Where the secret stands: file and line."""
    secret: str

    def __str__(self) -> str:
        return f"{self.file} holds a line of {self.origin}: {self.secret!r}"


@dataclass(frozen=True)
class Secret:
    """One line, or one function's tree, that must not be handed out."""

    origin: str
    shown: str
    """For the message."""
    squeezed: str = ""
    """The line without whitespace."""
    tree: str = ""
    """The tree of a function's body with numbered names."""


_OPENS_A_CALL = re.compile(r"(\w+(, \w+)* = |return )?[\w.]+\(")
"""A line that names a function, and an argument's beginning is nowhere on it."""


def secrets(assignment: Assignment, cells: Iterable[Cell], tests: Iterable[TestFile]) -> tuple[Secret, ...]:
    """Everything of an assignment that must not be handed out."""
    course = Course.of(assignment)
    tests = tuple(tests)
    stubs = [cell.source for cell in cells if cell.question]
    adkit = [path.read_text(encoding="utf-8") for path in sorted(course.adkit.rglob("*.py"))]
    known = _known(stubs + adkit)
    public_cases = [render(file, hidden=False) for file in tests]
    hidden_cases = [
        (f"{case.name} (hidden, {assignment.name}/tests/{file.question}.py)", case.source)
        for file in tests
        for case in file.cases
        if case.hidden
    ]
    found: list[Secret] = []
    name = assignment.name
    for path in (course.reference(name), course.mistakes(name), course.implementations(name)):
        if path.is_file():
            origin = str(path.relative_to(course.root))
            text = path.read_text(encoding="utf-8")
            found += _secrets_of(text, origin, known)
            found += _secrets_of(unannotated(text), origin, known | _marks(found))  # as it stands in a solution
    found += _secrets_of_edits(course, assignment.name, known | _marks(found))
    known_to_tests = known | _known(public_cases)
    shared = [course.inputs(assignment.name), *course.samples(assignment.name)]
    hidden_cases += [
        (str(path.relative_to(course.root)), path.read_text(encoding="utf-8")) for path in shared if path.is_file()
    ]
    for origin, source in hidden_cases:
        found += _secrets_of(source, origin, known_to_tests)
    return tuple(found)


def find_leaks(secrets: Iterable[Secret], files: dict[str, bytes]) -> list[Leak]:
    """The secrets that stand in any of `files` (name -> content), at most one leak a secret and file."""
    secrets = tuple(secrets)
    leaks: list[Leak] = []
    for name, content in sorted(files.items()):
        parts = list(texts(name, content))
        # with and without its line breaks: a secret may be broken anew, or follow right after another line
        squeezed = "\n".join(
            [_squeeze(text) for text in parts] + [_squeeze(line) for text in parts for line in text.splitlines()]
        )
        trees = {tree for text in parts for tree in _trees(text)}
        for secret in secrets:
            if (secret.tree and secret.tree in trees) or (secret.squeezed and _holds(squeezed, secret.squeezed)):
                leaks.append(Leak(name, secret.origin, secret.shown))
    return leaks


def handed_out(template: Path) -> dict[str, bytes]:
    """Every file under `student_template/` by its relative name, without caches."""
    skipped = {"__pycache__", ".ipynb_checkpoints", ".venv"}
    return {
        str(path.relative_to(template)): path.read_bytes()
        for path in sorted(template.rglob("*"))
        if path.is_file() and not skipped & set(path.parts)
    }


# --- what is secret -------------------------------------------------------------------------------------------


def _marks(secrets: Iterable[Secret]) -> set[str]:
    return {secret.squeezed or secret.tree for secret in secrets}


def _secrets_of_edits(course: Course, name: str, known: frozenset[str]) -> list[Secret]:
    """What the edits of a catalogue make of the reference's lines and functions."""
    path = course.mistakes(name)
    if not path.is_file():
        return []
    reference, origin = Module(course.reference(name)), str(path.relative_to(course.root))
    found: dict[str, Secret] = {}
    for mistake in Module(path).mistakes():
        if mistake.edits:
            for secret in _secrets_of(reference.edited_source(mistake), origin, known):
                found.setdefault(secret.squeezed or secret.tree, replace(secret, origin=f"{origin}:{mistake.line}"))
    return list(found.values())


def _secrets_of(source: str, origin: str, known: frozenset[str]) -> list[Secret]:
    found: list[Secret] = []
    seen: set[str] = set()
    for number, line in _secret_lines(source):
        squeezed = _squeeze(line)
        if squeezed in seen or squeezed in known:
            continue
        seen.add(squeezed)
        found.append(Secret(f"{origin}:{number}", line.strip(), squeezed=squeezed))
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            body = _body(function)
            tree = _tree(function)
            if len(list(_statements(body))) >= MIN_STATEMENTS and tree not in known and not _plain_body(body):
                found.append(Secret(f"{origin}:{function.lineno}", f"the body of {function.name}", tree=tree))
    return found


def _secret_lines(source: str) -> Iterator[tuple[int, str]]:
    """The lines of code, comments and docstrings that say something, with their numbers."""
    plain = _plain_lines(source)
    prose = _prose_lines(source)
    for number, line in enumerate(source.splitlines(), start=1):
        text = line.strip()
        if not text or number in plain or text.endswith(PUBLIC_MARK):
            continue
        if number in prose or text.startswith("#"):
            if len(_squeeze(text)) >= MIN_PROSE:
                yield number, text.lstrip("# ") if text.startswith("#") else text
            continue
        code = _without_comment(text)
        if _OPENS_A_CALL.fullmatch(code.strip()):
            continue  # what is called with is on the lines below
        if len(_squeeze(code)) >= MIN_CODE or re.search(r"return .*[@*/+-]", code):
            yield number, code


def _plain_lines(source: str) -> set[int]:
    """Numbers of lines that give nothing away: imports, signatures, decorators, assignments of a plain conversion."""
    numbers: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import() | ast.ImportFrom():
                numbers |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="edit"))):  # its lines are those that it makes
                numbers |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            case ast.FunctionDef() | ast.ClassDef():
                first = min([d.lineno for d in node.decorator_list] + [node.lineno])
                body = node.body[0]
                numbers |= set(range(first, max(first + 1, body.lineno)))
            case ast.For() | ast.While() | ast.If() | ast.With() | ast.Try():
                if _is_plain_expression(getattr(node, "iter", getattr(node, "test", None))):
                    numbers.add(node.lineno)
            case ast.Assign(value=value) | ast.Return(value=value) | ast.AnnAssign(value=value):
                if _is_plain_expression(value):
                    numbers |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            case _:
                pass
    return numbers


_CONVERSIONS = {
    "asarray", "array", "float", "int", "len", "list", "tuple", "dict", "set", "copy", "range", "enumerate", "zip",
    "reversed", "shape", "zeros", "zeros_like", "eye", "rng", "default_rng", "standard_normal",
}  # fmt: skip


def _is_plain_expression(node: ast.expr | None) -> bool:
    """Names, attributes, one or two constants and conversions of them: no arithmetic, no comparison."""
    if node is None:
        return True
    if sum(isinstance(child, ast.Constant) for child in ast.walk(node)) > 2:
        return False  # the inputs of a hidden case
    for child in ast.walk(node):
        if isinstance(child, ast.BinOp | ast.Compare | ast.BoolOp | ast.Lambda | ast.ListComp | ast.GeneratorExp):
            return False
        if isinstance(child, ast.Call):
            function = child.func
            name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
            if name not in _CONVERSIONS:
                return False
    return True


def _prose_lines(source: str) -> set[int]:
    numbers: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                numbers |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            case _:
                pass
    return numbers


def _known(sources: Iterable[str]) -> frozenset[str]:
    """Squeezed lines and trees that are public anyway."""
    found: set[str] = set()
    for source in sources:
        for line in source.splitlines():
            text = line.strip()
            found |= {_squeeze(text), _squeeze(_without_comment(text)), _squeeze(text.lstrip("# "))}
        found |= set(_trees(source))
    return frozenset(found)


# --- where to look --------------------------------------------------------------------------------------------


def texts(name: str, content: bytes) -> Iterator[str]:
    """Every text in a file: all of it, or the strings of a notebook or of JSON."""
    text = content.decode("utf-8", "replace")
    if name.endswith((".ipynb", ".json")):
        try:
            parsed = json.loads(text)
        except ValueError:
            yield text
            return
        yield from _strings(parsed)
        return
    yield text
    if name.endswith((".md", ".txt")):
        yield from _fenced(text)


def _strings(value: object) -> Iterator[str]:
    """Every text in a JSON value; lists of lines (notebook sources) are joined, attachments and data URIs decoded."""
    if isinstance(value, str):
        yield value
        yield from _fenced(value)
        yield from (_decoded(data) for data in _DATA_URI.findall(value))
    elif isinstance(value, list):
        entries = cast(list[object], value)
        if entries and all(isinstance(entry, str) for entry in entries):
            yield from _strings("".join(cast(list[str], entries)))
        for entry in entries:
            yield from _strings(entry)
    elif isinstance(value, dict):
        for key, entry in cast(dict[str, object], value).items():
            yield key
            if "/" in key and isinstance(entry, str):
                try:
                    yield base64.b64decode(entry, validate=True).decode("utf-8", "replace")
                    continue
                except ValueError:
                    pass
            yield from _strings(entry)


def _fenced(text: str) -> Iterator[str]:
    for match in re.finditer(r"```[^\n]*\n(.*?)```", text, flags=re.DOTALL):
        yield match[1]


def _decoded(base64_text: str) -> str:
    """What stands in a data URI, as text; nothing where it is not base64."""
    try:
        return base64.b64decode(base64_text).decode("utf-8", "replace")
    except ValueError:
        return ""


def _holds(text: str, secret: str) -> bool:
    """Whether `secret` stands in `text`, not as the tail of a longer name."""
    start = text.find(secret)
    while start >= 0:
        if not (secret[0].isidentifier() and start > 0 and (text[start - 1].isalnum() or text[start - 1] == "_")):
            return True
        start = text.find(secret, start + 1)
    return False


# --- one form for one meaning -----------------------------------------------------------------------------------


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _without_comment(line: str) -> str:
    if "#" not in line:
        return line
    try:
        for token in tokenize.generate_tokens(io.StringIO(line).readline):
            if token.type == tokenize.COMMENT:
                return line[: token.start[1]].rstrip()
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return line
    return line


def _trees(text: str) -> Iterator[str]:
    try:
        with warnings.catch_warnings(action="ignore"):  # text that is not code
            module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef):
            yield _tree(node)


def _tree(function: ast.FunctionDef) -> str:
    """A function's parameters and body with its local names numbered, without docstring and annotations."""
    arguments = function.args
    parameters = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    local = set(parameters)
    for statement in _body(function):
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                local.add(node.id)
    numbers = {name: f"_{index}" for index, name in enumerate(parameters)}

    class Renamed(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> Any:
            if node.id in local:
                numbers.setdefault(node.id, f"_{len(numbers)}")
                return ast.copy_location(ast.Name(numbers[node.id], node.ctx), node)
            return node

    body = ast.parse(ast.unparse(ast.Module(list(_body(function)), []))).body  # a copy to rename in
    return "\n".join(ast.dump(cast(ast.stmt, Renamed().visit(statement))) for statement in body)


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    body = function.body
    match body[0]:
        case ast.Expr(value=ast.Constant(value=str())):
            return body[1:]
        case _:
            return body


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in body:
        yield from (node for node in ast.walk(statement) if isinstance(node, ast.stmt))


def _plain_body(body: list[ast.stmt]) -> bool:
    return all(isinstance(statement, ast.Pass | ast.Raise | ast.Import | ast.ImportFrom) for statement in body)

"""The code of a solved question, cut from `reference/<name>.py`: its functions and what they need of the module.

A solution is written once, in the reference; the instructor's notebook, the sample submissions and the wrong solutions
of the mistakes' catalogue are put together from it. Cutting follows names, not text: a statement is needed when
it binds a name that a needed statement uses, or when it is an expression about one (`linear_solve.defvjp(…)`).
Comments right above a statement come with it, annotations of functions do not; the order is the module's.
"""

import ast
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from autograder.build import BuildError
from reference.editing import Edit, EditError, edited_module, edited_source, unannotated


@dataclass(frozen=True)
class _Statement:
    node: ast.stmt
    source: str
    binds: frozenset[str]
    uses: frozenset[str]
    about: str
    """The name a bare expression is about (`f` in `f.defvjp(…)`), else empty."""
    is_import: bool


@dataclass(frozen=True)
class WrongSolution:
    """A known mistake as it stands in `reference/mistakes/<name>.py`."""

    name: str
    """<function>__<mistake>."""
    question: str
    line: int
    edits: tuple[Edit, ...]
    """Of the reference; none where the mistake is a function of its own."""

    @property
    def function(self) -> str:
        """The student's function that it replaces."""
        return self.name.split("__")[0]


class Module:
    """A reference or mistakes module, taken apart into its statements."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        """text: what is taken apart instead of the file's content."""
        self.path = path
        try:
            self.text = unannotated(path.read_text(encoding="utf-8") if text is None else text)
            tree = ast.parse(self.text)
        except FileNotFoundError:
            raise BuildError(f"{path}: missing") from None
        except SyntaxError as error:
            raise BuildError(f"{path}: not valid Python: {error}") from None
        lines = self.text.splitlines()
        previous_end = 0
        statements: list[_Statement] = []
        for node in tree.body:
            statements.append(_statement(node, lines, previous_end))
            previous_end = node.end_lineno or node.lineno
        self.tree = tree
        self.statements = tuple(statements)

    @property
    def functions(self) -> frozenset[str]:
        """The names of its module-level functions."""
        return frozenset(s.node.name for s in self.statements if isinstance(s.node, ast.FunctionDef))

    def mistakes(self) -> tuple[WrongSolution, ...]:
        """What `q.edit(…)` and `@q.mistake(…)` enter in a catalogue, q being `MISTAKES.question(…)`, in order."""
        questions: dict[str, str] = {}
        found: list[WrongSolution] = []
        for node in self.tree.body:
            match node:
                case ast.Assign(
                    targets=[ast.Name(id=variable)],
                    value=ast.Call(func=ast.Attribute(attr="question"), args=[ast.Constant(value=str(question))]),
                ):
                    questions[variable] = question
                case ast.Expr(
                    value=ast.Call(func=ast.Attribute(value=ast.Name(id=variable), attr="edit"), args=arguments)
                ):
                    name, *edits = (ast.literal_eval(argument) for argument in arguments)
                    found.append(WrongSolution(name, questions[variable], node.lineno, tuple(edits)))
                case ast.FunctionDef(
                    name=name,
                    decorator_list=[ast.Call(func=ast.Attribute(value=ast.Name(id=variable), attr="mistake")), *_],
                ):
                    found.append(WrongSolution(name, questions[variable], node.lineno, ()))
                case _:
                    pass
        return tuple(found)

    def edited_source(self, mistake: WrongSolution) -> str:
        """The source of the function that a mistake edits, with its edits made."""
        with self._as_build_errors():
            return edited_source(self.text, mistake.function, mistake.name, mistake.edits)

    def edited(self, mistake: WrongSolution) -> "Module":
        """This module with a mistake's edits made."""
        with self._as_build_errors():
            return Module(self.path, edited_module(self.text, mistake.function, mistake.name, mistake.edits))

    def followed_by(self, catalogue: "Module") -> "Module":
        """This module and its catalogue of mistakes in one: what the mistakes import from it is there."""
        twice = self.functions & catalogue.functions
        if twice:
            raise BuildError(f"{catalogue.path}: defines {', '.join(sorted(twice))}, as the reference does")
        return Module(catalogue.path, f"{self.text}\n\n\n{catalogue.text}")

    @contextmanager
    def _as_build_errors(self) -> Generator[None]:
        try:
            yield
        except EditError as error:
            raise BuildError(f"{self.path}: {error}") from None

    def cut(self, names: Iterable[str], already: frozenset[str] = frozenset()) -> tuple[str, frozenset[str]]:
        """The source that defines `names`, and the names that it binds.

        Names in `already` are taken as defined (an earlier cell shows them), except imports, which are repeated:
        a cell that a student copies should run.
        """
        wanted = list(names)
        chosen: set[int] = set()
        seen: set[str] = set()
        while wanted:
            name = wanted.pop()
            if name in seen:
                continue
            seen.add(name)
            for index, statement in enumerate(self.statements):
                if index in chosen or (name in already and not statement.is_import):
                    continue
                if name in statement.binds or statement.about == name:
                    chosen.add(index)
                    wanted.extend(statement.uses)
        missing = [name for name in names if not any(name in s.binds for s in self.statements)]
        if missing:
            raise BuildError(f"{self.path}: does not define {', '.join(missing)}")
        imports = [self.statements[i].source for i in sorted(chosen) if self.statements[i].is_import]
        code = [self.statements[i].source for i in sorted(chosen) if not self.statements[i].is_import]
        bound = frozenset[str]().union(*(self.statements[i].binds for i in chosen))
        return "\n\n\n".join(["\n".join(imports)] * bool(imports) + code), bound


def _statement(node: ast.stmt, lines: list[str], previous_end: int) -> _Statement:
    is_import = isinstance(node, ast.Import | ast.ImportFrom)
    decorators: list[ast.expr] = []
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        decorators = [d for d in node.decorator_list if not _is_mistake(d)]
    # decorators that stay, or the definition itself when none does
    start = min([d.lineno for d in decorators] + [node.lineno])
    first = start
    while first - 2 >= previous_end and lines[first - 2].startswith("#"):
        first -= 1
    source = "\n".join(lines[first - 1 : node.end_lineno])
    about = ""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        root: ast.expr = node.value.func
        while isinstance(root, ast.Attribute):
            root = root.value
        about = root.id if isinstance(root, ast.Name) else ""
    if _is_framework(node):
        return _Statement(node, "", frozenset(), frozenset(), "", is_import)
    parts = [part for part in ast.iter_child_nodes(node) if not (isinstance(part, ast.expr) and _is_mistake(part))]
    uses = {
        child.id
        for part in parts
        for child in ast.walk(part)
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load)
    }
    return _Statement(node, source, frozenset(_binds(node)), frozenset(uses), about, is_import)


def _is_mistake(decorator: ast.expr) -> bool:
    match decorator:
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="mistake")):
            return True
        case _:
            return False


def _is_framework(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and (node.module or "").startswith("reference")


def _binds(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.ClassDef() | ast.AsyncFunctionDef():
            return {node.name}
        case ast.Import() | ast.ImportFrom():
            return {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        case _:
            return {
                child.id for child in ast.walk(node) if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store)
            }

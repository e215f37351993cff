"""The code of a solved question, cut from `reference/<name>.py`: its functions and what they need of the module.

A solution is written once, in the reference; the instructor's notebook, the sample submissions and the wrong solutions
of the mistakes' catalogue are put together from it. Cutting follows names, not text: a statement is needed when
it binds a name that a needed statement uses, or when it is an expression about one (`linear_solve.defvjp(…)`).
Comments right above a statement come with it; the order is the module's.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from autograder.build import BuildError


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
    function: str


class Module:
    """A reference or mistakes module, taken apart into its statements."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text(encoding="utf-8")
            tree = ast.parse(text)
        except FileNotFoundError:
            raise BuildError(f"{path}: missing") from None
        except SyntaxError as error:
            raise BuildError(f"{path}: not valid Python: {error}") from None
        lines = text.splitlines()
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
        """The functions decorated with `@mistake(question=…, says=…)`, in order."""
        found: list[WrongSolution] = []
        for statement in self.statements:
            node = statement.node
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                match decorator:
                    case ast.Call(func=ast.Name(id="mistake"), keywords=keywords):
                        question = next(k.value for k in keywords if k.arg == "question")
                        found.append(WrongSolution(node.name, ast.literal_eval(question), node.name.split("__")[0]))
                    case _:
                        pass
        return tuple(found)

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
    uses = {child.id for child in ast.walk(node) if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load)}
    if not (isinstance(node, ast.FunctionDef) and any(_is_mistake(d) for d in node.decorator_list)):
        return _Statement(node, source, frozenset(_binds(node)), frozenset(uses), about, is_import)
    return _Statement(node, source, frozenset({node.name}), frozenset(uses - {"mistake"}), about, is_import)


def _is_mistake(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "mistake"


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

"""Edits of a function's source: what is wrong, and nothing else, is written down.

An edit is a pair (old, new): `old` occurs exactly once in what may be edited, and `new` takes its place. What may be
edited of a module is the function, the statements about it (`linear_solve.defvjp(…)`) and the private helpers that
nothing else uses; so an edit changes this function and no other. What is edited has no annotations, as what students
write: they are for whoever reads the reference, and need imports (jaxtyping) that a notebook does not have.
"""

import ast
import linecache
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import Any

Edit = tuple[str, str]
"""(old, new)."""


class EditError(ValueError):
    """An edit that does not match exactly once, or that leaves no valid Python."""


def edited_function(module: ModuleType, function: str, name: str, edits: Iterable[Edit]) -> Callable[..., Any]:
    """`module.function` with the edits made, as a function called `name`.

    The module's other functions are called as they are. A traceback shows the edited source. Raises EditError.
    """
    text = Path(str(module.__file__)).read_text(encoding="utf-8")
    source = re.sub(rf"\b{function}\b", name, edited_source(text, function, name, edits))
    file = f"<{name}, an edit of {module.__name__}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {**vars(module), "__name__": f"{module.__name__} ({name})"}
    exec(compile(source, file, "exec"), namespace)
    return namespace[name]


def edited_source(text: str, function: str, name: str, edits: Iterable[Edit]) -> str:
    """The source of `function` and of what may be edited with it, with the edits made one after the other.

    text: of the module; name: of the mistake, for messages. Raises EditError.
    """
    _, source = _split(text, function)
    if not source:
        raise EditError(f"{name}: there is no function {function} to edit")
    for old, new in edits:
        if (count := source.count(old)) != 1:
            raise EditError(f"{name}: {old!r} occurs {count} times in the source of {function}, and not exactly once")
        source = source.replace(old, new)
    try:
        ast.parse(source)
    except SyntaxError as error:
        raise EditError(f"{name}: the edit leaves no valid Python: {error}") from None
    return source


def edited_module(text: str, function: str, name: str, edits: Iterable[Edit]) -> str:
    """The module's source with the edits made; what was edited comes last. Raises EditError."""
    rest, _ = _split(text, function)
    return f"{rest}\n\n\n{edited_source(text, function, name, edits)}\n"


def unannotated(text: str) -> str:
    """A module's source without the annotations of its functions: of parameters, results and local variables.

    The parameters of a function that had any are on one line then. What a class declares stays. Raises SyntaxError.
    """
    content = text.encode()
    lines = [0, *accumulate(len(line) for line in content.splitlines(keepends=True))]

    def at(line: int | None, column: int | None) -> int:
        assert line is not None
        assert column is not None
        return lines[line - 1] + column

    def removed(node: ast.AST, local: bool) -> Iterator[tuple[int, int, str]]:
        """(start, end, what stands there instead) in the order of the source."""
        for child in ast.iter_child_nodes(node):
            match child:
                case ast.FunctionDef(args=args, returns=returns):
                    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
                    annotations = [returns, *(arg.annotation for arg in every if arg is not None)]
                    if any(annotations):
                        parts = [*every, *args.defaults, *args.kw_defaults, returns]
                        last = max(at(part.end_lineno, part.end_col_offset) for part in parts if part is not None)
                        for arg in every:
                            if arg is not None:
                                arg.annotation = None
                        start = at(child.lineno, child.col_offset)
                        yield start, content.index(b":", last), f"def {child.name}({ast.unparse(args)})"
                    yield from removed(child, local=True)
                case ast.ClassDef():
                    yield from removed(child, local=False)
                case ast.AnnAssign(target=target, annotation=annotation, value=ast.expr()) if local:
                    start = at(target.end_lineno, target.end_col_offset)
                    yield start, at(annotation.end_lineno, annotation.end_col_offset), ""
                case _:
                    yield from removed(child, local)

    for start, end, instead in reversed([*removed(ast.parse(text), local=False)]):
        content = content[:start] + instead.encode() + content[end:]
    return content.decode()


@lru_cache
def _split(text: str, function: str) -> tuple[str, str]:
    """A module's source without annotations, in two parts: what may not be edited, and what may."""
    text = unannotated(text)
    body = ast.parse(text).body
    helpers = [node for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("_")]
    users = {
        helper.name: {_subject(node) for node in body if node is not helper and helper.name in _names(node)}
        for helper in helpers
    }
    own = {function}
    while found := {name for name, using in users.items() if name not in own and using and using <= own}:
        own |= found
    lines = text.splitlines()
    parts: list[str] = []
    for statement in body:
        if _subject(statement) in own:
            first = min([d.lineno for d in getattr(statement, "decorator_list", [])] + [statement.lineno])
            parts.append("\n".join(lines[first - 1 : statement.end_lineno]))
            lines[first - 1 : statement.end_lineno] = [""] * ((statement.end_lineno or first) - first + 1)
    return "\n".join(lines), "\n\n\n".join(parts)


def _subject(statement: ast.stmt) -> str:
    """The function that a statement defines, or that an expression is about (`f` in `f.defvjp(…)`); else empty."""
    match statement:
        case ast.FunctionDef(name=name):
            return name
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
            return name
        case _:
            return ""


def _names(statement: ast.stmt) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}

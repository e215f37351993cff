"""Does a submission differentiate with JAX where the question asks for the derivative by hand?

A static look at the notebook's cells, before anything runs: from the graded function through every name of the notebook
that it reaches. Scratch cells that compare with `jax.grad` are not reached and cost nothing; neither does defining a
rule with `jax.custom_vjp` or `jax.custom_jvp`. This is a rubric for honest work, not a security boundary: no disguise
is hunted. `adkit.autodiff_use` asks the same of live functions in the student's notebook, with the same names.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from adkit.autodiff_use import MESSAGE, NAMES

Scope = Mapping[str, str | None]
"""Names bound in the functions around a place: to a dotted path when an import binds them, else to None."""

_MAX_CHARACTERS = 300_000
"""Of a notebook's code. Parsing takes memory a thousand times its size, in the grader; what comes later is not read."""
# blanks of one line only, once each: a million empty lines must not take a million looks at each
_MAGIC = re.compile(r"^([ \t]*)(?:[%!?]|\w+(?:[ \t]*,[ \t]*\w+)*[ \t]*=[ \t]*[%!]).*$", re.MULTILINE)

_WRITES = re.compile(r"\s*%%(?:writefile|file)[ \t]+(?:-a[ \t]+|--append[ \t]+)?['\"]?(?:\./)?(\w+)\.py\b")


def autodiff_use(cells: Sequence[str], function: str) -> str | None:
    """A sentence for the student when `function`, or what it reaches, uses one of JAX's transformations; else None.

    cells: the sources of the notebook's code cells in order; a later definition of a name replaces an earlier
    one, as running the cells does. Cells that are no Python, once lines of magics are dropped, are skipped.
    """
    notebook = _Notebook()
    written: dict[str, _Notebook] = {}  # modules that a cell writes with %%writefile
    left = _MAX_CHARACTERS
    for cell in cells:
        left -= len(cell)
        if left < 0:
            break
        module = _WRITES.match(cell)
        tree = _parsed(cell)
        if tree is not None:
            reader = notebook if module is None else written.setdefault(module[1], _Notebook())
            for statement in tree.body:
                reader.read(statement)
    pending, seen = [(notebook, function)], set[tuple[int, str]]()
    while pending:
        here, name = pending.pop()
        if (id(here), name) in seen:
            continue
        seen.add((id(here), name))
        path = here.imports.get(name, name if "." in name else "")
        if path in NAMES:
            return MESSAGE.format(function=function, name=path)
        package, _, inside = path.partition(".")
        if inside and package in written:
            pending.append((written[package], inside.partition(".")[0]))
        elif not path and name not in here.definitions:  # perhaps by `from … import *` or %run
            pending += [(module, name) for module in written.values() if name in module.definitions]
        for node in here.definitions.get(name, []):
            for kind, found in _references(node, {}, here.imports):
                if kind == "use":
                    return MESSAGE.format(function=function, name=found)
                pending.append((here, found))
    return None


def _parsed(cell: str) -> ast.Module | None:
    try:
        # a magic's line becomes `pass`, so that the block it stands in keeps a body
        return ast.parse(_MAGIC.sub(r"\1pass", cell))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@dataclass
class _Notebook:
    """What the names of a notebook stand for, after all its cells."""

    definitions: dict[str, list[ast.AST]] = field(default_factory=dict[str, list[ast.AST]])
    """The code behind a name: its definition, and what was attached to it (`f.defvjp(forward, backward)`)."""
    imports: dict[str, str] = field(default_factory=dict[str, str])
    """Names bound by imports, and their other names, as dotted paths."""

    def read(self, statement: ast.stmt) -> None:
        """Takes in one statement at the level of the notebook."""
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._define(statement.name, statement)
                for decorator in statement.decorator_list:  # @f.defjvp belongs to f
                    owner = _owner(decorator)
                    if owner is not None:
                        self.definitions.setdefault(owner, []).append(statement)
            case ast.Import() | ast.ImportFrom():
                for name, path in _imported(statement):
                    self.imports[name] = path
                    self.definitions.pop(name, None)
            case ast.Assign():
                for target in statement.targets:
                    self._assign(target, statement.value)
            case ast.AnnAssign(value=ast.expr() as value):
                self._assign(statement.target, value)
            case ast.AugAssign():
                owner = _owner(statement.target)
                if owner is not None:
                    self.definitions.setdefault(owner, []).append(statement.value)
            case ast.Expr(value=ast.Call(func=ast.Attribute() as called) as call):
                owner = _owner(called)
                if owner is not None and owner not in self.imports:
                    self.definitions.setdefault(owner, []).append(call)
            case _:
                for inner in ast.iter_child_nodes(statement):
                    if isinstance(inner, ast.stmt):
                        self.read(inner)
                    elif isinstance(inner, ast.ExceptHandler | ast.match_case):
                        for nested in inner.body:
                            self.read(nested)

    def _assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            parts = target.elts
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            for index, part in enumerate(parts):
                self._assign(part, values[index] if len(values) == len(parts) else value)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, value)
        elif isinstance(target, ast.Name):
            path = _path(value, {}, self.imports)
            self._define(target.id, value)
            if path is not None:  # another name for something imported
                self.imports[target.id] = path
        else:
            owner = _owner(target)
            if owner is not None:
                self.definitions.setdefault(owner, []).append(value)

    def _define(self, name: str, node: ast.AST) -> None:
        wraps_itself = not isinstance(node, ast.stmt) and any(
            isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node)
        )
        before = self.definitions.get(name, []) if wraps_itself else []  # f = jax.jit(f)
        self.definitions[name] = [*before, node]
        self.imports.pop(name, None)


def _owner(node: ast.AST) -> str | None:
    """`f` of `f.a.b`, `f.a(…)` or `f[…]`; None for a bare name and for everything else."""
    depth = 0
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
        depth += 1
    return node.id if isinstance(node, ast.Name) and depth else None


def _imported(statement: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """(name, dotted path) for every name that an import binds."""
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            package = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (package, package)
        elif alias.name == "*":
            for path in NAMES:
                module, _, name = path.rpartition(".")
                if module == statement.module:
                    yield name, path
        else:
            yield alias.asname or alias.name, f"{statement.module or ''}.{alias.name}"


def _path(node: ast.AST, scope: Scope, imports: Mapping[str, str]) -> str | None:
    """The dotted path that a name or an attribute of one stands for, when its root is an import."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return None
    root = scope[node.id] if node.id in scope else imports.get(node.id)
    return None if root is None else ".".join([root, *reversed(attributes)])


def _references(node: ast.AST, scope: Scope, imports: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """("use", path) for every use of NAMES under `node`, ("name", name) for every name of the notebook it reads."""
    if isinstance(node, ast.Attribute | ast.Name):
        path = _path(node, scope, imports)
        if path in NAMES and isinstance(node.ctx, ast.Load):
            yield "use", path
            return
        if path is not None and isinstance(node, ast.Attribute):
            yield "name", path
    match node:
        case ast.Name():
            if node.id not in scope:
                yield "name", node.id
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
            outside = [
                *node.args.defaults,
                *(default for default in node.args.kw_defaults if default is not None),
                *([] if isinstance(node, ast.Lambda) else node.decorator_list),
            ]
            for part in outside:
                yield from _references(part, scope, imports)
            inside: Scope = {**scope, **_bound(node)}
            for part in node.body if isinstance(node.body, list) else [node.body]:
                yield from _references(part, inside, imports)
        case ast.ImportFrom():
            for _, path in _imported(node):
                if path in NAMES:  # imported where it is used
                    yield "use", path
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            inside = {**scope, **_stored(node)}
            for part in ast.iter_child_nodes(node):
                yield from _references(part, inside, imports)
        case _:
            for part in ast.iter_child_nodes(node):
                yield from _references(part, scope, imports)


def _bound(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> dict[str, str | None]:
    """The names that are local to a function."""
    arguments = function.args
    names = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    bound: dict[str, str | None] = {argument.arg: None for argument in names if argument is not None}
    if not isinstance(function, ast.Lambda):
        for statement in function.body:
            bound.update(_stored(statement))
        for inner in ast.walk(function):
            if isinstance(inner, ast.Global):
                for name in inner.names:
                    bound.pop(name, None)
    return bound


def _stored(node: ast.AST) -> dict[str, str | None]:
    """The names that a node binds in its own scope: by assignment, import or definition."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name: None}
    if isinstance(node, ast.Lambda):
        return {}
    if isinstance(node, ast.Import | ast.ImportFrom):
        return dict(_imported(node))
    if isinstance(node, ast.Name):
        return {node.id: None} if isinstance(node.ctx, ast.Store) else {}
    bound: dict[str, str | None] = {}
    if isinstance(node, ast.ExceptHandler) and node.name:
        bound[node.name] = None
    for part in ast.iter_child_nodes(node):
        bound.update(_stored(part))
    return bound

"""What the source of a submission says of a function, where no answer of it can.

Does it differentiate with JAX where the question asks for the derivative by hand (`autodiff_use`)? Does it have a
reverse rule of its own where the question asks for one (`own_reverse_rule`)? A static look at the notebook's cells:
from the graded function through every name of the notebook that it reaches. Scratch cells that compare with `jax.grad`
are not reached and cost nothing; neither does defining a rule with `jax.custom_vjp` or `jax.custom_jvp`. This is a
rubric for honest work, not a security boundary: it does not try to detect deliberate evasion.

One rule, asked in two places: the grader reads the cells before the first one runs; a student's checks read the cells
that were run (`reading`), and say the same before anything is handed in.

A rule counts wherever it is: in a decorator, a helper, a class, a function that makes functions, under another name, in
one of two branches. Of a function that no cell is seen to define nothing is said.
"""

import ast
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from adkit.notebook import cells as rule

__all__ = [
    "NAMES",
    "RULES",
    "autodiff_use",
    "own_reverse_rule",
    "own_rule_in_this_notebook",
    "reading",
    "use_in_this_notebook",
]

NAMES: frozenset[str] = frozenset(
    {
        "jax.grad",
        "jax.value_and_grad",
        "jax.vjp",
        "jax.jvp",
        "jax.jacfwd",
        "jax.jacrev",
        "jax.jacobian",
        "jax.hessian",
        "jax.linearize",
        "jax.linear_transpose",
        "jax.fwd_and_bwd",
        "jax.experimental.jet.jet",
        "jax.test_util.check_grads",
        "jax.test_util.check_vjp",
        "jax.test_util.check_jvp",
        "adkit.implementations.by_jax",
        "adkit.implementations.function_of",
        "adkit.implementations.Implementation",
        "adkit.Implementation",
    }
)
"""What counts as a use, by its public name."""

RULES: frozenset[str] = frozenset(
    {"custom_vjp", "defvjp", "custom_gradient", "custom_linear_solve", "custom_root", "custom_vjp3"}
)
"""What makes a reverse rule of one's own, by its name in `jax`, `jax.lax` or wherever else it is public."""

MESSAGE = (
    "{function} uses {name}: this question asks for the derivative by hand, so JAX may not differentiate for "
    "you here (comparing with {name} in a cell of your own is fine)"
)

_ATTACHING = frozenset({"defjvp", "defjvps", "defvjp", "def_vmap"})
"""Methods of JAX's that as decorators add a rule to the function that they belong to."""

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
    one, as running the cells does. Cells that are not Python, once lines of magics are dropped, are skipped.
    """
    for here, name, nodes in _reached(_read(tuple(cells)), function):
        path = here.path_of(name)
        if path in NAMES:
            return MESSAGE.format(function=function, name=path)
        for node in nodes:
            for kind, found in _references(node, {}, here.imports):
                if kind == "use":
                    return MESSAGE.format(function=function, name=found)
    return None


def own_reverse_rule(cells: Sequence[str], function: str) -> bool | None:
    """Whether `function`, or what it reaches, makes a reverse rule of its own: one of `RULES`, under any name.

    None where no cell is seen to define it: then what is measured decides. cells: as for `autodiff_use`.
    """
    notebook = _read(tuple(cells))
    defined = False
    for here, name, nodes in _reached(notebook, function, branches=True):
        defined = defined or bool(nodes) or name in here.imports
        if _last(here.path_of(name)) in RULES or any(_makes_a_rule(node, here.imports) for node in nodes):
            return True
    return False if defined else None


_here: tuple[str, ...] = ()


@contextmanager
def reading(cells: Sequence[str]) -> Generator[None]:
    """Within it these are the cells of the notebook in which the checks run, in the order in which they were run."""
    global _here
    before, _here = _here, tuple(cells)
    try:
        yield
    finally:
        _here = before


def use_in_this_notebook(function: str) -> str | None:
    """`autodiff_use` in the cells that are read; None outside of `reading`."""
    return _use(_here, function) if _here else None


def own_rule_in_this_notebook(function: str) -> bool | None:
    """`own_reverse_rule` in the cells that are read; None outside of `reading`."""
    return own_reverse_rule(_here, function) if _here else None


@lru_cache(maxsize=64)
def _use(cells: tuple[str, ...], function: str) -> str | None:
    return autodiff_use(cells, function)  # a case may call a function a hundred times


@dataclass(frozen=True)
class _Read:
    """A notebook's code."""

    notebook: "_Notebook"
    modules: Mapping[str, "_Notebook"]
    """Those that a cell writes with %%writefile, by name."""


@lru_cache(maxsize=1)
def _read(cells: tuple[str, ...]) -> _Read:
    notebook = _Notebook()
    written: dict[str, _Notebook] = {}
    left = _MAX_CHARACTERS
    for cell in cells:
        left -= len(cell)
        if left < 0:
            break
        module = _WRITES.match(cell)
        reader = notebook if module is None else written.setdefault(module[1], _Notebook())
        for statement in _parsed(cell, whole=module is not None):
            reader.read(statement)
    return _Read(notebook, written)


def _reached(
    read: _Read, function: str, *, branches: bool = False
) -> Iterator[tuple["_Notebook", str, Sequence[ast.AST]]]:
    """(where, name, its code) for `function` and every name that its code reads, of the notebook and its modules.

    branches: follow all definitions of a name that stand in an `if`, a `try` or a loop, not the last one alone, and
    what a name collects as a decorator.
    """
    pending, seen = [(read.notebook, function)], set[tuple[int, str]]()
    while pending:
        here, name = pending.pop()
        if (id(here), name) in seen:
            continue
        seen.add((id(here), name))
        nodes = [*here.definitions.get(name, []), *(here.branches.get(name, []) if branches else [])]
        yield here, name, nodes
        path = here.path_of(name)
        package, _, inside = path.partition(".")
        if inside and package in read.modules:
            pending.append((read.modules[package], inside.partition(".")[0]))
        elif not path and name not in here.definitions:  # perhaps by `from … import *` or %run
            pending += [(module, name) for module in read.modules.values() if name in module.definitions]
        for node in nodes:
            pending += [(here, found) for kind, found in _references(node, {}, here.imports) if kind == "name"]


def _parsed(cell: str, *, whole: bool) -> Sequence[ast.stmt]:
    """The statements of a cell, without what is not Python. whole: none, unless all of it is Python."""
    try:
        try:
            # a magic's line becomes `pass`, so that the block it stands in keeps a body
            return ast.parse(_MAGIC.sub(r"\1pass", cell)).body
        except (SyntaxError, ValueError):
            return [] if whole else [piece for piece in rule.statements(cell) if isinstance(piece, ast.stmt)]
    except (RecursionError, MemoryError):
        return []


def _makes_a_rule(code: ast.AST, imports: Mapping[str, str]) -> bool:
    """Whether one of `RULES` is named anywhere in it: as a name, an attribute, an import, or in quotes (`getattr`)."""
    for node in ast.walk(code):
        match node:
            case ast.Name(id=name):
                found = {name, _last(imports.get(name, ""))}
            case ast.Attribute(attr=name) | ast.alias(name=name):
                found = {_last(name)}
            case ast.Constant(value=str(text)):
                found = {text}
            case _:
                continue
        if not RULES.isdisjoint(found):
            return True
    return False


def _last(path: str) -> str:
    return path.rpartition(".")[2]


@dataclass
class _Notebook:
    """What the names of a notebook stand for, after all its cells."""

    definitions: dict[str, list[ast.AST]] = field(default_factory=dict[str, list[ast.AST]])
    """The code behind a name: its definition, and what was attached to it (`f.defvjp(forward, backward)`)."""
    imports: dict[str, str] = field(default_factory=dict[str, str])
    """Names bound by imports, and their other names, as dotted paths."""
    branches: dict[str, list[ast.AST]] = field(default_factory=dict[str, list[ast.AST]])
    """All the code that may be behind a name: where it is defined within an `if`, a `try` or a loop, or collects
    functions as a decorator."""
    _within: int = 0

    def path_of(self, name: str) -> str:
        """The dotted path that a name stands for; empty where it is the notebook's own."""
        return self.imports.get(name, name if "." in name else "")

    def read(self, statement: ast.stmt) -> None:
        """Takes in one statement at the level of the notebook."""
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._define(statement.name, statement)
                for decorator in statement.decorator_list:
                    owner = self._attached_to(decorator)
                    if owner is not None:
                        self.definitions.setdefault(owner, []).append(statement)
                    elif (collector := _owner(decorator)) is not None:
                        self.branches.setdefault(collector, []).append(statement)
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
                self._within += 1
                for inner in ast.iter_child_nodes(statement):
                    if isinstance(inner, ast.stmt):
                        self.read(inner)
                    elif isinstance(inner, ast.ExceptHandler | ast.match_case):
                        for nested in inner.body:
                            self.read(nested)
                    elif isinstance(inner, ast.NamedExpr):  # (f := …)
                        self._assign(inner.target, inner.value)
                self._within -= 1

    def _attached_to(self, decorator: ast.expr) -> str | None:
        """The function that a decorator makes its function a part of: f of `@f.defjvp`, or `@f.register` of a
        `functools.singledispatch`. What times, logs or collects functions does not make one a part of the others."""
        for node in ast.walk(decorator):  # as in @partial(f.defjvp, symbolic_zeros=True)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                owner = node.value.id
                is_function = any(isinstance(each, ast.FunctionDef) for each in self.definitions.get(owner, []))
                if node.attr in _ATTACHING or (node.attr == "register" and is_function):
                    return owner
        return None

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
        earlier = self.definitions.get(name, [])
        if self._within:
            self.branches.setdefault(name, [*earlier]).append(node)
        elif not wraps_itself:
            self.branches.pop(name, None)
        before = earlier if wraps_itself else []  # f = jax.jit(f)
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

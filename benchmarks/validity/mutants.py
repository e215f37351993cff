"""Mutants: references with one small fault, each in the student's place for one question.

A mutant of a question is the module of references with one edit, somewhere in what the question's functions reach: in
themselves, in a helper, in a constant, in a rule that is set with `defvjp`. All functions of the question are taken
from that module, so a helper that three questions share is mutated once for each of them. To these come the catalogue
of known mistakes, and pairs of mistakes of one question.

Edits are made in the text, where `ast` says that an expression or a statement is: what is not mutated stays as it was
written, and a mutant is told by its line before and after. Annotations are taken away first (`reference.editing`).
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from itertools import accumulate
from pathlib import Path
from typing import Any, cast

import numpy as np

from autograder.assignment import Assignment
from reference.editing import EditError, edited_function, edited_module, unannotated
from reference.mistakes import Mistake, catalogue
from validity.loops import while_loop

__all__ = [
    "ASSIGNMENTS",
    "CODE",
    "Mutant",
    "code",
    "code_within",
    "mutants_of",
    "questions_of",
    "reaches",
    "reference_functions",
    "what_it_does",
]

ASSIGNMENTS = ("ad_modes", "ad_in_jax", "matrix_gradients", "checkpointing")
CODE = "<a mutant of"
"""How the file name begins that the code of a mutant has."""
PAIRS = 12
"""Random pairs of known mistakes of each question."""


@dataclass(frozen=True)
class Mutant:
    """Functions that take the student's place for one question."""

    assignment: str
    question: str
    name: str
    """Different for every mutant of a question, and the same as long as its line stays the same."""
    kind: str
    """What was done: "operator", "dropped term", …; "mistake" and "pair" for what comes from the catalogue."""
    digest: str
    """Of all that makes it what it is."""
    load: Callable[[], dict[str, Any]] = field(compare=False, repr=False)
    """The functions of the question that differ from the references, made anew."""


def questions_of(assignment: str) -> tuple[str, ...]:
    """The questions whose references are mutated."""
    return tuple(q.name for q in Assignment.load(assignment).questions)


def reference_functions(assignment: str, question: str) -> dict[str, Any]:
    """The references of a question's functions."""
    module = import_module(f"reference.{assignment}")
    return {name: getattr(module, name) for name in Assignment.load(assignment).question(question).functions}


@cache
def mutants_of(assignment: str, question: str) -> tuple[Mutant, ...]:
    """All mutants of a question: edits in the order of the source, the catalogue, random pairs of it."""
    made = [*_edits(assignment, question), *_mistakes(assignment, question), *_pairs(assignment, question)]
    seen: dict[str, int] = {}
    named: list[Mutant] = []
    for mutant in made:
        number = seen[mutant.name] = seen.get(mutant.name, 0) + 1
        name = mutant.name if number == 1 else f"{mutant.name} ({number})"
        named.append(Mutant(assignment, question, name, mutant.kind, mutant.digest, mutant.load))
    return tuple(named)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


# ---------------------------------------- what a question's functions reach


def reaches(tree: ast.Module, functions: Sequence[str]) -> dict[str, list[ast.stmt]]:
    """{name: statements that make it what it is}, of the functions and of everything in the module that they use.

    A function is its definition and the statements about it (`f.defvjp(…)`); a constant its assignment.
    """
    about: dict[str, list[ast.stmt]] = {}
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=name) | ast.Assign(targets=[ast.Name(id=name)]):
                about.setdefault(name, []).append(statement)
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))):
                about.setdefault(name, []).append(statement)
            case _:
                pass
    reached: dict[str, list[ast.stmt]] = {}
    waiting = list(functions)
    while waiting:
        name = waiting.pop()
        if name not in reached and name in about:
            reached[name] = about[name]
            waiting += sorted({used for part in about[name] for used in _names_within(part)})
    return {name: reached[name] for name in about if name in reached}


def _names_within(statement: ast.stmt) -> set[str]:
    """The names that a statement uses; not a function's parameters, whatever else has such a name."""
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
    if not isinstance(statement, ast.FunctionDef):
        return names
    given = statement.args
    return names - {arg.arg for arg in (*given.posonlyargs, *given.args, *given.kwonlyargs)}


def code(statements: Sequence[ast.stmt]) -> str:
    """What statements do, whatever their comments, their docstrings and their layout are."""
    return "".join(_dumped(copy.deepcopy(statement)) for statement in statements)


def _dumped(statement: ast.stmt) -> str:
    """The same of one statement, which loses its docstrings."""
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and _is_docstring(node.body[0]):
            node.body = node.body[1:] or [ast.Pass()]
    return _structure(statement)


def _structure(value: Any) -> str:
    """A syntax tree in one line, the same with every Python: `ast.dump` tells of empty lists with some of them only."""
    if isinstance(value, list):
        return f"[{', '.join(map(_structure, cast('list[Any]', value)))}]"
    if not isinstance(value, ast.AST):
        return repr(value)
    parts = (
        f"{name}={_structure(part)}"
        for name, part in ast.iter_fields(value)
        if part is not None and part != [] and name not in ("ctx", "kind", "type_comment")
    )
    return f"{type(value).__name__}({', '.join(parts)})"


def _edits(assignment: str, question: str) -> Iterator[Mutant]:
    text = unannotated(_text_of(f"reference.{assignment}"))
    functions = Assignment.load(assignment).question(question).functions
    content = text.encode()
    lines = [0, *accumulate(len(line) for line in content.splitlines(keepends=True))]
    reached = [(name, part) for name, parts in reaches(ast.parse(text), functions).items() for part in parts]
    codes = [code([part]) for _, part in reached]
    for number, (name, statement) in enumerate(reached):
        if isinstance(statement, ast.Assign) and not isinstance(statement.value, ast.Constant):
            continue  # a type's name
        first = min([d.lineno for d in getattr(statement, "decorator_list", [])] + [statement.lineno])
        begin, end = lines[first - 1], lines[statement.end_lineno or first]
        seen = {codes[number]}
        for node, kind, new in _variants_within(statement):
            start = lines[node.lineno - 1] + node.col_offset
            stop = lines[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
            try:
                (changed,) = ast.parse(content[begin:start] + new.encode() + content[stop:end]).body
            except (SyntaxError, ValueError):  # no Python, or no statement any more
                continue
            if (does := _dumped(changed)) in seen:
                continue
            seen.add(does)
            upto, onwards = lines[node.lineno - 1], lines[node.end_lineno or 0]
            before = content[upto:onwards].decode()
            after = (content[upto:start] + new.encode() + content[stop:onwards]).decode()
            told = f"{name}: {' '.join(before.split())} → {' '.join(after.split())}"
            digest = _digest(question, *codes[:number], does, *codes[number + 1 :])
            source = (content[:start] + new.encode() + content[stop:]).decode()
            yield Mutant(assignment, question, told, kind, digest, _Loaded(assignment, source, functions))


@dataclass(frozen=True)
class _Loaded:
    """Functions of a module's source."""

    assignment: str
    source: str
    functions: tuple[str, ...]

    def __call__(self) -> dict[str, Any]:
        namespace: dict[str, Any] = {"__name__": f"reference.{self.assignment} (a mutant)", "while_loop": while_loop}
        source = self.source.replace("jax.lax.while_loop(", "while_loop(")
        exec(compile(source, f"{CODE} {self.assignment}>", "exec"), namespace)
        return {name: namespace[name] for name in self.functions}


# ---------------------------------------- the catalogue


def _mistakes(assignment: str, question: str) -> Iterator[Mutant]:
    for mistake in catalogue(assignment):
        if mistake.question == question:
            name = f"{mistake.function}__{mistake.name}"
            yield Mutant(
                assignment,
                question,
                name,
                "mistake",
                _digest(name, what_it_does(assignment, mistake)),
                _Mistaken(assignment, (mistake,)),
            )


def _pairs(assignment: str, question: str) -> Iterator[Mutant]:
    """Random pairs of a question's mistakes that can be made at once: in two functions, or as edits of one."""
    mistakes = [mistake for mistake in catalogue(assignment) if mistake.question == question]
    pairs = [(one, other) for place, one in enumerate(mistakes) for other in mistakes[place + 1 :]]
    seed = int(_digest(assignment, question), 16)
    found = 0
    for place in np.random.default_rng(seed).permutation(len(pairs)):
        one, other = pairs[int(place)]
        try:
            _Mistaken(assignment, (one, other))()
        except EditError:
            continue
        name = f"{one.function}__{one.name} and {other.function}__{other.name}"
        digest = _digest(name, *(what_it_does(assignment, mistake) for mistake in (one, other)))
        yield Mutant(assignment, question, name, "pair", digest, _Mistaken(assignment, (one, other)))
        found += 1
        if found == PAIRS:
            return


@cache
def what_it_does(assignment: str, mistake: Mistake) -> str:
    """The code of a known mistake and of all that it uses of the catalogue and of the references.

    Not what is said of it, nor how it is recognised: that may be worded anew, and nothing else comes out.
    """
    reference = _text_of(f"reference.{assignment}")
    name = f"{mistake.function}__{mistake.name}"
    if mistake.edits:
        edited = ast.parse(edited_module(reference, mistake.function, name, mistake.edits))
        return _code_of(reaches(edited, [mistake.function]))
    return code_within(_text_of(f"reference.mistakes.{assignment}"), name, reference, f"reference.{assignment}")


def code_within(text: str, function: str, reference: str, module: str) -> str:
    """The code of a mistake that is a function of its own in a catalogue, and of all that it uses there, and of what is
    imported there from the references.

    text, reference: the sources of the catalogue and of the references, which are imported from `module`.
    """
    tree = ast.parse(text)
    imported: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == module:
            imported |= {alias.asname or alias.name: alias.name for alias in node.names}
        if isinstance(node, ast.FunctionDef) and node.name == function:
            node.decorator_list = [each for each in node.decorator_list if not _enters(each)]
    own = reaches(tree, [function])
    used = {name for parts in own.values() for part in parts for name in _names_within(part)}
    theirs = [imported[name] for name in sorted(used & imported.keys())]
    return _code_of(own) + _code_of(reaches(ast.parse(unannotated(reference)), theirs))


def _enters(decorator: ast.expr) -> bool:
    """Whether it is `@q4.mistake(says=…)`, which enters a function in the catalogue and leaves it as it is."""
    match decorator:
        case ast.Call(func=ast.Attribute(attr="mistake")):
            return True
        case _:
            return False


def _code_of(parts: Mapping[str, Sequence[ast.stmt]]) -> str:
    return "".join(map(code, parts.values()))


@cache
def _text_of(module: str) -> str:
    return Path(str(import_module(module).__file__)).read_text(encoding="utf-8")


@dataclass(frozen=True)
class _Mistaken:
    """Functions with one or two known mistakes. EditError for two that cannot be made at once."""

    assignment: str
    mistakes: tuple[Mistake, ...]

    def __call__(self) -> dict[str, Any]:
        functions = {mistake.function: mistake.implementation for mistake in self.mistakes}
        if len(functions) < len(self.mistakes):
            one, other = self.mistakes
            if not one.edits or not other.edits:
                raise EditError("one of them is no edit")
            module = import_module(f"reference.{self.assignment}")
            name = f"{one.function}__{one.name}_and_{other.name}"
            functions[one.function] = edited_function(module, one.function, name, (*one.edits, *other.edits))
        return functions


# ---------------------------------------- what is done to a piece of code

_OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.MatMult: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitAnd: (ast.BitOr,),
}
_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_SWAPPED = (ast.Sub, ast.Div, ast.FloorDiv, ast.MatMult, ast.Pow)
_FUNCTIONS = {
    **{"sin": "cos", "cos": "sin", "min": "max", "max": "min", "any": "all", "all": "any", "exp": "expm1"},
    **{"maximum": "minimum", "jacfwd": "jacrev", "jacrev": "jacfwd", "zeros": "ones", "zeros_like": "ones_like"},
    **{"log1p": "log", "outer": "inner", "cbrt": "sqrt", "grad": "value_and_grad", "eye": "ones", "isqrt": "sqrt"},
}
"""A function and another one that is easily taken for it."""


def _variants_within(statement: ast.stmt) -> Iterator[tuple[ast.expr | ast.stmt | ast.pattern, str, str]]:
    """(node, kind, what stands there instead) for everything in a statement, in the order of the source.

    Left alone: docstrings, messages (f-strings and what is raised) and imports.
    """
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom) or _is_docstring(node):
            continue
        if isinstance(node, ast.stmt):
            variants = _of_statement(node)
        elif isinstance(node, ast.pattern):
            variants = _of_pattern(node)
        elif isinstance(node, ast.expr):
            variants = (
                (kind, f"({new})" if not isinstance(node, ast.Slice) else new) for kind, new in _of_expression(node)
            )
        else:
            variants = ()
        if isinstance(node, ast.expr | ast.stmt | ast.pattern):
            for kind, new in variants:
                yield node, kind, new
        if not isinstance(node, ast.Raise):
            waiting += reversed(list(ast.iter_child_nodes(node)))


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _of_statement(node: ast.stmt) -> Iterator[tuple[str, str]]:
    match node:
        case ast.Assign(targets=[ast.Name()], value=ast.Constant()) if node.col_offset == 0:
            pass  # a constant of the module: its value is mutated
        case ast.Assign() | ast.Raise() | ast.Delete():
            yield "dropped statement", "pass"
        case ast.AugAssign(target=target, op=op, value=value):
            yield "dropped statement", "pass"
            yield "overwritten", f"{ast.unparse(target)} = {ast.unparse(value)}"
            for other in _OPERATORS.get(type(op), ()):
                yield "operator", ast.unparse(ast.AugAssign(target, other(), value))
        case ast.Expr(value=ast.Call()):
            yield "dropped statement", "pass"
        case ast.Break():
            yield "wrong branch", "pass"
        case ast.Continue():
            yield "wrong branch", "break"
        case ast.Return(value=ast.Tuple(elts=[one, other, *rest])):
            yield "swapped", f"return {', '.join(map(ast.unparse, (other, one, *rest)))}"
        case _:
            pass


def _of_pattern(node: ast.pattern) -> Iterator[tuple[str, str]]:
    match node:
        case ast.MatchValue(value=ast.Constant(value=str())):
            yield "wrong branch", '"nothing of the kind"'
        case _:
            pass


def _of_expression(node: ast.expr) -> Iterator[tuple[str, str]]:
    def changed(**changes: Any) -> str:
        other = copy.copy(node)
        for name, value in changes.items():
            setattr(other, name, value)
        return ast.unparse(ast.fix_missing_locations(other))

    match node:
        case ast.BinOp(left=left, op=op, right=right):
            for other in _OPERATORS.get(type(op), ()):
                yield "operator", changed(op=other())
            yield "dropped term", ast.unparse(left)
            yield "dropped term", ast.unparse(right)
            if isinstance(op, _SWAPPED):
                yield "swapped", changed(left=right, right=left)
            if isinstance(op, ast.MatMult):
                yield "transpose", f"({ast.unparse(left)}).T @ ({ast.unparse(right)})"
                yield "transpose", f"({ast.unparse(left)}) @ ({ast.unparse(right)}).T"
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert(), operand=operand):
            yield "operator", ast.unparse(operand)
        case ast.Compare(ops=ops):
            for place, op in enumerate(ops):
                for other in _COMPARISONS.get(type(op), ()):
                    yield "comparison", changed(ops=[*ops[:place], other(), *ops[place + 1 :]])
        case ast.BoolOp(op=op, values=parts):
            yield "operator", changed(op=ast.Or() if isinstance(op, ast.And) else ast.And())
            for place in range(len(parts)):
                rest = [*parts[:place], *parts[place + 1 :]]
                yield "dropped condition", changed(values=rest) if len(rest) > 1 else ast.unparse(rest[0])
        case ast.IfExp(body=body, orelse=orelse):
            yield "wrong branch", ast.unparse(body)
            yield "wrong branch", ast.unparse(orelse)
            yield "wrong branch", changed(body=orelse, orelse=body)
        case ast.Constant(value=bool(value)):
            yield "constant", repr(not value)
        case ast.Constant(value=int(value)):
            yield "constant", repr(value + 1)
            yield "constant", repr(value - 1)
        case ast.Constant(value=float(value)):
            yield "constant", repr(2 * value or 1.0)
            yield "constant", repr(-value or 0.5)
        case ast.Constant(value=str()):
            yield "constant", '"something else"'
        case ast.Attribute(value=value, attr="T"):
            yield "transpose", ast.unparse(value)
        case ast.Subscript(value=value, slice=ast.Name(id=index)):
            yield "index", f"{ast.unparse(value)}[{index} + 1]"
            yield "index", f"{ast.unparse(value)}[{index} - 1]"
        case ast.Slice(lower=lower, upper=upper, step=step):
            for name, part in (("lower", lower), ("upper", upper), ("step", step)):
                if part is not None:
                    yield "index", changed(**{name: None})
        case ast.Tuple(elts=[one, other, *rest], ctx=ast.Load()):
            yield "swapped", changed(elts=[other, one, *rest])
        case ast.Call(func=function, args=args, keywords=keywords):
            yield from _of_call(function, args, keywords, changed)
        case ast.ListComp(generators=generators) | ast.GeneratorExp(generators=generators):
            for place, generator in enumerate(generators):
                for condition in range(len(generator.ifs)):
                    other = copy.copy(generator)
                    other.ifs = [*generator.ifs[:condition], *generator.ifs[condition + 1 :]]
                    yield (
                        "dropped condition",
                        changed(generators=[*generators[:place], other, *generators[place + 1 :]]),
                    )
        case _:
            pass


def _of_call(
    function: ast.expr, args: list[ast.expr], keywords: list[ast.keyword], changed: Callable[..., str]
) -> Iterator[tuple[str, str]]:
    if len(args) > 1 and not any(isinstance(arg, ast.Starred) for arg in args[:2]):
        yield "swapped", changed(args=[args[1], args[0], *args[2:]])
    for place in range(len(keywords)):
        yield "dropped argument", changed(keywords=[*keywords[:place], *keywords[place + 1 :]])
    if len(args) == 1 and not keywords and not isinstance(args[0], ast.Starred | ast.GeneratorExp):
        yield "dropped call", ast.unparse(args[0])
    match function:
        case ast.Name(id=name) if name in _FUNCTIONS:
            yield "another function", changed(func=ast.Name(_FUNCTIONS[name]))
        case ast.Attribute(value=value, attr=name) if name in _FUNCTIONS:
            yield "another function", changed(func=ast.Attribute(value, _FUNCTIONS[name]))
        case ast.Name(id="range"):
            place = 0 if len(args) == 1 else 1
            for sign in ("+", "-"):
                end = ast.parse(f"({ast.unparse(args[place])}) {sign} 1", mode="eval").body
                yield "off by one", changed(args=[*args[:place], end, *args[place + 1 :]])
        case _:
            pass

"""Does a function of the notebook use JAX's own differentiation?

The course asks for derivatives by hand: a plain use of `jax.grad` and its relatives in a graded function
costs the question. This is a rubric for honest work, seen before handing in; it hunts no disguise.
Making a rule (`jax.custom_vjp`, `jax.custom_jvp`) is no such use; nor is a scratch cell that compares with
`jax.grad`. Whether a function has a reverse rule of its own, where a question asks for one, is asked here, too.
"""

import dis
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any, cast

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


def autodiff_use(function: Any) -> str | None:
    """A sentence when `function`, or what it reaches in its notebook, uses one of NAMES; else None."""
    forbidden = {id(value): name for name, value in _forbidden_objects()}
    name = getattr(function, "__name__", "your function")
    pending, seen = list(_functions_in(function)), set[int]()
    home = {id(f.__globals__) for f in pending}
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        for value in _values_used(current):
            used = forbidden.get(id(value)) or _made_by(value)
            if used is not None:
                return MESSAGE.format(function=name, name=used)
            pending += [f for f in _functions_in(value) if id(f.__globals__) in home]
    return None


def own_reverse_rule(function: Any) -> bool:
    """Whether `function`, or what it reaches in its notebook, makes a reverse rule of its own (RULES)."""
    jax: Any = sys.modules.get("jax")
    if jax is not None and isinstance(function, jax.custom_vjp):
        return True
    pending = [f for f in (*_functions_in(function), *_methods_of(function)) if not _of_a_library(f)]
    home, seen = {id(f.__globals__) for f in pending}, set[int]()
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if not RULES.isdisjoint(_names_in(current.__code__)):
            return True
        for value in _values_used(current):
            if jax is not None and isinstance(value, jax.custom_vjp):
                return True
            if getattr(value, "__name__", None) in RULES and str(getattr(value, "__module__", "")).startswith("jax"):
                return True
            pending += [f for f in (*_functions_in(value), *_methods_of(value)) if id(f.__globals__) in home]
    return False


def _of_a_library(function: FunctionType) -> bool:
    return str(function.__globals__.get("__name__", "")).partition(".")[0] in ("jax", "numpy", "scipy")


def _methods_of(value: Any) -> Iterator[FunctionType]:
    """The functions of a class, or of the class of an object."""
    methods: Mapping[str, Any] = vars(value if isinstance(value, type) else type(value))
    for method in methods.values():
        yield from _functions_in(getattr(method, "__func__", method))


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _names_in(inner)
        elif isinstance(inner, str):
            yield inner


def _forbidden_objects() -> Iterator[tuple[str, Any]]:
    for name in sorted(NAMES, reverse=True):  # of two names of one function the first in the alphabet is told
        module_name, _, attribute = name.rpartition(".")
        module = sys.modules.get(module_name)
        if module is not None and hasattr(module, attribute):
            yield name, getattr(module, attribute)


def _made_by(value: Any, depth: int = 0) -> str | None:
    """The transformation that made a function, as in `g = jax.grad(f)` in another cell."""
    if not isinstance(value, FunctionType) or depth > 3:
        return None
    if not str(value.__globals__.get("__name__", "")).startswith("jax."):
        return None
    maker, inner, _ = value.__code__.co_qualname.partition(".<locals>")
    if inner and f"jax.{maker}" in NAMES:
        return f"jax.{maker}"
    made = (_made_by(cell.cell_contents, depth + 1) for cell in value.__closure__ or ())
    return next((name for name in made if name is not None), None)  # JAX wraps what it makes once more


def _functions_in(value: Any, depth: int = 0) -> Iterator[FunctionType]:
    """The Python functions that a callable stands for: itself, what jit, partial or a custom rule wraps."""
    if isinstance(value, FunctionType):
        yield value
    if depth > 8 or isinstance(value, ModuleType | type) or not callable(value):
        return
    for attribute in ("__wrapped__", "func", "fun", "fwd", "bwd", "jvp"):
        inner = getattr(cast(Any, value), attribute, None)
        if inner is not None and callable(inner):
            yield from _functions_in(cast("Callable[..., Any]", inner), depth + 1)


def _values_used(function: FunctionType) -> Iterator[Any]:
    """Every module-level value that the function's code names: globals, attributes of modules, imports."""
    cells: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            cells[name] = cell.cell_contents
        except ValueError:  # not yet filled
            continue
    yield from cells.values()
    yield from _values_in(function.__code__, function.__globals__, dict(cells))


def _values_in(code: CodeType, names: dict[str, Any], local: dict[str, Any]) -> Iterator[Any]:
    value: Any = None  # what the instruction before left on the stack, as far as we follow it
    module: Any = None  # the module that IMPORT_FROM takes from
    constant: Any = None
    for step in dis.get_instructions(code):
        operation, argument = step.opname, step.argval
        if operation in ("LOAD_GLOBAL", "LOAD_NAME"):
            value = names.get(argument)
        elif operation in ("LOAD_ATTR", "LOAD_METHOD"):
            value = getattr(value, argument, None) if isinstance(value, ModuleType) else None
        elif operation == "IMPORT_NAME":
            # `import jax.numpy` binds the package jax, `from jax.numpy import …` takes from the module itself
            value = module = sys.modules.get(argument if constant else argument.partition(".")[0])
        elif operation == "IMPORT_FROM":
            value = getattr(module, argument, None)
        elif operation.startswith(("STORE_FAST", "STORE_DEREF")) and isinstance(argument, str):
            if value is not None:
                local[argument] = value
            value = None
        elif operation.startswith(("LOAD_FAST", "LOAD_DEREF", "LOAD_CLOSURE")) and isinstance(argument, str):
            value = local.get(argument)
        else:
            constant = argument if operation == "LOAD_CONST" else constant
            value = None
        if value is not None:
            yield value
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _values_in(inner, names, dict(local))

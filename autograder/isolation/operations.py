"""JAX's own operations, traced and read before the first submission.

The run of the reference that compiles ahead (`autograder.grading.compiled`) writes down which of JAX's operations it
has asked for with which types, and what each was lowered to. A zygote traces these again, without touching a backend,
and reads the programs, so that its forks find them as if they had met them before (`autograder.isolation.eager`).

What is written down are operations of JAX alone, in the order of their names: a function that the reference has jitted
would be its solution. Arguments are types and shapes; no value is kept but those that choose an operation, such as an
axis.
"""

# What is private to JAX has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportAttributeAccessIssue=false, reportPrivateUsage=false, reportMissingTypeStubs=false, reportUnknownParameterType=false

import hashlib
import io
import os
import pickle
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any, Final, cast

from autograder.isolation import eager

FILE: Final = "operations"
"""In the folder of what is compiled ahead."""
RECORD: Final = "AUTOGRADER_OPERATIONS_INTO"
"""The variable with the folder that the operations of a process are written to."""
READ: Final = "AUTOGRADER_OPERATIONS"
"""The variable with the file that a zygote reads."""

_PARTS: Final = ".operation-"
_LIBRARIES: Final = ("jax", "jaxlib", "numpy", "ml_dtypes")
_PLAIN: Final = frozenset({"frozenset", "set", "complex", "slice", "range"})


@dataclass(frozen=True)
class Type:
    """Of an argument: all that tracing needs of it."""

    shape: tuple[int, ...]
    dtype: str
    weak: bool


@dataclass(frozen=True)
class Operation:
    """One operation with the types that it was called with, and the program that JAX made of it.

    Either `function`, a jitted function of JAX by its module and name; or `primitive` with its parameters.
    """

    function: tuple[str, str] | None
    primitive: str | None
    parameters: Mapping[str, Any]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    module: str
    inputs: tuple[int, ...]


class _Pickler(pickle.Pickler):
    """Writes nothing but plain data and what belongs to JAX and NumPy."""

    def reducer_override(self, obj: Any) -> Any:
        kind = obj if isinstance(obj, type) else type(obj)
        if not _may_be_kept(kind.__module__, kind.__qualname__) or type(obj) is FunctionType:
            raise pickle.PicklingError(f"{kind} is nothing of JAX's")
        if kind.__name__ in ("ClosedJaxpr", "Jaxpr", "JaxprEqn"):
            raise pickle.PicklingError("a traced function may be anybody's")
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if not _may_be_kept(module, name):
            raise pickle.UnpicklingError(f"{module}.{name} is nothing of JAX's")
        return super().find_class(module, name)


def _may_be_kept(module: str, name: str) -> bool:
    if module == "builtins":
        return name in _PLAIN
    return module.split(".")[0] in _LIBRARIES or (module == __name__ and name in ("Type", "Operation"))


def record(folder: str) -> None:
    """From now on this process writes each operation that JAX compiles into `folder`, a file for each."""
    try:
        from jax import tree_util
        from jax._src import core, dispatch, pjit

        infer, lower, callable_of, call = (
            pjit._infer_params, pjit._resolve_and_lower, dispatch.xla_primitive_callable, pjit._pjit_call_impl_python,
        )  # fmt: skip
    except (ImportError, AttributeError):
        return
    primitives: dict[int, tuple[Any, str, Mapping[str, Any]]] = {}
    asked: dict[int, tuple[Any, Any, tuple[Any, ...], Mapping[str, Any]]] = {}
    running: list[Any] = []

    def xla_primitive_callable(primitive: Any, **parameters: Any) -> Any:
        found = callable_of(primitive, **parameters)
        primitives[id(found._fun)] = found, primitive.name, parameters
        return found

    def infer_params(function: Any, info: Any, arguments: Any, options: Any) -> Any:
        result = infer(function, info, arguments, options)
        jaxpr = result[0].params["jaxpr"]
        leaves = tree_util.tree_leaves((arguments, options))
        if id(jaxpr) not in asked and not any(isinstance(leaf, core.Tracer) for leaf in leaves):
            asked[id(jaxpr)] = jaxpr, (function, info), arguments, options
        return result

    def call_impl(*arguments: Any, jaxpr: Any, **settings: Any) -> Any:
        running.append(jaxpr)
        try:
            return call(*arguments, jaxpr=jaxpr, **settings)
        finally:
            running.pop()

    def resolve_and_lower(*arguments: Any, jaxpr: Any, **settings: Any) -> Any:
        computation = lower(*arguments, jaxpr=jaxpr, **settings)
        found = asked.pop(id(jaxpr), None)
        if found is not None and running and running[-1] is jaxpr:
            _, (function, info), given, options = found
            made = _operation(computation, function, info, given, options, primitives)
            if made is not None:
                _write(Path(folder), made)
        return computation

    dispatch.xla_primitive_callable = xla_primitive_callable
    pjit._infer_params = infer_params
    pjit._pjit_call_impl_python = call_impl
    pjit._resolve_and_lower = resolve_and_lower


def _operation(
    computation: Any,
    function: Any,
    info: Any,
    arguments: tuple[Any, ...],
    options: Mapping[str, Any],
    primitives: Mapping[int, tuple[Any, str, Mapping[str, Any]]],
) -> Operation | None:
    """None for what is not an operation of JAX's own, or cannot be interpreted."""
    primitive, parameters = None, {}
    place = (getattr(function, "__module__", ""), getattr(function, "__qualname__", ""))
    if id(function) in primitives:
        _, primitive, parameters = primitives[id(function)]
        if primitive not in _primitives():
            return None
    elif place[0].split(".")[0] != "jax" or _jitted(*place) is None:
        return None
    lowered = eager.lowered_module(computation)
    if lowered is None:
        return None
    module, inputs = lowered
    typed = tuple(value if index in info.static_argnums else _types(value) for index, value in enumerate(arguments))
    named = {name: value if name in info.static_argnames else _types(value) for name, value in options.items()}
    return Operation(
        None if primitive else place, primitive, dict(parameters), typed, named, str(module), tuple(inputs)
    )


def _types(value: Any) -> Any:
    """Arrays and numbers as their types."""
    import jax
    from jax._src import core

    def type_of(leaf: Any) -> Type:
        aval = core.shaped_abstractify(leaf) if hasattr(core, "shaped_abstractify") else _abstract(leaf)
        return Type(tuple(aval.shape), str(aval.dtype), bool(aval.weak_type))

    return jax.tree_util.tree_map(type_of, value)


def _abstract(leaf: Any) -> Any:
    from jax._src.api_util import shaped_abstractify

    return shaped_abstractify(leaf)


def _write(folder: Path, operation: Operation) -> None:
    content = io.BytesIO()
    try:
        _Pickler(content).dump(operation)
    except Exception:  # something that is no plain data: it is traced by who needs it
        return
    name = operation.primitive or operation.function[1]  # type: ignore[index]
    target = folder / f"{_PARTS}{name}-{hashlib.sha256(content.getvalue()).hexdigest()[:20]}"
    target.write_bytes(content.getvalue())


def gather(folder: Path) -> None:
    """Makes one file of what `record` has written into `folder`."""
    parts = sorted(folder.glob(f"{_PARTS}*"))
    contents = [part.read_bytes() for part in parts]
    (folder / FILE).write_bytes(pickle.dumps(contents))
    for part in parts:
        part.unlink()


def prepare() -> int:
    """Traces and reads the operations of the file that `READ` names; how many there are."""
    path = os.environ.pop(READ, "")
    if not path:
        return 0
    try:
        contents: list[bytes] = _Unpickler(io.BytesIO(Path(path).read_bytes())).load()
    except (OSError, pickle.UnpicklingError, EOFError):
        return 0
    made = 0
    for content in contents:
        try:
            _prepare(_Unpickler(io.BytesIO(content)).load())
            made += 1
        except Exception:  # it is traced by who needs it
            continue
    return made


def _prepare(operation: Operation) -> None:
    import jax

    def wanted(value: Any) -> Any:
        if isinstance(value, Type):
            return jax.ShapeDtypeStruct(value.shape, value.dtype, weak_type=value.weak)
        return value

    def given(value: Any) -> Any:
        return jax.tree_util.tree_map(wanted, value, is_leaf=lambda leaf: isinstance(leaf, Type))

    if operation.primitive is not None:
        from jax._src import dispatch

        jitted = dispatch.xla_primitive_callable(_primitives()[operation.primitive], **operation.parameters)
    else:
        assert operation.function is not None
        jitted = _jitted(*operation.function)
    traced = jitted.trace(*map(given, operation.arguments), **{k: given(v) for k, v in operation.options.items()})
    eager.keep(eager.Program(traced.jaxpr, operation.module, operation.inputs))


def _jitted(module: str, name: str) -> Any:
    """The jitted function of JAX that is called this; None where there is none."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is None or hasattr(found, "trace"):
        return found
    # jax.numpy.add and its kind are objects around one
    kept = list(getattr(found, "__dict__", {}).values())
    kept += [value for inner in kept if isinstance(inner, dict) for value in cast("dict[Any, Any]", inner).values()]
    return next((value for value in kept if hasattr(value, "trace") and value.__name__ == name), None)


_known_primitives: dict[str, Any] = {}


def _primitives() -> Mapping[str, Any]:
    """JAX's primitives by name, but for names that several have."""
    if not _known_primitives:
        from jax._src import core

        found: dict[str, set[int]] = {}
        for name, module in list(sys.modules.items()):
            if name.startswith("jax._src."):
                for value in vars(module).values():
                    if isinstance(value, core.Primitive):
                        found.setdefault(value.name, set()).add(id(value))
                        _known_primitives[value.name] = value
        for name, several in found.items():
            if len(several) > 1:
                del _known_primitives[name]
    return _known_primitives

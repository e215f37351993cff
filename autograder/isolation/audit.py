"""Artefacts of submitted functions audited, run and counted, in a disposable process.

A submission may have forged them: parsing hostile bytes can crash a process, and running them can take any time, which
is limited from outside. `autograder.isolation.artefacts` is the trusted side of it, which asks and checks the answer.

An artefact may hold what JAX makes of numerical code for the CPU and nothing else: operations on an
allow-list, LAPACK routines called by their signatures (`autograder.isolation.lapack`), sorts by an order, arrays of
fixed and bounded size. It has no effects and calls nothing outside.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from adkit import checks
from adkit.tracing.counts import parse
from adkit.tracing.export import UNSTABLE_CUSTOM_CALLS, Program, Work, WorkError
from adkit.tracing.stablehlo import Module, read

from autograder.isolation import lapack
from autograder.isolation.mlir import array_of, array_type, attribute_names, dictionary
from autograder.isolation.orders import is_order

MAX_OPERATIONS = 50_000
"""Operations with every call written out."""
MAX_VALUE_BYTES = 64 * 2**20
"""One array."""
MAX_TOTAL_BYTES = 2 * 2**30
"""All values of one evaluation together (a loop's body once): a bound on the memory it can need."""
_READ = 32
"""Artefacts that are kept as they were read: a case asks for the same one on other numbers."""
MAX_RESULTS = 1_000
MAX_RESULT_BYTES = 64 * 2**20
"""All outputs and residuals together."""

DTYPES = frozenset({"float64", "float32", "int64", "int32", "uint32", "bool", "complex128", "complex64"})
_MAX_NESTING = 100
"""Regions in regions: a loop in a branch in a loop. The compiler follows them by recursion."""
_NUMERICAL = """
    abs add and atan2 bitcast_convert broadcast broadcast_in_dim case cbrt ceil cholesky clamp compare complex
    composite concatenate constant convert convolution cosine count_leading_zeros custom_call divide dot
    dot_general dynamic_slice dynamic_update_slice exponential exponential_minus_one fft floor gather if
    imag iota is_finite log log_plus_one logistic map maximum minimum multiply negate not
    optimization_barrier or pad popcnt power real reduce reduce_precision reduce_window remainder reshape
    return reverse rng_bit_generator round_nearest_afz round_nearest_even rsqrt scatter select
    select_and_scatter shift_left
    shift_right_arithmetic shift_right_logical sign sine slice sort sqrt subtract tan tanh transpose
    triangular_solve while xor
"""
_OPERATIONS = frozenset(f"stablehlo.{name}" for name in _NUMERICAL.split()) | {"func.call", "func.return"}


_SCALAR_FUNCTIONS = """
    acos acosh asin asinh atan atanh bessel_i1e cosh digamma erf erf_inv erfc lgamma next_after polygamma sinh tan top_k
    zeta
"""
_COMPOSITES = frozenset(f"chlo.{name}" for name in _SCALAR_FUNCTIONS.split())
"""What JAX makes. The compiler runs these by their names, whatever their decomposition says, and the decomposition is
what is counted: none of them may be work that counts, as `chlo.ragged_dot` is."""


_FROM_JAX = {
    "builtin.module": {"jax.uses_shape_polymorphism", "mhlo.num_partitions", "mhlo.num_replicas"},
    "func.func": {"arg_attrs", "res_attrs"},
    "stablehlo.custom_call": {"mhlo.backend_config", "mhlo.frontend_attributes", "sdy.sharding_rule"},
}
"""Attributes beyond an operation's own that JAX adds; any other may be an instruction to the compiler."""


class ArtefactError(checks.StudentError):
    """An artefact that is refused, or that does not give what was agreed; the message is for the student."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ("ArtefactError", "StudentError", "CheckError", "AssertionError", "Exception"))


def run_artefacts(job: dict[str, Any]) -> dict[str, Any]:
    """Audit, run and count the artefacts of a job; to be called in a process that may die.

    Returns {"outputs": […], "residuals": […] | None, "work": {…}, "forward_work": {…} | None,
    "backward_work": {…} | None}, or {"error": message}. Plain data both ways.
    """
    try:
        return _run(job)
    except checks.StudentError as problem:
        return {"error": problem.message}
    except WorkError as problem:
        return {"error": f"the traced function cannot be counted: {problem}"}
    except Exception as problem:  # whatever XLA or the parsers make of hostile bytes
        return {"error": f"the traced function could not be run: {clipped(f'{type(problem).__name__}: {problem}')}"}


def audit(artefact: bytes, inputs: Sequence[Any] | None = None) -> Any:
    """The deserialised artefact (`jax.export.Exported`), if it may be run. Raises `ArtefactError` if not.

    inputs: the arrays, or shapes and dtypes, that it will be called with. Call it in a disposable process only.
    """
    exported = _deserialized(artefact)
    if inputs is not None and _avals(exported.in_avals) != [described(leaf) for leaf in inputs]:
        raise ArtefactError("the traced function takes other arguments than it was asked for")
    _audited(artefact)
    return exported


@lru_cache(_READ)
def _deserialized(artefact: bytes) -> Any:
    from jax import export

    try:
        exported = export.deserialize(bytearray(artefact))
    except Exception as problem:
        raise ArtefactError(f"what came back is not a traced function: {clipped(str(problem))}") from None
    _audit_container(exported)
    return exported


@lru_cache(_READ)
def _audited(artefact: bytes) -> Module:
    exported = _deserialized(artefact)
    try:
        parsed = parse(exported)
        if not parsed.operation.verify():
            raise ArtefactError("the traced function is malformed")
        _audit_module(parsed)
        return read(exported, parsed)
    except WorkError as problem:
        raise ArtefactError(f"the traced function is malformed: {problem}") from None


@lru_cache(_READ)
def _program(artefacts: tuple[bytes, ...], primals: int, cotangents: int) -> Program:
    return Program([_audited(artefact) for artefact in artefacts], primals, cotangents)


def _run(job: dict[str, Any]) -> dict[str, Any]:
    inputs, primals, expected = job["inputs"], job["primals"], job["outputs"]
    if len(job["artefacts"]) == 1:
        _agree(audit(job["artefacts"][0], inputs).out_avals, expected)
    else:
        cotangents = inputs[primals:]
        forward = audit(job["artefacts"][0], inputs[:primals])
        _agree(forward.out_avals[: len(cotangents)], expected[: len(cotangents)])
        residuals = forward.out_avals[len(cotangents) :]
        backward = audit(job["artefacts"][1], [*inputs[:primals], *residuals, *cotangents])
        _agree(backward.out_avals, expected[len(cotangents) :])
    measured = _program(tuple(job["artefacts"]), primals, len(inputs) - primals).measure(inputs, job["run"])
    return {
        "outputs": measured.outputs,
        "residuals": measured.residuals,
        "work": _plain_work(measured.work),
        "forward_work": _plain_work(measured.forward_work),
        "backward_work": _plain_work(measured.backward_work),
    }


def _audit_container(exported: Any) -> None:
    """Everything about an artefact but its code."""
    if tuple(exported.platforms) != ("cpu",) or exported.nr_devices != 1:
        raise ArtefactError("the traced function is not made for one CPU")
    if exported.ordered_effects or exported.unordered_effects:
        raise ArtefactError("the traced function has side effects (printing or calling back, say)")
    unchecked = {check.is_custom_call() for check in exported.disabled_safety_checks}
    if unchecked - set(UNSTABLE_CUSTOM_CALLS) or exported.uses_global_constants or exported.has_vjp():
        raise ArtefactError("the traced function was not exported as agreed")
    results = _avals(exported.out_avals)
    if len(results) > MAX_RESULTS:
        raise ArtefactError(f"the traced function gives {len(results)} arrays; at most {MAX_RESULTS} are taken")
    total = sum(math.prod(shape) * np.dtype(dtype).itemsize for shape, dtype in results)
    if total > MAX_RESULT_BYTES:
        raise ArtefactError(too_large("what the traced function gives", total, MAX_RESULT_BYTES))


@dataclass
class _Size:
    operations: int = 0
    bytes: int = 0


def _audit_module(module: Any) -> None:
    """Allowed operations only, and a bound on the size of `main` with every call written out."""
    functions: dict[str, Any] = {}
    _audit_attributes(module.operation)
    for operation in module.body.operations:
        if operation.operation.name != "func.func":
            raise ArtefactError(f"the traced function has {clipped(operation.operation.name)} at its top")
        _audit_signature(operation.operation)
        functions[operation.operation.attributes["sym_name"].value] = operation.operation
    # Every function is looked at, also one that nothing calls: the compiler will see it.
    own = {name: _audit_function(function) for name, function in functions.items()}
    sizes: dict[str, _Size] = {}

    def written_out(name: str, calling: tuple[str, ...]) -> _Size:
        if name in calling or len(calling) > 100:
            raise ArtefactError("the traced function calls itself")
        if name not in own:
            raise ArtefactError("the traced function calls a function that it does not have")
        if name not in sizes:
            size, callees = own[name]
            total = _Size(size.operations, size.bytes)
            for callee in callees:
                inner = written_out(callee, (*calling, name))
                total.operations += inner.operations
                total.bytes += inner.bytes
            sizes[name] = total
        return sizes[name]

    for name in own:
        size = written_out(name, ())
        if size.operations > MAX_OPERATIONS:
            raise ArtefactError(
                f"the traced function has {size.operations} operations; at most {MAX_OPERATIONS} are run"
            )
        if size.bytes > MAX_TOTAL_BYTES:
            raise ArtefactError(too_large("what the traced function computes", size.bytes, MAX_TOTAL_BYTES))


def _audit_signature(function: Any) -> None:
    """No attributes of a function, its arguments and its results but those that JAX adds."""
    _audit_attributes(function)
    for name, allowed in (("arg_attrs", ""), ("res_attrs", r'jax\.result_info = "[^"\\]*"')):
        if name in attribute_names(function):
            entries = re.sub(rf"\{{(?:{allowed})?\}}", "", str(function.attributes[name]))
            if entries.strip("[, ]"):
                raise ArtefactError("the traced function has attributes on its arguments that JAX does not give them")


def _audit_function(function: Any) -> tuple[_Size, list[str]]:
    size, callees = _Size(), list[str]()
    _audit_blocks(function, size)
    for operation in _inside(function):
        size.operations += 1
        if size.operations > MAX_OPERATIONS:
            raise ArtefactError(f"the traced function has more than {MAX_OPERATIONS} operations")
        name = operation.name
        if name not in _OPERATIONS:
            raise ArtefactError(f"the traced function uses {clipped(name)}, which is not run here")
        _audit_attributes(operation)
        if name == "stablehlo.custom_call":
            _audit_custom_call(operation)
        elif name == "func.call":
            callees.append(operation.attributes["callee"].value)
        elif name == "stablehlo.composite":
            _audit_composite(operation)
            callees.append(operation.attributes["decomposition"].value)
        elif name == "stablehlo.sort":
            if not is_order(operation.regions[0].blocks[0]):
                raise ArtefactError("the traced function sorts by a comparison that is not an order")
        elif name == "stablehlo.rng_bit_generator":
            _audit_random_bits(operation)
        for result in operation.results:
            size.bytes += _bytes(result)
        _audit_blocks(operation, size)
    return size, callees


def _audit_blocks(operation: Any, size: _Size) -> None:
    """The arguments of an operation's own blocks."""
    for region in operation.regions:
        for block in region.blocks:
            for argument in block.arguments:
                size.bytes += _bytes(argument)


def _audit_attributes(operation: Any) -> None:
    """No attributes but an operation's own and those that JAX adds."""
    for name in attribute_names(operation):
        if "." in name and name not in _FROM_JAX.get(operation.name, ()):
            raise ArtefactError(f"the traced function has the attribute {clipped(name)}, which JAX does not give it")


def _audit_custom_call(operation: Any) -> None:
    target = operation.attributes["call_target_name"].value
    if not lapack.is_routine(target):
        raise ArtefactError(f"the traced function calls {clipped(target)!r}, which is no LAPACK routine")
    attributes = operation.attributes
    if "has_side_effect" in attributes and "true" in str(attributes["has_side_effect"]):
        raise ArtefactError("the traced function has side effects")
    if "called_computations" in attributes and str(attributes["called_computations"]) != "[]":
        raise ArtefactError("the traced function hands a function to a LAPACK routine")
    fault = lapack.fault_of_call(operation)
    if fault is not None:
        raise ArtefactError(f"the traced function calls {target} as JAX never does: {fault}")


def _audit_composite(operation: Any) -> None:
    """A composite that the compiler runs by its name: the name, and arrays that fit together."""
    name = operation.attributes["name"].value
    if name not in _COMPOSITES:
        raise ArtefactError("the traced function uses a composite operation that JAX does not make")
    operands, results = list(map(array_of, operation.operands)), list(map(array_of, operation.results))
    config = {key: str(value) for key, value in dictionary(operation, "composite_attributes").items()}
    good = False
    if name != "chlo.top_k":
        good = len(set(operands)) == 1 and results == operands[:1] and not config
    elif len(operands) == 1 and operands[0] is not None and operands[0][0] and set(config) == {"k"}:
        (*batch, length), element = operands[0]
        k = re.fullmatch(r"(\d+) : i64", config["k"])
        taken = (*batch, int(k[1]) if k is not None else -1)
        good = 0 <= taken[-1] <= length and results == [(taken, element), (taken, "i32")]
    if not good:
        raise ArtefactError(f"the traced function uses {name} on arrays that do not fit together")


def _audit_random_bits(operation: Any) -> None:
    """A generator of random bits whose state is the algorithm's: two words, or for Philox three."""
    given, (state, bits) = array_of(operation.operands[0]), map(array_of, operation.results)
    lengths = ((2,), (3,)) if "PHILOX" in str(operation.attributes["rng_algorithm"]) else ((2,),)
    if given != state or given is None or given[1] != "ui64" or given[0] not in lengths or bits is None:
        raise ArtefactError("the traced function draws random bits from a state of another size than the algorithm's")
    if bits[1] not in ("ui8", "ui16", "ui32", "ui64"):
        raise ArtefactError("the traced function draws random numbers that are not bits")


def _inside(operation: Any) -> Iterator[Any]:
    """All operations in an operation's regions, without recursion: nesting is the submission's choice."""
    pending = [(operation, 0)]
    while pending:
        outer, depth = pending.pop()
        if depth > _MAX_NESTING:
            raise ArtefactError(f"the traced function has loops and branches more than {_MAX_NESTING} deep")
        for region in outer.regions:
            for block in region.blocks:
                for inner in block.operations:
                    yield inner.operation
                    pending.append((inner.operation, depth + 1))


def _bytes(value: Any) -> int:
    """Bytes of a value. Raises `ArtefactError` if it is not an array of fixed size, or too large."""
    text = str(value.type)
    array = array_type(text)
    if array is None:
        if re.match(r"tensor<(\d+x)*\?", text):
            raise ArtefactError("the traced function has arrays whose size is not fixed")
        raise ArtefactError("the traced function handles something that is not an array of numbers")
    shape, element = array
    # 16 bytes for complex numbers; for all others 8, the widest type, is near enough
    size = math.prod(shape) * (16 if element.startswith("complex") else 8)
    if size > MAX_VALUE_BYTES:
        raise ArtefactError(too_large(f"an array of shape {shape}", size, MAX_VALUE_BYTES))
    return size


def _agree(avals: Sequence[Any], expected: list[Any] | None) -> None:
    given = _avals(avals)
    if expected is not None and given != expected:
        raise ArtefactError(f"the traced function gives {listed(given)}; expected {listed(expected)}")


def _avals(avals: Sequence[Any]) -> list[list[Any]]:
    found = [described(aval) for aval in avals]
    for shape, dtype in found:
        if dtype not in DTYPES or any(type(length) is not int for length in shape):
            raise ArtefactError(f"the traced function handles arrays of {clipped(dtype)}, or of no fixed size")
    return found


def _plain_work(work: Work | None) -> dict[str, Any] | None:
    return None if work is None else dataclasses.asdict(work)


def described(array: Any) -> list[Any]:
    """[shape, dtype] of an array or an abstract value."""
    return [list(array.shape), np.dtype(array.dtype).name if _is_numpy(array.dtype) else str(array.dtype)]


def _is_numpy(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype)


def listed(described: Sequence[Sequence[Any]]) -> str:
    shown = ", ".join(f"{dtype}{tuple(shape)}" for shape, dtype in described[:8])
    return (shown or "nothing") + (f" and {len(described) - 8} more" if len(described) > 8 else "")


def clipped(text: str) -> str:
    text = "".join(c if c.isprintable() else " " for c in text[:1000])
    text = " ".join(text.split())
    return text if len(text) <= 300 else text[:300] + "…"


def too_large(what: str, size: int, limit: int) -> str:
    return f"{what} has {_mebibytes(size)}; at most {_mebibytes(limit)} are taken"


def _mebibytes(size: int) -> str:
    number = size / 2**20
    return f"{number:.0f} MiB" if number >= 10 else f"{number:.2g} MiB"

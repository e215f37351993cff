"""A traced program run by NumPy: each operation of StableHLO is one call of NumPy, a factorisation one of LAPACK.

A program that is traced to be measured runs once. Compiling it takes a hundred times as long as what it computes, so it
is read instead. Both give the same numbers up to rounding: the same LAPACK does the factorisations, and the operations
are those of the specification (https://openxla.org/stablehlo/spec).

What this does not know for certain it does not guess: `NotInterpretedError`, and whoever asked compiles the program.
That holds for operations and element types that are rare, for loops of many turns, and for values on which NumPy and
the compiler may differ (an integer divided by zero, a float too large for the integer that it is made to).
"""

# The bindings of MLIR are untyped, and so are the pieces of NumPy that are chosen by name.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from adkit.tracing.stablehlo import attribute_of, body_of, callee_of, defined_by, functions_of, read, symbol

__all__ = ["Interpreter", "NotInterpretedError"]

_BUDGET = 50_000
"""Operations executed in one run; above it compiling is cheaper."""
_DTYPES: dict[str, np.dtype[Any]] = {
    element: np.dtype(kind)
    for element, kind in {
    "f64": np.float64, "f32": np.float32, "complex<f64>": np.complex128, "complex<f32>": np.complex64, "i1": np.bool_,
    "i8": np.int8, "i16": np.int16, "i32": np.int32, "i64": np.int64,
    "ui8": np.uint8, "ui16": np.uint16, "ui32": np.uint32, "ui64": np.uint64,
    }.items()
}  # fmt: skip

Array = Any
"""An array, or a NumPy scalar, which stands for one of no dimensions."""
_Function = Callable[..., Any]


class NotInterpretedError(Exception):
    """The program has something in it that only the compiler knows; the message says what."""


class Interpreter:
    """A module that is run more than once: each function of it is translated when it is called for the first time."""

    def __init__(self, module: Any) -> None:
        """`module`: what `adkit.tracing.stablehlo.read` gives or takes; of an export the arguments are those of the
        exported function."""
        self._program = read(module)
        self._machine = _Machine(self._program)

    def run(self, inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The results of `main`, arrays of their own. Raises `NotInterpretedError`."""
        kept = self._program.module_kept_var_idx
        if kept is not None:  # arguments that the function ignores are none of the module's
            inputs = [inputs[index] for index in kept]
        with np.errstate(all="ignore"):
            results = self._machine.start([np.asarray(value) for value in inputs])
        found = [np.array(result) for result in results]
        promised = self._program.out_avals
        if promised is not None and [(a.shape, a.dtype) for a in found] != [(p.shape, p.dtype) for p in promised]:
            raise NotInterpretedError("other results than the module promises")
        return found

    def translate(self) -> None:
        """Translates all functions ahead of the first run. Raises `NotInterpretedError` where `main` has more in it."""
        self._machine.translate("main")
        for name in self._machine.names:
            with suppress(NotInterpretedError):  # it may never be called
                self._machine.translate(name)


@dataclass(frozen=True)
class _Step:
    """One operation: reads slots of the frame, writes slots, and gives up those that nobody reads any more."""

    run: _Function
    operands: tuple[int, ...]
    results: tuple[int, ...]
    last: tuple[int, ...]
    controls: bool
    """Whether it runs blocks of its own: it is given the frame as well, and always gives a list."""


@dataclass(frozen=True)
class _Block:
    arguments: tuple[int, ...]
    steps: tuple[_Step, ...]
    returned: tuple[int, ...]


class _Machine:
    """The functions of a module, each translated when it is called for the first time."""

    def __init__(self, module: Any) -> None:
        self._functions = functions_of(module)
        self._translated: dict[str, tuple[_Block, int]] = {}
        self._depth = 0
        self._budget = _BUDGET

    @property
    def names(self) -> list[str]:
        return list(self._functions)

    def start(self, arguments: Sequence[Array]) -> list[Array]:
        self._depth, self._budget = 0, _BUDGET
        return self.call("main", arguments)

    def translate(self, name: str) -> tuple[_Block, int]:
        if name not in self._translated:
            if name not in self._functions:
                raise NotInterpretedError(f"there is no function {name}")
            translation = _Translation(self)
            block = translation.block(body_of(self._functions[name]))
            self._translated[name] = block, translation.slots
        return self._translated[name]

    def call(self, name: str, arguments: Sequence[Array]) -> list[Array]:
        block, slots = self.translate(name)
        if len(arguments) != len(block.arguments) or self._depth > 50:
            raise NotInterpretedError(f"a call of {name}")
        self._depth += 1
        try:
            return self.run(block, [None] * slots, arguments)
        finally:
            self._depth -= 1

    def run(self, block: _Block, frame: list[Array], arguments: Sequence[Array]) -> list[Array]:
        for slot, value in zip(block.arguments, arguments, strict=True):
            frame[slot] = value
        self._budget -= len(block.steps)
        if self._budget < 0:
            raise NotInterpretedError("many operations")
        for step in block.steps:
            operands = [frame[slot] for slot in step.operands]
            if step.controls:
                for slot, value in zip(step.results, step.run(frame, *operands), strict=True):
                    frame[slot] = value
            elif len(step.results) == 1:
                frame[step.results[0]] = step.run(*operands)
            else:
                for slot, value in zip(step.results, step.run(*operands), strict=True):
                    frame[slot] = value
            for slot in step.last:
                frame[slot] = None
        return [frame[slot] for slot in block.returned]


class _Translation:
    """The blocks of one function as steps. Every value of it has a slot of its own."""

    def __init__(self, machine: _Machine) -> None:
        self._machine = machine
        self._slots: dict[Any, int] = {}

    @property
    def slots(self) -> int:
        return len(self._slots)

    def block(self, block: Any) -> _Block:
        """A block's steps: those that its results need."""
        operations = block.operations
        arguments = tuple(self._slot(argument) for argument in block.arguments)
        returned = tuple(self._slot(value) for value in operations[-1].operands)
        own = {self._slots[value] for value in block.arguments}
        needed = set(returned)
        later = set(returned)
        steps: list[_Step] = []
        wanted: list[tuple[Any, tuple[int, ...]]] = []
        for operation in reversed(operations[:-1]):
            results = tuple(self._slot(result) for result in operation.results)
            own.update(results)
            if not needed.intersection(results):
                continue
            wanted.append((operation, results))
            needed.update(self._slot(value) for value in _used(operation))
        for operation, results in wanted:  # from the last one to the first
            operands = tuple(self._slot(value) for value in operation.operands)
            used = {self._slot(value) for value in _used(operation)}
            last = tuple((used | set(results)) & own - later)
            later |= used
            run, controls = self._operation(operation)
            steps.append(_Step(run, operands, results, last, controls))
        return _Block(arguments, tuple(reversed(steps)), returned)

    def _slot(self, value: Any) -> int:
        return self._slots.setdefault(value, len(self._slots))

    def _operation(self, operation: Any) -> tuple[_Function, bool]:
        name = operation.name
        callee = callee_of(operation)
        if name == "func.call" and callee is not None:
            return lambda _frame, *operands: self._machine.call(callee, operands), True
        match name:
            case "stablehlo.while":
                return self._loop(operation), True
            case "stablehlo.case" | "stablehlo.if":
                return self._branches(operation), True
            case "stablehlo.optimization_barrier":
                return lambda _frame, *operands: operands, True
            case _:
                return _translated(operation), False

    def _loop(self, operation: Any) -> _Function:
        condition, body = (self.block(region.blocks[0]) for region in operation.regions)
        run = self._machine.run

        def loop(frame: list[Array], *carried: Array) -> Sequence[Array]:
            state: Sequence[Array] = carried
            while run(condition, frame, state)[0]:
                state = run(body, frame, state)
            return state

        return loop

    def _branches(self, operation: Any) -> _Function:
        blocks = [self.block(region.blocks[0]) for region in operation.regions]
        of_truth = operation.name == "stablehlo.if"
        run = self._machine.run

        def branch(frame: list[Array], index: Array) -> list[Array]:
            number = (0 if index else 1) if of_truth else int(index)
            # an index that is none takes the last branch
            return run(blocks[number if 0 <= number < len(blocks) else -1], frame, ())

        return branch


def _used(operation: Any) -> list[Any]:
    """The values that an operation reads: its operands, and what its blocks take from outside."""
    used = list(operation.operands)
    pending = [block for region in operation.regions for block in region.blocks]
    while pending:
        for inner in pending.pop().operations:
            used.extend(inner.operands)
            pending.extend(block for region in inner.regions for block in region.blocks)
    return used


# One operation as a function of its operands.


def _translated(operation: Any) -> _Function:
    name = operation.name.removeprefix("stablehlo.")
    for value in (*operation.operands, *operation.results):
        _dtype_of(value)  # or it is refused
    if name in _ENTRYWISE:
        return _ENTRYWISE[name]
    maker = _MAKERS.get(name)
    if maker is None:
        raise NotInterpretedError(operation.name)
    return maker(operation)


def _dtype_of(value: Any) -> np.dtype[Any]:
    if value.element not in _DTYPES:
        raise NotInterpretedError(f"arrays of {value.element}")
    return _DTYPES[value.element]


def _numbers(operation: Any, name: str) -> tuple[int, ...]:
    """An attribute that is a list of integers; () where there is none."""
    attribute = attribute_of(operation, name)
    return () if attribute is None else tuple(int(number) for number in attribute)


def _is_true(operation: Any, name: str) -> bool:
    return "true" in str(attribute_of(operation, name))


def _kinds(allowed: str, function: _Function) -> _Function:
    """`function` for operands of these kinds of NumPy's; others are not interpreted."""

    def checked(*operands: Array) -> Array:
        if any(operand.dtype.kind not in allowed for operand in operands):
            raise NotInterpretedError(f"{function} on other numbers")
        return function(*operands)

    return checked


def _divide(a: Array, b: Array) -> Array:
    if a.dtype.kind in "fc":
        return np.divide(a, b)
    _no_zero(a, b)
    quotient = np.floor_divide(a, b)
    return quotient + ((np.remainder(a, b) != 0) & ((a < 0) != (b < 0))).astype(a.dtype)  # towards zero


def _remainder(a: Array, b: Array) -> Array:
    if a.dtype.kind != "f":
        _no_zero(a, b)
    return np.fmod(a, b)


def _no_zero(a: Array, b: Array) -> None:
    if a.dtype.kind not in "iu" or np.any(b == 0) or (a.dtype.kind == "i" and np.any(b == -1)):
        raise NotInterpretedError("a division of integers")


def _power(a: Array, b: Array) -> Array:
    if a.dtype.kind in "iu" and np.any(b < 0):
        raise NotInterpretedError("a negative power of integers")
    return np.power(a, b)


def _shift(function: _Function, signed: bool | None = None) -> _Function:
    def shifted(a: Array, b: Array) -> Array:
        bits = 8 * a.dtype.itemsize
        if a.dtype.kind not in "iu" or np.any(b < 0) or np.any(b >= bits):
            raise NotInterpretedError("a shift by as many bits as there are")
        if signed is None:
            return function(a, b)
        kind = np.dtype(f"{'i' if signed else 'u'}{a.dtype.itemsize}")
        shifted = function(np.asarray(a).view(kind), np.asarray(b).view(kind))
        return np.asarray(shifted).view(a.dtype)

    return shifted


def _clamp(low: Array, value: Array, high: Array) -> Array:
    return np.minimum(np.maximum(value, low), high)


_ENTRYWISE: dict[str, _Function] = {
    "abs": np.absolute, "add": np.add, "and": np.bitwise_and, "atan2": _kinds("f", np.arctan2),
    "cbrt": _kinds("f", np.cbrt), "ceil": _kinds("f", np.ceil), "clamp": _kinds("fiu", _clamp), "cosine": np.cos,
    "divide": _divide, "exponential": np.exp, "exponential_minus_one": _kinds("f", np.expm1),
    "floor": _kinds("f", np.floor), "imag": np.imag, "is_finite": np.isfinite, "log": np.log,
    "log_plus_one": _kinds("f", np.log1p), "logistic": _kinds("f", lambda x: 1 / (1 + np.exp(-x))),
    "maximum": _kinds("fiub", np.maximum), "minimum": _kinds("fiub", np.minimum), "multiply": np.multiply,
    "negate": np.negative, "not": np.bitwise_not, "or": np.bitwise_or, "power": _power, "real": np.real,
    "remainder": _kinds("fiu", _remainder), "round_nearest_even": _kinds("f", np.rint),
    "rsqrt": _kinds("f", lambda x: 1 / np.sqrt(x)), "select": np.where,
    "shift_left": _shift(np.left_shift), "shift_right_arithmetic": _shift(np.right_shift, signed=True),
    "shift_right_logical": _shift(np.right_shift, signed=False), "sign": _kinds("fi", np.sign), "sine": np.sin,
    "sqrt": np.sqrt, "subtract": _kinds("fiuc", np.subtract), "tan": _kinds("f", np.tan), "tanh": np.tanh,
    "xor": np.bitwise_xor,
}  # fmt: skip


def _constant(operation: Any) -> _Function:
    shape, dtype = operation.results[0].shape, _dtype_of(operation.results[0])
    try:  # the bindings do not give complex numbers as an array
        given = np.array(_complex_number(str(operation)) if dtype.kind == "c" else operation.attributes["value"])
    except Exception as problem:  # an element type without a counterpart
        raise NotInterpretedError(f"a constant: {problem}") from None
    if given.dtype.kind != dtype.kind or (given.size != 1 and given.shape != shape):
        raise NotInterpretedError("a constant of another type")
    value = np.broadcast_to((given.reshape(()) if given.size == 1 else given).astype(dtype), shape)
    return lambda: value


def _complex_number(text: str) -> complex:
    """The number that all entries of a constant are; ValueError where they differ or are not written in decimals."""
    found = re.search(r"dense<\(([^,()]+),([^,()]+)\)>", text)
    if found is None:
        raise ValueError(text[:50])
    return complex(float(found[1]), float(found[2]))


def _convert(operation: Any) -> _Function:
    dtype = _dtype_of(operation.results[0])

    def converted(value: Array) -> Array:
        if dtype.kind == "b":
            return np.not_equal(value, 0)
        if value.dtype.kind == "c" and dtype.kind != "c":
            raise NotInterpretedError("a complex number made real")
        if value.dtype.kind == "f" and dtype.kind in "iu":
            range_of = np.iinfo(dtype)
            if not np.all((value > float(range_of.min)) & (value < float(range_of.max))):
                raise NotInterpretedError("a float too large for an integer")
        return value.astype(dtype)

    return converted


def _bitcast(operation: Any) -> _Function:
    dtype = _dtype_of(operation.results[0])
    if dtype.itemsize != _dtype_of(operation.operands[0]).itemsize or dtype.kind == "b":
        raise NotInterpretedError("bits of another size")
    return lambda value: np.ascontiguousarray(value).reshape(np.shape(value)).view(dtype)


def _broadcast_in_dim(operation: Any) -> _Function:
    shape, dimensions = operation.results[0].shape, _numbers(operation, "broadcast_dimensions")
    given = operation.operands[0].shape
    spread = [1] * len(shape)
    for axis, dimension in enumerate(dimensions):
        spread[dimension] = given[axis]
    order = tuple(np.argsort(dimensions))
    return lambda value: np.broadcast_to(np.transpose(value, order).reshape(spread), shape)


def _compare(operation: Any) -> _Function:
    text = str(attribute_of(operation, "compare_type"))
    way = re.search(r"\b(LT|LE|GT|GE|NE|EQ)\b", str(operation.attributes["comparison_direction"]))
    if "TOTALORDER" in text or way is None:
        raise NotInterpretedError("a comparison by total order")
    function: _Function = {
        "LT": np.less, "LE": np.less_equal, "GT": np.greater, "GE": np.greater_equal,
        "NE": np.not_equal, "EQ": np.equal,
    }[way[1]]  # fmt: skip
    return function if way[1] in ("NE", "EQ") else _kinds("fiub", function)


def _complex(operation: Any) -> _Function:
    dtype = _dtype_of(operation.results[0])

    def made(real: Array, imaginary: Array) -> Array:
        value = np.empty(np.shape(real), dtype)
        value.real, value.imag = real, imaginary
        return value

    return made


def _concatenate(operation: Any) -> _Function:
    axis = int(operation.attributes["dimension"])
    return lambda *values: np.concatenate(values, axis)


def _dot_general(operation: Any) -> _Function:
    from jaxlib.mlir.dialects import stablehlo

    numbers = stablehlo.DotDimensionNumbers(operation.attributes["dot_dimension_numbers"])
    batch = tuple(numbers.lhs_batching_dimensions), tuple(numbers.rhs_batching_dimensions)
    summed = tuple(numbers.lhs_contracting_dimensions), tuple(numbers.rhs_contracting_dimensions)
    shapes = tuple(operand.shape for operand in operation.operands)
    free = tuple(
        tuple(axis for axis in range(len(shape)) if axis not in (*batch[side], *summed[side]))
        for side, shape in enumerate(shapes)
    )
    dtype, result = _dtype_of(operation.results[0]), operation.results[0].shape
    batches = tuple(shapes[0][axis] for axis in batch[0])
    inner = math.prod(shapes[0][axis] for axis in summed[0])
    rows, columns = (math.prod(shapes[side][axis] for axis in free[side]) for side in (0, 1))
    if any(_dtype_of(operand) != dtype for operand in operation.operands) or dtype.kind not in "fc":
        raise NotInterpretedError("a product of other numbers")

    def product(left: Array, right: Array) -> Array:
        a = np.transpose(left, (*batch[0], *free[0], *summed[0])).reshape(*batches, rows, inner)
        b = np.transpose(right, (*batch[1], *summed[1], *free[1])).reshape(*batches, inner, columns)
        return np.matmul(a, b).reshape(result)

    return product


def _dynamic_slice(operation: Any) -> _Function:
    sizes = _numbers(operation, "slice_sizes")

    def cut(value: Array, *starts: Array) -> Array:
        return value[_window(np.shape(value), sizes, starts)]

    return cut


def _dynamic_update_slice(_operation: Any) -> _Function:
    def put(value: Array, update: Array, *starts: Array) -> Array:
        changed = np.array(value)
        changed[_window(np.shape(value), np.shape(update), starts)] = update
        return changed

    return put


def _window(shape: Sequence[int], sizes: Sequence[int], starts: Sequence[Array]) -> tuple[slice, ...]:
    """A window of an array, moved inside where it would stand out."""
    firsts = (min(max(int(s), 0), length - size) for s, length, size in zip(starts, shape, sizes, strict=True))
    return tuple(slice(first, first + size) for first, size in zip(firsts, sizes, strict=True))


def _iota(operation: Any) -> _Function:
    shape, dtype = operation.results[0].shape, _dtype_of(operation.results[0])
    if dtype.kind not in "fiu":
        raise NotInterpretedError("iota of other numbers")
    axis = int(operation.attributes["iota_dimension"])
    spread = tuple(length if i == axis else 1 for i, length in enumerate(shape))
    value = np.broadcast_to(np.arange(shape[axis], dtype=dtype).reshape(spread), shape)
    return lambda: value


def _pad(operation: Any) -> _Function:
    low, high, inside = (
        _numbers(operation, name) for name in ("edge_padding_low", "edge_padding_high", "interior_padding")
    )
    shape = operation.results[0].shape
    if min((*low, *high), default=0) < 0:
        raise NotInterpretedError("a negative padding")

    def padded(value: Array, filling: Array) -> Array:
        result = np.full(shape, filling)
        lengths = np.shape(value)
        where = (
            slice(first, first + (length - 1) * (step + 1) + 1 if length else first, step + 1)
            for first, length, step in zip(low, lengths, inside, strict=True)
        )
        result[tuple(where)] = value
        return result

    return padded


def _reduce_precision(operation: Any) -> _Function:
    bits = tuple(int(operation.attributes[which]) for which in ("exponent_bits", "mantissa_bits"))
    if bits != {np.dtype(np.float64): (11, 52), np.dtype(np.float32): (8, 23)}.get(_dtype_of(operation.operands[0])):
        raise NotInterpretedError("a rounding")
    return lambda value: value


def _reshape(operation: Any) -> _Function:
    shape = operation.results[0].shape
    return lambda value: np.reshape(value, shape)


def _reverse(operation: Any) -> _Function:
    axes = _numbers(operation, "dimensions")
    return lambda value: np.flip(value, axes)


def _slice(operation: Any) -> _Function:
    bounds = zip(*(_numbers(operation, name) for name in ("start_indices", "limit_indices", "strides")), strict=True)
    where = tuple(slice(*each) for each in bounds)
    return lambda value: value[where]


def _transpose(operation: Any) -> _Function:
    order = _numbers(operation, "permutation")
    return lambda value: np.transpose(value, order)


def _combined(operation: Any) -> Any:
    """How the function of a reduction or a scatter joins two numbers: an operation of NumPy, or None for the second."""
    block = operation.regions[0].blocks[0]
    arguments = list(block.arguments)
    operations = block.operations
    if len(arguments) != 2:
        raise NotInterpretedError("a reduction of several arrays")
    returned = list(operations[-1].operands)
    if len(operations) == 1 and returned == [arguments[1]]:
        return None
    if len(operations) == 2 and returned == list(operations[0].results):
        name = operations[0].name.removeprefix("stablehlo.")
        given = list(operations[0].operands)
        ufunc = {
            "add": np.add, "multiply": np.multiply, "maximum": np.maximum, "minimum": np.minimum,
            "and": np.bitwise_and, "or": np.bitwise_or,
        }.get(name)  # fmt: skip
        if ufunc is not None and given in (arguments, arguments[::-1]):
            if name in ("maximum", "minimum") and _dtype_of(arguments[0]).kind == "c":
                raise NotInterpretedError("an order of complex numbers")
            return ufunc
    raise NotInterpretedError("a reduction by another function")


def _reduce(operation: Any) -> _Function:
    axes = _numbers(operation, "dimensions")
    ufunc = _combined(operation)
    if ufunc is None or len(operation.operands) != 2:
        raise NotInterpretedError("a reduction of several arrays")
    dtype = _dtype_of(operation.results[0])
    return lambda value, start: ufunc(ufunc.reduce(value, axis=axes, dtype=dtype, initial=start), start)


def _gather(operation: Any) -> _Function:
    from jaxlib.mlir.dialects import stablehlo

    numbers = stablehlo.GatherDimensionNumbers(operation.attributes["dimension_numbers"])
    sizes = _numbers(operation, "slice_sizes")
    windows = _Windows(
        operand=operation.operands[0].shape,
        sizes=sizes,
        hidden=(*numbers.collapsed_slice_dims, *numbers.operand_batching_dims),
        mapped=tuple(numbers.start_index_map),
        batching=tuple(
            zip(tuple(numbers.operand_batching_dims), tuple(numbers.start_indices_batching_dims), strict=True)
        ),
        vector=int(numbers.index_vector_dim),
    )
    offsets = tuple(numbers.offset_dims)
    rank = len(operation.results[0].shape)
    order = (*(axis for axis in range(rank) if axis not in offsets), *offsets)

    def gathered(value: Array, starts: Array) -> Array:
        where = windows.starts(starts)
        furthest = np.array([length - size for length, size in zip(windows.operand, sizes, strict=True)])
        found = value[windows.indices(np.clip(where, 0, furthest))]
        return np.transpose(found, np.argsort(order))

    return gathered


def _scatter(operation: Any) -> _Function:
    from jaxlib.mlir.dialects import stablehlo

    if len(operation.operands) != 3:
        raise NotInterpretedError("a scatter of several arrays")
    ufunc = _combined(operation)
    numbers = stablehlo.ScatterDimensionNumbers(operation.attributes["scatter_dimension_numbers"])
    operand, update = operation.operands[0].shape, operation.operands[2].shape
    inserted = (*numbers.inserted_window_dims, *numbers.input_batching_dims)
    shown = tuple(numbers.update_window_dims)
    lengths = iter([update[axis] for axis in shown])
    windows = _Windows(
        operand=operand,
        sizes=tuple(1 if axis in inserted else next(lengths) for axis in range(len(operand))),
        hidden=inserted,
        mapped=tuple(numbers.scattered_dims_to_operand_dims),
        batching=tuple(
            zip(tuple(numbers.input_batching_dims), tuple(numbers.scatter_indices_batching_dims), strict=True)
        ),
        vector=int(numbers.index_vector_dim),
    )
    order = (*(axis for axis in range(len(update)) if axis not in shown), *shown)
    furthest = np.array([length - size for length, size in zip(operand, windows.sizes, strict=True)])

    def scattered(value: Array, starts: Array, updates: Array) -> Array:
        where = windows.starts(starts)
        inside = np.all((where >= 0) & (where <= furthest), axis=-1)  # what stands out is left out as a whole
        given = np.transpose(updates, order)
        spots = [np.broadcast_to(index, given.shape)[inside] for index in windows.indices(np.clip(where, 0, furthest))]
        result = np.array(value)
        if not spots:
            raise NotInterpretedError("a scatter into a number")
        if ufunc is None:
            result[tuple(spots)] = given[inside]
        else:
            ufunc.at(result, tuple(spots), given[inside])
        return result

    return scattered


@dataclass(frozen=True)
class _Windows:
    """Where the windows of a gather or a scatter lie in the operand."""

    operand: tuple[int, ...]
    sizes: tuple[int, ...]
    hidden: tuple[int, ...]
    """Dimensions of the operand that no dimension of a window shows."""
    mapped: tuple[int, ...]
    batching: tuple[tuple[int, int], ...]
    vector: int

    def starts(self, indices: Array) -> np.ndarray:
        """The first entry of each window, one number for each dimension of the operand in the last axis."""
        indices = np.asarray(indices)
        if self.vector == indices.ndim:
            indices = indices[..., np.newaxis]
        indices = np.moveaxis(indices, self.vector, -1).astype(np.int64)
        batch = indices.shape[:-1]
        starts = np.zeros((*batch, len(self.operand)), np.int64)
        for number, dimension in enumerate(self.mapped):
            starts[..., dimension] = indices[..., number]
        for dimension, axis in self.batching:
            axis -= axis > self.vector
            along = [1] * len(batch)
            along[axis] = batch[axis]
            starts[..., dimension] = np.arange(batch[axis]).reshape(along)
        return starts

    def indices(self, starts: np.ndarray) -> tuple[np.ndarray, ...]:
        """One array of indices for each dimension of the operand; together all entries of all windows."""
        shown = [axis for axis in range(len(self.operand)) if axis not in self.hidden]
        found: list[np.ndarray] = []
        for axis in range(len(self.operand)):
            first = starts[..., axis].reshape(starts.shape[:-1] + (1,) * len(shown))
            if axis in shown:
                along = [1] * len(shown)
                along[shown.index(axis)] = self.sizes[axis]
                first = first + np.arange(self.sizes[axis]).reshape(along)
            found.append(first)
        return tuple(found)


def _sort(operation: Any) -> _Function:
    """A sort by the first array, upwards, the others taken along."""
    keys = list(operation.regions[0].blocks[0].arguments)[:2]
    if not _is_upwards(operation.regions[0].blocks[0], keys):
        raise NotInterpretedError("a sort by another order")
    axis = int(operation.attributes["dimension"])

    def sort(*values: Array) -> Any:
        key = values[0]
        if key.dtype.kind == "f":
            key = key + 0.0  # both zeros are one
        order = np.argsort(key, axis=axis, kind="stable")  # NaN comes last
        found = [np.take_along_axis(np.asarray(value), order, axis) for value in values]
        return found[0] if len(found) == 1 else found

    return sort


def _is_upwards(block: Any, keys: Sequence[Any]) -> bool:
    """Whether a sort's comparison is `a < b`: of integers as they are, of floats as JAX makes them comparable."""
    operations = block.operations
    test = defined_by(operations[-1].operands[0])
    if test is None or test.name != "stablehlo.compare" or "LT" not in str(test.attributes["comparison_direction"]):
        return False
    kind = _dtype_of(keys[0]).kind
    if kind in "iub":
        return list(test.operands) == list(keys)
    return kind == "f" and all(_comparable(value, key) for value, key in zip(test.operands, keys, strict=True))


def _comparable(value: Any, key: Any) -> bool:
    """Whether `value` is `key` with one zero and one NaN: select(key != key, nan, select(key == 0, 0, key))."""
    outer = defined_by(value)
    if outer is None or outer.name != "stablehlo.select":
        return False
    is_nan, nan, rest = outer.operands
    inner = defined_by(rest)
    if inner is None or inner.name != "stablehlo.select":
        return False
    is_zero, zero, plain = inner.operands
    test = defined_by(is_zero)
    return (
        plain == key
        and _is_constant(nan, math.isnan)
        and _is_constant(zero, lambda number: number == 0)
        and _compares(is_nan, "NE", (key, key))
        and _compares(is_zero, "EQ", (key, None))
        and _is_constant(test.operands[1], lambda number: number == 0)
    )


def _compares(value: Any, way: str, operands: tuple[Any, Any]) -> bool:
    test = defined_by(value)
    if test is None or test.name != "stablehlo.compare" or way not in str(test.attributes["comparison_direction"]):
        return False
    return all(wanted is None or given == wanted for given, wanted in zip(test.operands, operands, strict=True))


def _is_constant(value: Any, holds: Callable[[float], bool]) -> bool:
    made = defined_by(value)
    if made is None or made.name != "stablehlo.constant":
        return False
    given = np.array(made.attributes["value"])
    return given.size == 1 and holds(float(given.reshape(-1)[0]))


# Linear algebra: by the LAPACK that JAX calls, one matrix of a batch after the other.


def _triangular_solve(operation: Any) -> _Function:
    left, lower, unit = (_is_true(operation, name) for name in ("left_side", "lower", "unit_diagonal"))
    transpose = re.search(r"\b(NO_TRANSPOSE|TRANSPOSE|ADJOINT)\b", str(operation.attributes["transpose_a"]))
    if transpose is None:
        raise NotInterpretedError("a triangular solve")
    return _trsm(operation, left, lower, ("NO_TRANSPOSE", "TRANSPOSE", "ADJOINT").index(transpose[1]), unit)


def _trsm(operation: Any, left: bool, lower: bool, transpose: int, unit: bool) -> _Function:
    from scipy.linalg import blas

    trsm: Any = getattr(blas, f"{_letter(operation)}trsm")

    def solve(a: Array, b: Array) -> Array:
        return (trsm(1.0, a, b, side=int(not left), lower=int(lower), trans_a=transpose, diag=int(unit)),)

    return _batched(operation, solve)


def _letter(operation: Any) -> str:
    kinds = {np.float64: "d", np.float32: "s", np.complex128: "z", np.complex64: "c"}
    return kinds.get(_dtype_of(operation.operands[0]).type, "d")


def _batched(operation: Any, function: _Function) -> _Function:
    """`function` of single matrices or vectors, for all those of a batch.

    What each operand and result has in its last axes the signature of the routine says: two but for vectors (of
    pivots, of singular values), which have one, and for whether it succeeded, which is one number.
    """
    batch = operation.operands[0].shape[:-2]
    shapes = [result.shape for result in operation.results]
    dtypes = [_dtype_of(result) for result in operation.results]
    given = [operand.shape[len(batch) :] for operand in operation.operands]
    if 0 in (length for value in (*operation.operands, *operation.results) for length in value.shape):
        raise NotInterpretedError("a matrix without entries")

    def run(*operands: Array) -> Any:
        results = [np.empty(shape, dtype) for shape, dtype in zip(shapes, dtypes, strict=True)]
        stacks = [np.reshape(a, (-1, *shape)) for a, shape in zip(operands, given, strict=True)]
        flat = [result.reshape(-1, *result.shape[len(batch) :]) for result in results]
        for index in range(len(stacks[0])):
            for result, value in zip(flat, function(*(stack[index] for stack in stacks)), strict=True):
                if np.shape(value) != result.shape[1:]:
                    raise NotInterpretedError("a routine with another result")
                result[index] = value
        return results[0] if len(results) == 1 else results

    return run


def _custom_call(operation: Any) -> _Function:
    target = symbol(operation.attributes["call_target_name"])
    name = re.fullmatch(r"lapack_[sdcz](getrf|geqrf|orgqr|ungqr|potrf|gesdd|syevd|heevd|trsm)_ffi", target)
    if name is None:
        raise NotInterpretedError(target)
    return _ROUTINES[name[1]](operation)


def _option(operation: Any, name: str) -> str:
    """An option of a routine: the letter that it is given as."""
    found = re.search(rf"\b{name} = (\d+) : ui8\b", str(attribute_of(operation, "mhlo.backend_config")))
    if found is None:
        raise NotInterpretedError(f"a routine without {name}")
    return chr(int(found[1]))


def _lapack(operation: Any, routine: str) -> Any:
    from scipy.linalg import lapack

    return getattr(lapack, _letter(operation) + routine)


def _getrf(operation: Any) -> _Function:
    getrf = _lapack(operation, "getrf")

    def factors(a: Array) -> Any:
        lu, pivots, info = getrf(a)
        return lu, pivots + 1, info  # SciPy counts from 0, LAPACK from 1

    return _batched(operation, factors)


def _geqrf(operation: Any) -> _Function:
    geqrf = _lapack(operation, "geqrf")

    def factors(a: Array) -> Any:
        qr, tau, _, info = geqrf(a)
        _succeeded(info)
        return qr, tau

    return _batched(operation, factors)


def _orgqr(operation: Any) -> _Function:
    routine = _lapack(operation, "orgqr" if _dtype_of(operation.operands[0]).kind == "f" else "ungqr")

    def formed(a: Array, tau: Array) -> Any:
        q, _, info = routine(a, tau)
        _succeeded(info)
        return (q,)

    return _batched(operation, formed)


def _potrf(operation: Any) -> _Function:
    potrf = _lapack(operation, "potrf")
    lower = _option(operation, "uplo") == "L"
    return _batched(operation, lambda a: potrf(a, lower=lower, clean=False))


def _gesdd(operation: Any) -> _Function:
    gesdd = _lapack(operation, "gesdd")
    mode = _option(operation, "mode")
    shapes = [result.shape[len(operation.operands[0].shape) - 2 :] for result in operation.results]

    def factors(a: Array) -> Any:
        u, s, vt, info = gesdd(a, compute_uv=mode != "N", full_matrices=mode == "A")
        _succeeded(info)
        if mode == "N":  # nothing may read them
            u, vt = np.zeros(shapes[2], u.dtype), np.zeros(shapes[3], vt.dtype)
        return a, s, u, vt, info

    return _batched(operation, factors)


def _syevd(operation: Any) -> _Function:
    routine = _lapack(operation, "syevd" if _dtype_of(operation.operands[0]).kind == "f" else "heevd")
    lower = _option(operation, "uplo") == "L"
    if _option(operation, "mode") != "V":
        raise NotInterpretedError("eigenvalues alone")

    def factors(a: Array) -> Any:
        values, vectors, info = routine(a, compute_v=True, lower=lower)
        _succeeded(info)
        return vectors, values, info

    return _batched(operation, factors)


def _trsm_call(operation: Any) -> _Function:
    if len(operation.operands) != 2:  # older versions hand over a factor as well
        raise NotInterpretedError("a triangular solve with a factor")
    side, uplo, trans, diag = (_option(operation, name) for name in ("side", "uplo", "trans_x", "diag"))
    return _trsm(operation, side == "L", uplo == "L", "NTC".index(trans), diag == "U")


def _succeeded(info: int) -> None:
    """What LAPACK leaves where it did not succeed is not the same everywhere."""
    if info != 0:
        raise NotInterpretedError("a factorisation that failed")


_ROUTINES: dict[str, Callable[[Any], _Function]] = {
    "getrf": _getrf, "geqrf": _geqrf, "orgqr": _orgqr, "ungqr": _orgqr, "potrf": _potrf, "gesdd": _gesdd,
    "syevd": _syevd, "heevd": _syevd, "trsm": _trsm_call,
}  # fmt: skip
_MAKERS: dict[str, Callable[[Any], _Function]] = {
    "bitcast_convert": _bitcast, "broadcast_in_dim": _broadcast_in_dim, "compare": _compare, "complex": _complex,
    "concatenate": _concatenate, "constant": _constant, "convert": _convert, "custom_call": _custom_call,
    "dot_general": _dot_general, "dynamic_slice": _dynamic_slice, "dynamic_update_slice": _dynamic_update_slice,
    "gather": _gather, "iota": _iota, "pad": _pad, "reduce": _reduce, "reduce_precision": _reduce_precision,
    "reshape": _reshape, "reverse": _reverse, "scatter": _scatter, "slice": _slice, "sort": _sort,
    "transpose": _transpose, "triangular_solve": _triangular_solve,
}  # fmt: skip

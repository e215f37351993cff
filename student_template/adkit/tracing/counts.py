"""Exact counts of linear algebra in a traced function: factorisations, triangular solves, matrix products.

The function is given as a StableHLO module, the form in which JAX hands it to the compiler. Counted is what
one evaluation *executes*, and only what its results need:

- along the call graph: a function that is called twice counts twice, though it stands once in the module;
- a loop counts its body as often as it runs, when its bounds are constants (`lax.scan`, `fori_loop`);
- of the branches of a `cond` or `switch`, the largest counts (for each number on its own);
- an operation whose result nothing needs counts nothing, as the compiler drops it;
- a batched operation (under `vmap`) is one execution, on several matrices.

Beside the work stands the memory that it asks for at once (`adkit.tracing.memory`).

Nothing here depends on the compiler or on the machine: the counts come out the same on every version of JAX.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from adkit.tracing.memory import peak_of
from adkit.tracing.stablehlo import (
    WorkError,
    attribute_of,
    body_of,
    callee_of,
    defined_by,
    elements_of,
    functions_of,
    has_side_effect,
    parse,
    read,
    symbol,
    terminator_of,
)

__all__ = ["KINDS", "Work", "WorkError", "count", "parse"]

KINDS = ("lu", "qr", "cholesky", "svd", "eig")

_ROUTINES = {
    "getrf": "lu", "geqrf": "qr", "geqp3": "qr", "potrf": "cholesky", "gesdd": "svd", "gesvd": "svd",
    "gesvdj": "svd", "syevd": "eig", "heevd": "eig", "geev": "eig", "gees": "eig", "gehrd": "eig",
    "sytrd": "eig", "hetrd": "eig", "LuDecomposition": "lu", "Qr": "qr", "Eigh": "eig",
}  # fmt: skip
_LAPACK = re.compile(r"(?:lapack|blas)_[sdcz](\w+?)(?:_ffi)?")
_SIDE_RIGHT = ord("R")
MARK = (11, 52)
"""A rounding to the exponent and mantissa bits that a 64-bit float has: it changes nothing, and nobody else does it."""
_BUDGET = 1_000_000
"""Operations looked at in one count; far above any honest module (a few thousand)."""
_ADDED = ("factorizations", "matrices", "solve_columns", "products", "matrix_products", "multiplications", "marked")
"""The counts of `Work` that are sums, of one evaluation after the other as of the turns of a loop."""
_CAP = 2**53
"""Counts are capped here, so that they stay exact in any number format."""


@dataclass(frozen=True)
class Work:
    """What one evaluation executes.

    `factorizations`  matrix factorisations, all kinds together; `by_kind` the same by kind: `lu`, `qr`,
                      `cholesky`, `svd`, `eig` (always all five keys).
    `solve_columns`   right-hand-side columns that went through a triangular solve. `solve(A, b)` with b of
                      shape (n, k) is 2k: L, then U. Forming the inverse of an n x n matrix is 2n.
    `products`        products (`dot_general`, convolutions): each execution is one, batched or not.
    `matrix_products` those of them in which neither factor is a vector.
    `largest`         number of elements of the largest value computed (inputs not included).
    `unbounded`       True if counted work, or a multiplication of floating-point numbers, stands in a loop whose
                      number of turns is not a constant; that loop's body is then counted once.
    `matrices`        factorised matrices: as `factorizations`, but a batch of k counts k.
    `multiplications` multiplications and divisions of floating-point numbers, in matrix products, convolutions and
                      entry by entry; none of those inside factorisations and triangular solves. It tells what a
                      triangular solve costs that is written out in loops.
    `peak`            numbers in memory at a time, at most: the peak of live arrays, arguments not counted;
    `peak_bytes`      the same in bytes.
    `marked`          numbers that pass the mark of `adkit.functions.Marked`.
    """

    factorizations: int
    by_kind: dict[str, int]
    solve_columns: int
    products: int
    largest: int
    unbounded: bool = False
    matrices: int = 0
    multiplications: int = 0
    peak: int = 0
    peak_bytes: int = 0
    matrix_products: int = 0
    marked: int = 0

    def __add__(self, other: Work) -> Work:
        """The work of two evaluations, one after the other."""
        return Work(
            by_kind={kind: self.by_kind[kind] + other.by_kind[kind] for kind in KINDS},
            unbounded=self.unbounded or other.unbounded,
            **{name: getattr(self, name) + getattr(other, name) for name in _ADDED},
            **{name: max(getattr(self, name), getattr(other, name)) for name in ("largest", "peak", "peak_bytes")},
        )


def count(module: Any, own: Iterable[int] = ()) -> Work:
    """Count the work of one evaluation of `module`'s `main`, and its peak of live arrays.

    own: indices of the arguments that are the program's own, which it gives up after their last use: they count as
    live arrays, the caller's other arguments do not.

    `module` is what `adkit.tracing.stablehlo.read` gives, a `jax.export.Exported`, the bytes of a serialized one, the
    bytes of a StableHLO portable artefact, MLIR text, or an MLIR module. Raises `WorkError` if it cannot be counted.
    """
    parsed, own = read(module), set(own)
    kept = parsed.module_kept_var_idx
    if kept is not None:  # a `jax.export.Exported`: arguments that it ignores are none of the module's
        own = {place for place, index in enumerate(kept) if index in own}
    peak = peak_of(parsed, own)
    work = _Counter(parsed).main()
    return replace(work, peak=min(peak.numbers, _CAP), peak_bytes=min(peak.bytes, _CAP))


@dataclass
class _Tally:
    """Counts in the making."""

    by_kind: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    factorizations: int = 0
    matrices: int = 0
    solve_columns: int = 0
    products: int = 0
    matrix_products: int = 0
    multiplications: int = 0
    marked: int = 0
    largest: int = 0
    unbounded: bool = False

    def add(self, other: _Tally, times: int = 1) -> None:
        for kind in KINDS:
            self.by_kind[kind] += times * other.by_kind[kind]
        for name in _ADDED:
            setattr(self, name, getattr(self, name) + times * getattr(other, name))
        if times:
            self.largest = max(self.largest, other.largest)
            self.unbounded |= other.unbounded

    def largest_of(self, other: _Tally) -> None:
        for kind in KINDS:
            self.by_kind[kind] = max(self.by_kind[kind], other.by_kind[kind])
        for name in (*_ADDED, "largest"):
            setattr(self, name, max(getattr(self, name), getattr(other, name)))
        self.unbounded |= other.unbounded

    @property
    def counted(self) -> bool:
        return bool(self.factorizations or self.solve_columns or self.products or self.marked)


@dataclass
class _Frame:
    """One function, seen from one kind of call: which values are needed, which integers are known."""

    live: set[Any]
    known: dict[Any, int | None]


class _Counter:
    """Walks backwards from the results of `main`, so that only what they need is seen."""

    def __init__(self, module: Any) -> None:
        self._functions = functions_of(module)
        self._seen: dict[Any, tuple[_Tally, frozenset[int]]] = {}
        self._calling: set[str] = set()
        self._budget = _BUDGET

    def main(self) -> Work:
        main = self._functions.get("main")
        if main is None:
            raise WorkError("the module has no function main")
        results = range(len(terminator_of(body_of(main)).operands))
        tally, _ = self._function("main", frozenset(results), ())
        return Work(
            by_kind={kind: min(number, _CAP) for kind, number in tally.by_kind.items()},
            unbounded=tally.unbounded,
            **{name: min(getattr(tally, name), _CAP) for name in (*_ADDED, "largest")},
        )

    def _function(
        self, name: str, wanted: frozenset[int], arguments: tuple[tuple[int, int], ...]
    ) -> tuple[_Tally, frozenset[int]]:
        """Work of a call whose results `wanted` are needed, and the indices of the arguments they need."""
        key = (name, wanted, arguments)
        if key in self._seen:
            return self._seen[key]
        if name in self._calling:
            raise WorkError(f"{name} calls itself")
        if name not in self._functions:
            raise WorkError(f"a function {name} is called that does not exist")
        self._calling.add(name)
        body = body_of(self._functions[name])
        frame = _Frame(set(), {body.arguments[i]: number for i, number in arguments})
        tally = self._block(body, wanted, frame)
        needed = frozenset(i for i, argument in enumerate(body.arguments) if argument in frame.live)
        self._calling.remove(name)
        self._seen[key] = tally, needed
        return tally, needed

    def _block(self, block: Any, wanted: Iterable[int], frame: _Frame) -> _Tally:
        operations = block.operations
        self._budget -= len(operations)
        if self._budget < 0:
            raise WorkError("the module is too large to be counted")
        returned = list(operations[-1].operands)
        frame.live.update(returned[i] for i in wanted)
        tally = _Tally()
        for operation in reversed(operations[:-1]):
            results = list(operation.results)
            needed = [i for i, result in enumerate(results) if result in frame.live]
            if needed or (not results) or has_side_effect(operation):
                for result in results:
                    tally.largest = max(tally.largest, elements_of(result))
                self._operation(operation, needed, tally, frame)
        return tally

    def _operation(self, operation: Any, needed: list[int], tally: _Tally, frame: _Frame) -> None:
        name = operation.name
        callee = callee_of(operation)
        if callee is not None:
            self._call(callee, operation, needed, tally, frame)
        elif name == "stablehlo.while":
            self._loop(operation, needed, tally, frame)
        elif name in ("stablehlo.case", "stablehlo.if"):
            branches = _Tally()
            for region in operation.regions:
                branches.largest_of(self._block(region.blocks[0], needed, frame))
            tally.add(branches)
            frame.live.add(operation.operands[0])
        elif name == "stablehlo.optimization_barrier":
            frame.live.update(operation.operands[i] for i in needed)
        else:
            frame.live.update(operation.operands)
            for region in operation.regions:  # the scalar function of a reduction, a sort, a scatter
                for block in region.blocks:
                    inner = self._block(block, range(len(terminator_of(block).operands)), frame)
                    inner.unbounded |= inner.counted
                    inner.multiplications *= _times_applied(operation)
                    tally.add(inner)
            _count_operation(operation, tally)

    def _call(self, name: str, operation: Any, needed: list[int], tally: _Tally, frame: _Frame) -> None:
        operands = list(operation.operands)
        numbers = ((i, _integer(operand, frame)) for i, operand in enumerate(operands))
        known = tuple((i, number) for i, number in numbers if number is not None)
        inner, arguments = self._function(name, frozenset(needed), known)
        tally.add(inner)
        frame.live.update(operands[i] for i in arguments)

    def _loop(self, operation: Any, needed: list[int], tally: _Tally, frame: _Frame) -> None:
        condition, body = (region.blocks[0] for region in operation.regions)
        carried = list(operation.operands)
        returned = list(terminator_of(body).operands)
        for i, start in enumerate(carried):
            if returned[i] == body.arguments[i]:  # the loop passes it on unchanged
                number = _integer(start, frame)
                frame.known[condition.arguments[i]] = frame.known[body.arguments[i]] = number
        test = self._block(condition, (0,), frame)
        wanted = set(needed) | {i for i, a in enumerate(condition.arguments) if a in frame.live}
        while True:
            turn = self._block(body, wanted, frame)
            more = {i for i, a in enumerate(body.arguments) if a in frame.live} - wanted
            if not more:
                break
            wanted |= more
        frame.live.update(carried[i] for i in wanted)
        turns = _trip_count(operation, frame)
        if turns is None:
            turn.unbounded |= any(t.counted or t.multiplications for t in (turn, test))
            turns = 1
        tally.add(turn, turns)
        tally.add(test, turns + 1)


def _times_applied(operation: Any) -> int:
    """How often the scalar function of a reduction, a sort, a scatter is applied, about; not less often."""
    entries = max(elements_of(value) for value in (*operation.operands, *operation.results))
    if operation.name == "stablehlo.sort":
        return entries * entries.bit_length()
    if operation.name in ("stablehlo.reduce_window", "stablehlo.select_and_scatter"):
        window = attribute_of(operation, "window_dimensions")
        return entries * (math.prod(int(size) for size in window) if window is not None else 1)
    return entries


def _count_operation(operation: Any, tally: _Tally) -> None:
    """Add what one execution of an operation without functions of its own does."""
    name = operation.name
    if name in ("stablehlo.dot_general", "stablehlo.dot", "stablehlo.convolution"):
        tally.products += 1
        tally.matrix_products += _of_matrices(operation)
        tally.multiplications += _in_product(operation)
    elif name in ("stablehlo.multiply", "stablehlo.divide"):
        tally.multiplications += 0 if _integer_width(operation.results[0]) else elements_of(operation.results[0])
    elif name == "stablehlo.reduce_precision":
        bits = (int(operation.attributes[which]) for which in ("exponent_bits", "mantissa_bits"))
        tally.marked += elements_of(operation.results[0]) if tuple(bits) == MARK else 0
    elif name == "stablehlo.cholesky":
        _count_factorization("cholesky", operation, tally)
    elif name == "stablehlo.triangular_solve":
        left = "true" in str(operation.attributes["left_side"])
        tally.solve_columns += _columns(operation.operands[1], left)
    elif name == "stablehlo.custom_call":
        target = symbol(operation.attributes["call_target_name"])
        lapack = _LAPACK.fullmatch(target)
        routine = lapack.group(1) if lapack else target
        if routine in _ROUTINES:
            _count_factorization(_ROUTINES[routine], operation, tally)
        elif routine == "trsm":
            tally.solve_columns += _columns(operation.operands[1], not _is_right_sided(operation))
        elif routine == "gtsv":
            tally.solve_columns += _columns(operation.operands[-1], left=True)


def _count_factorization(kind: str, operation: Any, tally: _Tally) -> None:
    tally.by_kind[kind] += 1
    tally.factorizations += 1
    tally.matrices += math.prod(operation.operands[0].shape[:-2])


def _in_product(operation: Any) -> int:
    """Multiplications in a matrix product: the numbers in its result times what each is a sum of."""
    from jaxlib.mlir.dialects import stablehlo

    shape = operation.operands[0].shape
    if operation.name == "stablehlo.dot_general":
        dimensions = stablehlo.DotDimensionNumbers(operation.attributes["dot_dimension_numbers"])
        summed = math.prod(shape[i] for i in dimensions.lhs_contracting_dimensions)
    elif operation.name == "stablehlo.dot":
        summed = shape[-1]
    else:
        dimensions = stablehlo.ConvDimensionNumbers(operation.attributes["dimension_numbers"])
        kernel = operation.operands[1].shape
        summed = math.prod(kernel) // max(kernel[dimensions.kernel_output_feature_dimension], 1)
    return elements_of(operation.results[0]) * summed


def _of_matrices(product: Any) -> bool:
    """Whether both factors have rows and columns: an axis that is summed over, and another one."""
    from jaxlib.mlir.dialects import stablehlo

    if product.name != "stablehlo.dot_general":
        return True
    dimensions = stablehlo.DotDimensionNumbers(product.attributes["dot_dimension_numbers"])
    left, right = (operand.shape for operand in product.operands)
    rows = (*dimensions.lhs_contracting_dimensions, *dimensions.lhs_batching_dimensions)
    columns = (*dimensions.rhs_contracting_dimensions, *dimensions.rhs_batching_dimensions)
    free = (
        math.prod(size for i, size in enumerate(left) if i not in rows),
        math.prod(size for i, size in enumerate(right) if i not in columns),
    )
    return min(free) > 1


def _columns(right_hand_side: Any, left: bool) -> int:
    """Right-hand sides in B of shape (..., n, k): A X = B has k for each matrix, X A = B has n."""
    shape = right_hand_side.shape
    if len(shape) < 2:
        return 1
    return math.prod(shape[:-2]) * (shape[-1] if left else shape[-2])


def _is_right_sided(operation: Any) -> bool:
    config = attribute_of(operation, "mhlo.backend_config") or attribute_of(operation, "backend_config")
    try:
        return int(config["side"].value) == _SIDE_RIGHT
    except (TypeError, KeyError, AttributeError, ValueError):
        return False


def _trip_count(loop: Any, frame: _Frame) -> int | None:
    """How often the body of a counted loop runs: `i` starts at a constant, a constant is added to it in each
    turn, and the loop goes on as long as it compares so with a constant. None for any other loop."""
    condition, body = (region.blocks[0] for region in loop.regions)
    test = defined_by(terminator_of(condition).operands[0])
    if test is None or test.name != "stablehlo.compare":
        return None
    direction = re.search(r"\b(LT|LE|GT|GE|NE|EQ)\b", str(test.attributes["comparison_direction"]))
    arguments = list(condition.arguments)
    left, right = test.operands
    way = direction.group(1) if direction else ""
    if right in arguments and left not in arguments:
        left, right = right, left
        way = {"LT": "GT", "GT": "LT", "LE": "GE", "GE": "LE"}.get(way, way)
    if left not in arguments:
        return None
    index = arguments.index(left)
    limit, start = _integer(right, frame), _integer(loop.operands[index], frame)
    update = defined_by(terminator_of(body).operands[index])
    counter = body.arguments[index]
    if limit is None or start is None or update is None:
        return None
    step = None
    if update.name == "stablehlo.add" and counter in list(update.operands):
        first, second = update.operands
        step = _integer(second if first == counter else first, frame)
    elif update.name == "stablehlo.subtract" and update.operands[0] == counter:
        step = _integer(update.operands[1], frame)
        step = -step if step is not None else None
    if not step:
        return None
    if way in ("LT", "LE") and step > 0:
        turns = -((start - limit - (way == "LE")) // step)
    elif way in ("GT", "GE") and step < 0:
        turns = -((limit - start - (way == "GE")) // -step)
    elif way == "NE" and (limit - start) % step == 0 and (limit - start) // step >= 0:
        turns = (limit - start) // step
    else:
        return None
    turns = max(turns, 0)
    return turns if _fits(start + turns * step, counter) else None


def _integer(value: Any, frame: _Frame, depth: int = 0) -> int | None:
    """The integer that a scalar is known to be, else None."""
    if value in frame.known:
        return frame.known[value]
    number = None
    operation = defined_by(value)
    if operation is not None and depth < 16 and elements_of(value) == 1 and _integer_width(value):
        operands = list(operation.operands)
        if operation.name == "stablehlo.constant":
            number = _splat(operation.attributes["value"])
        elif operation.name in ("stablehlo.convert", "stablehlo.reshape", "stablehlo.broadcast_in_dim"):
            number = _integer(operands[0], frame, depth + 1)
        elif operation.name in ("stablehlo.add", "stablehlo.subtract", "stablehlo.multiply"):
            a, b = (_integer(operand, frame, depth + 1) for operand in operands)
            if a is not None and b is not None:
                kind = operation.name.removeprefix("stablehlo.")
                number = a + b if kind == "add" else a - b if kind == "subtract" else a * b
    if number is not None and not _fits(number, value):
        number = None
    frame.known[value] = number
    return number


def _splat(attribute: Any) -> int | None:
    import numpy as np

    try:
        numbers = np.asarray(attribute)
    except Exception:  # an element type without a NumPy counterpart
        return None
    return int(numbers.reshape(-1)[0]) if numbers.size == 1 and numbers.dtype.kind in "iu" else None


def _integer_width(value: Any) -> int:
    """Bits of a value's integer element type, negative if unsigned; 0 if it is not an integer type."""
    element = re.fullmatch(r"(u?)i(\d+)", value.element)
    if element is None:
        return 0
    return -int(element.group(2)) if element.group(1) else int(element.group(2))


def _fits(number: int, value: Any) -> bool:
    bits = _integer_width(value)
    return 0 <= number < 2**-bits if bits < 0 else -(2 ** (bits - 1)) <= number < 2 ** (bits - 1)

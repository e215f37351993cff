"""StableHLO modules, the form in which JAX hands a traced function to the compiler: read, and looked at.

A module is functions, a function is a block of operations, and an operation has operands, results, attributes and
sometimes regions: blocks of its own, the branches of a `cond` or the body of a loop.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from adkit.tracing.contexts import context


class WorkError(ValueError):
    """The module cannot be counted: it is no StableHLO, is recursive, or is too large."""


def parse(module: Any) -> Any:
    """The MLIR module in `module` (see `counts.count`). Raises `WorkError`."""
    from jax import export
    from jaxlib.mlir import ir
    from jaxlib.mlir.dialects import stablehlo

    if isinstance(module, ir.Module):
        return module
    if isinstance(module, bytes | bytearray) and bytes(module[:4]) != b"ML\xefR":
        module = export.deserialize(bytearray(module))
    if isinstance(module, export.Exported):
        module = module.mlir_module_serialized
    where = context()
    try:
        if isinstance(module, str):
            with where:
                return ir.Module.parse(module)  # pyright: ignore[reportUnknownMemberType]
        return stablehlo.deserialize_portable_artifact(where, bytes(module))
    except Exception as error:
        raise WorkError(f"this is not a StableHLO module: {str(error)[:200]}") from None


_TENSOR = re.compile(r"tensor<((?:\d+x)*)([a-z]+\d+(?:E\w+)?|complex<f\d+>)>")


class Value:
    """An array of a program: its type as MLIR writes it, its shape, its element type, and where it comes from."""

    __slots__ = ("element", "owner", "shape", "type")

    def __init__(self, kind: str, owner: Any) -> None:
        self.type = kind
        self.owner = owner
        """The operation that computes it, or the block whose argument it is."""
        self.shape, self.element = _array_type(kind)


class Operation:
    """An operation as `read` found it: what is looked at again and again, without the bindings of MLIR in between."""

    __slots__ = ("name", "operands", "raw", "regions", "results")

    def __init__(self, raw: Any, operands: Sequence[Value], results: Sequence[str]) -> None:
        self.raw = raw
        self.name: str = raw.name
        self.operands = operands
        self.results = [Value(kind, self) for kind in results]
        self.regions: list[Region] = []

    @property
    def attributes(self) -> Any:
        return self.raw.attributes

    def __str__(self) -> str:
        return str(self.raw)


class Block:
    """A block: its arguments and its operations, of which the last one returns the results."""

    __slots__ = ("arguments", "operations", "owner")

    def __init__(self, owner: Operation | None) -> None:
        self.owner = owner
        self.arguments: list[Value] = []
        self.operations: list[Operation] = []


class Region:
    __slots__ = ("blocks",)

    def __init__(self) -> None:
        self.blocks: list[Block] = []


class Module:
    """A module as `read` found it, and of the export it stands in what is needed to run it.

    exported: the `jax.export.Exported` that it stands in; None where it stands in none.
    module_kept_var_idx: which of the function's arguments are the module's; None where nothing says so.
    out_avals: shapes and dtypes of the results that the export promises; None where nothing says so.
    """

    def __init__(self, parsed: Any, exported: Any = None) -> None:
        self.raw = parsed  # its operations do not keep it alive
        self.exported: Any = exported if hasattr(exported, "module_kept_var_idx") else None
        self.module_kept_var_idx: tuple[int, ...] | None = getattr(exported, "module_kept_var_idx", None)
        self.out_avals: Sequence[Any] | None = getattr(exported, "out_avals", None)
        self.body = _Reader().block(parsed.body, None)


class _Reader:
    def __init__(self) -> None:
        self._known: dict[Any, Value] = {}
        self._kinds: dict[Any, str] = {}

    def block(self, raw: Any, owner: Operation | None) -> Block:
        block = Block(owner)
        known = self._known
        for argument in raw.arguments:
            known[argument] = value = Value(self._kind(argument), block)
            block.arguments.append(value)
        for entry in raw.operations:
            inner = entry.operation
            results = list(inner.results)
            # in a module that is well-formed each value is met where it is defined before it is used
            operation = Operation(
                inner, [known[operand] for operand in inner.operands], [self._kind(result) for result in results]
            )
            known.update(zip(results, operation.results, strict=True))
            for each in inner.regions:
                region = Region()
                region.blocks = [self.block(piece, operation) for piece in each.blocks]
                operation.regions.append(region)
            block.operations.append(operation)
        return block

    def _kind(self, value: Any) -> str:
        """The type of a value as text, which takes MLIR longest."""
        kind = value.type
        text = self._kinds.get(kind)
        if text is None:
            text = self._kinds[kind] = str(kind)
        return text


def read(module: Any, parsed: Any = None) -> Module:
    """Whatever `parse` takes, as plain objects. Raises `WorkError`.

    parsed: what `parse` has made of it, where that is known.
    """
    if isinstance(module, Module):
        return module
    parsed = parse(module) if parsed is None else parsed
    try:
        return Module(parsed, module)
    except (KeyError, RecursionError):
        raise WorkError("the module is malformed: a value is used before it is computed, or it is too deep") from None


@cache
def _array_type(text: str) -> tuple[tuple[int, ...], str]:
    """Shape and element type of a tensor of fixed size; of anything else (), and its type as it is."""
    found = _TENSOR.fullmatch(text)
    if found is None:
        return (), text
    return tuple(int(length) for length in found[1].split("x")[:-1]), found[2]


def defined_by(value: Any) -> Any:
    """The operation that computes a value; None for an argument of a block."""
    return value.owner if isinstance(value.owner, Operation) else None


def elements_of(value: Value) -> int:
    return math.prod(value.shape)


def functions_of(module: Any) -> dict[str, Any]:
    """The functions of a module, by name."""
    return {symbol(each.attributes["sym_name"]): each for each in module.body.operations if each.name == "func.func"}


def callee_of(operation: Any) -> str | None:
    """The function that an operation calls; None for an operation that calls none."""
    match operation.name:
        case "func.call":
            return symbol(operation.attributes["callee"])
        case "stablehlo.composite":
            return symbol(operation.attributes["decomposition"])
        case _:
            return None


def body_of(function: Any) -> Any:
    """The block of a function. Raises `WorkError` if it has none."""
    blocks = list(function.regions[0].blocks)
    if not blocks:
        raise WorkError(f"{symbol(function.attributes['sym_name'])} is declared but not defined")
    return blocks[0]


def terminator_of(block: Any) -> Any:
    """The last operation of a block: it returns the results."""
    return block.operations[-1]


def attribute_of(operation: Any, name: str) -> Any:
    return operation.attributes[name] if name in operation.attributes else None  # noqa: SIM401 (no mapping)


def has_side_effect(operation: Any) -> bool:
    return "true" in str(attribute_of(operation, "has_side_effect"))


def symbol(attribute: Any) -> str:
    """What a name attribute says: the function that is called, a routine."""
    return str(attribute.value)

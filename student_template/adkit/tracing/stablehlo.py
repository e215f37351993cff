"""StableHLO modules, the form in which JAX hands a traced function to the compiler: read, and looked at.

A module is functions, a function is a block of operations, and an operation has operands, results, attributes and
sometimes regions: blocks of its own, the branches of a `cond` or the body of a loop.
"""

from __future__ import annotations

import math
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


def defined_by(value: Any) -> Any:
    """The operation that computes a value; None for an argument of a block."""
    owner = value.owner
    return owner.operation if hasattr(owner, "operation") else (owner if hasattr(owner, "operands") else None)


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of a tensor; of a token or a tuple, ()."""
    from jaxlib.mlir import ir

    try:
        return tuple(ir.RankedTensorType(value.type).shape)
    except ValueError:  # a token or a tuple
        return ()


def elements_of(value: Any) -> int:
    return math.prod(shape_of(value))


def functions_of(module: Any) -> dict[str, Any]:
    """The functions of a module, by name."""
    operations = (operation.operation for operation in module.body.operations)
    return {symbol(each.attributes["sym_name"]): each for each in operations if each.name == "func.func"}


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
    return list(block.operations)[-1].operation


def attribute_of(operation: Any, name: str) -> Any:
    return operation.attributes[name] if name in operation.attributes else None  # noqa: SIM401 (no mapping)


def has_side_effect(operation: Any) -> bool:
    return "true" in str(attribute_of(operation, "has_side_effect"))


def symbol(attribute: Any) -> str:
    """What a name attribute says: the function that is called, a routine."""
    return str(attribute.value)

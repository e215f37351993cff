"""Reading MLIR as the bindings of different versions of jaxlib give it: types, attributes, where a value comes from."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_ARRAY = re.compile(r"tensor<((?:\d+x)*)(i1|u?i(?:8|16|32|64)|b?f16|f32|f64|complex<f(?:32|64)>)>")


@cache
def array_type(text: str) -> tuple[tuple[int, ...], str] | None:
    """(lengths, element type) of an array's type as MLIR prints it, `tensor<2x3xf64>`; None for any other type.

    No array here: one whose lengths are not fixed, one with an encoding, elements that are not numbers of 1, 2, 4, 8 or
    16 bytes or truth values.
    """
    match = _ARRAY.fullmatch(text)
    if match is None:
        return None
    return tuple(int(length) for length in match[1].split("x")[:-1]), match[2]


def array_of(value: Any) -> tuple[tuple[int, ...], str] | None:
    """(lengths, element type) of a value, as `array_type`."""
    return array_type(str(value.type))


def attribute_names(operation: Any) -> list[str]:
    """The names of an operation's attributes. Older bindings give pairs, newer ones names."""
    return [entry if isinstance(entry, str) else entry.name for entry in operation.attributes]


def attribute_texts(operation: Any) -> str:
    """An operation's attributes as text, in one order."""
    return ", ".join(f"{name} = {operation.attributes[name]}" for name in sorted(attribute_names(operation)))


def dictionary(operation: Any, name: str) -> dict[str, Any]:
    """The attributes in an attribute that is a dictionary; none where there is no such attribute."""
    from jaxlib.mlir import ir

    if name not in attribute_names(operation):
        return {}
    entries = ir.DictAttr(operation.attributes[name])
    names = [entry if isinstance(entry, str) else entry.name for entry in entries]
    return {key: entries[key] for key in names}


def maker(value: Any) -> Any:
    """The operation whose result a value is; None for an argument of a block."""
    return getattr(value.owner, "operation", None)

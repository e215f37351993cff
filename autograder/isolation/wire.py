"""The arguments of a call on their way to a submission: packed as plain data by the grader, rebuilt on the other side.

Graphs, their nodes and the functions of `adkit.functions` cross as named objects of `frames`, made of numbers; any
other function of the test crosses as a number, and calling it asks the grader.
"""

# An argument is whatever a test passes: its parts have no type until the code has looked at them.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.isolation.frames import Object

# ---------------------------------------- trusted: packing


def pack(value: Any, callables: list[Callable[[Any], Any]]) -> Any:
    """An argument of a test as plain data; graphs and functions as objects that the other side rebuilds."""
    if value is None or type(value) in (bool, int, float, complex, str, bytes):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value
    if isinstance(value, list | tuple):
        items = [pack(item, callables) for item in value]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, dict):
        return {key: pack(item, callables) for key, item in value.items()}
    kind = type(value).__name__
    if kind == "Graph":
        nodes = [_node(node) for node in value.nodes]
        return Object("graph", {"nodes": nodes, "inputs": list(value.inputs), "outputs": list(value.outputs)})
    if kind == "Node":
        return Object("node", _node(value))
    if hasattr(value, "as_plain"):  # a function of `adkit.functions`
        return Object("function", value.as_plain())
    if hasattr(value, "__array__"):
        return np.asarray(value)
    if callable(value):
        callables.append(value)
        return Object("callable", len(callables) - 1)
    raise TypeError(f"a test passed an argument of type {kind}, which cannot be sent to a submission")


def blank(packed: Any) -> Any:
    """A packed argument without its values: the same types, structure and shapes, and zeros."""
    if isinstance(packed, Object):
        return Object("function", _blank_function(packed.data)) if packed.kind == "function" else packed
    if isinstance(packed, np.ndarray):
        return np.zeros(packed.shape, packed.dtype)
    if isinstance(packed, list | tuple):
        items = [blank(item) for item in packed]
        return tuple(items) if isinstance(packed, tuple) else items
    if isinstance(packed, dict):
        return {key: blank(item) for key, item in packed.items()}
    return type(packed)() if type(packed) in (bool, int, float, complex) else packed


def _blank_function(data: dict[str, Any]) -> dict[str, Any]:
    inner = {name: _blank_function(part) for name, part in data["functions"].items()}
    return {**data, "arrays": blank(data["arrays"]), "functions": inner}


def _node(node: Any) -> list[Any]:
    return [node.op, [int(i) for i in node.args], None if node.value is None else float(node.value)]


# ---------------------------------------- the submission's process: rebuilding


def rebuilders(call_back: Callable[[int], Any]) -> dict[str, Callable[[Any], Any]]:
    """What makes an object of its data, by the object's name. call_back: the function that has a number."""

    def graph(data: Any) -> Any:
        import adkit

        nodes = [adkit.Node(op, tuple(args), value) for op, args, value in data["nodes"]]
        return adkit.Graph(tuple(nodes), tuple(data["inputs"]), tuple(data["outputs"]))

    def node(data: Any) -> Any:
        import adkit

        return adkit.Node(data[0], tuple(data[1]), data[2])

    def function(data: Any) -> Any:
        from adkit.functions import from_plain

        return from_plain(data)

    return {"graph": graph, "node": node, "function": function, "callable": call_back}

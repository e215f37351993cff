"""The arguments of a call on their way to a submission: packed as plain data by the grader, rebuilt on the other side.

Graphs, their nodes and the functions of `adkit.functions` cross as named objects of `frames`, made of numbers; any
other function of the test crosses as a number, and calling it asks the grader. So does an implementation of reverse
mode, which the grader itself does not run (`autograder.isolation.implementations`).
"""

# An argument is whatever a test passes: its parts have no type until the code has looked at them.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

import math
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
        return Object("graph", _graph(value))
    if kind == "Node":
        return Object("node", _node(value))
    if kind == "Implementation":  # of `adkit.implementations`
        callables.append(value)
        return Object("implementation", len(callables) - 1)
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


def _graph(graph: Any) -> dict[str, Any]:
    """A graph by columns, each an array: one of 20 000 nodes is sent again and again."""
    nodes = graph.nodes
    names = sorted({node.op for node in nodes})
    number = {name: k for k, name in enumerate(names)}
    return {
        "names": names,
        "ops": np.array([number[node.op] for node in nodes], np.int64),
        "counts": np.array([len(node.args) for node in nodes], np.int64),
        "args": np.array([arg for node in nodes for arg in node.args], np.int64),
        # the number of a constant is finite, so that NaN is free to say that there is none
        "values": np.array([math.nan if node.value is None else node.value for node in nodes], np.float64),
        "inputs": list(graph.inputs),
        "outputs": list(graph.outputs),
    }


def _node(node: Any) -> list[Any]:
    return [node.op, [int(i) for i in node.args], None if node.value is None else float(node.value)]


# ---------------------------------------- the submission's process: rebuilding


def rebuilders(
    call_back: Callable[[int], Any], implementation: Callable[[int], Any]
) -> dict[str, Callable[[Any], Any]]:
    """What makes an object of its data, by the object's name.

    call_back, implementation: the function, and the implementation, that has a number.
    """

    def graph(data: Any) -> Any:
        from adkit.graph import rebuilt

        names = data["names"]
        args: list[int] = data["args"].tolist()
        steps: list[tuple[str, tuple[int, ...], float | None]] = []
        at = 0
        for op, count, value in zip(*(data[column].tolist() for column in ("ops", "counts", "values")), strict=True):
            steps.append((names[op], tuple(args[at : at + count]), None if math.isnan(value) else value))
            at += count
        return rebuilt(steps, tuple(data["inputs"]), tuple(data["outputs"]))

    def node(data: Any) -> Any:
        import adkit

        return adkit.Node(data[0], tuple(data[1]), data[2])

    def function(data: Any) -> Any:
        from adkit.functions import from_plain

        return from_plain(data)

    return {"graph": graph, "node": node, "function": function, "callable": call_back, "implementation": implementation}

"""Implementations of reverse mode that `is_right` is graded with, besides the reference and its known mistakes.

Right ones in other styles than the reference's, none of which may be refused; and wrong ones of kinds that are not
among the known mistakes of question 4, because they raise an error or never end there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from adkit.graph import Graph

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda *a: sum(a),
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    **{op: getattr(np, op) for op in ("sin", "cos", "exp", "log", "sqrt", "tanh")},
}


def _slopes(op: str, a: Sequence[Any]) -> Sequence[Any]:
    """The partials, each written in another way than the reference does."""
    table = {
        "add": lambda: [1.0] * len(a),
        "sub": lambda: [1.0, -1.0],
        "mul": lambda: a[::-1],
        "div": lambda: [1.0 / a[1], -(a[0] / a[1]) / a[1]],
        "neg": lambda: [-1.0],
        "sin": lambda: [np.cos(a[0])],
        "cos": lambda: [-np.sin(a[0])],
        "exp": lambda: [np.exp(a[0])],
        "log": lambda: [1.0 / a[0]],
        "sqrt": lambda: [0.5 / np.sqrt(a[0])],
        "tanh": lambda: [1.0 / np.cosh(a[0]) ** 2],
    }
    return table[op]() if op in table else []


def _values(graph: Graph, x: Sequence[Any]) -> list[Any]:
    given = dict(zip(graph.inputs, np.asarray(x, dtype=np.float64), strict=True))
    values: list[Any] = []
    for index, node in enumerate(graph.nodes):
        if node.op == "input":
            values.append(given[index])
        elif node.op == "const":
            values.append(np.float64(node.value))
        else:
            values.append(_FUNCTIONS[node.op](*[values[arg] for arg in node.args]))
    return values


def arrays(graph: Graph, x: Sequence[Any], y_bar: Sequence[Any]) -> tuple[Any, Any]:
    """Arrays; where a function is not defined the answer is NaN or infinite, as NumPy has it, and nothing is raised."""
    with np.errstate(all="ignore"):
        values = _values(graph, x)
        bars = np.zeros(len(graph.nodes))
        for index, bar in zip(graph.outputs, y_bar, strict=True):
            bars[index] += bar
        for index in range(len(graph.nodes) - 1, -1, -1):
            args = graph.nodes[index].args
            for arg, slope in zip(args, _slopes(graph.nodes[index].op, [values[k] for k in args]), strict=True):
                bars[arg] += slope * bars[index]
        y = np.array([values[index] for index in graph.outputs], dtype=np.float64)
        return y, bars[np.array(graph.inputs, dtype=int)]


OWN = "arrays"
"""The one that the grader runs in the place of `jax.vjp`, which raises nothing, either."""


def tuples_of_whole_numbers(graph: Graph, x: Sequence[Any], y_bar: Sequence[Any]) -> tuple[Any, ...]:
    """Tuples, of whole numbers where they are whole."""
    y, x_bar = arrays(graph, x, y_bar)
    return tuple(
        tuple(int(entry) if entry == round(entry) else entry for entry in part.tolist())
        if np.isfinite(part).all()
        else tuple(part.tolist())
        for part in (y, x_bar)
    )


def lists_of_numpy_scalars(graph: Graph, x: Sequence[Any], y_bar: Sequence[Any]) -> list[Any]:
    """A list of two lists of NumPy scalars, pulled from the users of each node: sums in another order."""
    values = _values(graph, x)
    users: list[list[tuple[int, Any]]] = [[] for _ in graph.nodes]
    for index, node in enumerate(graph.nodes):
        for arg, slope in zip(node.args, _slopes(node.op, [values[k] for k in node.args]), strict=True):
            users[arg].append((index, slope))
    if len(y_bar) != len(graph.outputs):
        raise ValueError("one cotangent for each output")
    bars = [np.float64(0.0)] * len(graph.nodes)
    own: dict[int, Any] = {}
    for index, bar in zip(reversed(graph.outputs), reversed(list(y_bar)), strict=True):
        own[index] = own.get(index, 0.0) + bar
    for index in reversed(range(len(graph.nodes))):
        bars[index] = np.float64(sum((bars[user] * slope for user, slope in users[index]), own.get(index, 0.0)))
    return [[values[index] for index in graph.outputs], [bars[index] for index in graph.inputs]]


def only_what_is_needed(graph: Graph, x: Sequence[Any], y_bar: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Evaluates what leads to an output, and no more: elsewhere a function need not be defined. A whole 0 for the rest.

    It takes as many cotangents as there are, and 0 for those that are missing.
    """
    needed = set(graph.outputs)
    for index in reversed(range(len(graph.nodes))):
        if index in needed:
            needed.update(graph.nodes[index].args)
    values: dict[int, float] = {}
    given = dict(zip(graph.inputs, x, strict=True))
    for index in sorted(needed):
        node = graph.nodes[index]
        a = [values[arg] for arg in node.args]
        if node.op == "const":
            values[index] = float(node.value or 0.0)
        elif node.op == "input":
            values[index] = float(given[index])
        elif node.op in ("add", "sub", "mul", "div", "neg"):
            values[index] = float(_FUNCTIONS[node.op](*a))
        else:
            values[index] = getattr(math, node.op)(*a)
    bars: dict[int, float] = {}
    for index, bar in zip(graph.outputs, y_bar, strict=False):
        bars[index] = bars.get(index, 0) + float(bar)
    for index in sorted(needed, reverse=True):
        node = graph.nodes[index]
        for arg, slope in zip(node.args, _slopes(node.op, [values[arg] for arg in node.args]), strict=True):
            bars[arg] = bars.get(arg, 0) + float(slope) * bars.get(index, 0)
    return [values[index] for index in graph.outputs], [bars.get(index, 0) for index in graph.inputs]


def _op_by_op(at_once: str) -> Callable[[Graph, Sequence[Any], Sequence[Any]], tuple[Any, Any]]:
    """Wrong: for the op `at_once` both adjoints are computed before either is stored, so that of a node used twice the
    first is lost."""

    def implementation(graph: Graph, x: Sequence[Any], y_bar: Sequence[Any]) -> tuple[Any, Any]:
        values = _values(graph, x)
        bars = [0.0] * len(graph.nodes)
        for index, bar in zip(graph.outputs, y_bar, strict=True):
            bars[index] += float(bar)
        for index in reversed(range(len(graph.nodes))):
            op, args = graph.nodes[index].op, graph.nodes[index].args
            slopes = _slopes(op, [values[k] for k in args])
            if op == at_once:
                (a, b), (da, db) = args, slopes
                bars[a], bars[b] = bars[a] + bars[index] * da, bars[b] + bars[index] * db
            else:
                for arg, slope in zip(args, slopes, strict=True):
                    bars[arg] += bars[index] * slope
        return [values[index] for index in graph.outputs], [bars[index] for index in graph.inputs]

    return implementation


repeated_factor_lost = _op_by_op("mul")
repeated_term_lost = _op_by_op("sub")
repeated_in_quotient_lost = _op_by_op("div")


def raises_for_unused_inputs(graph: Graph, x: Sequence[Any], y_bar: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Wrong: the adjoints are in a dictionary, and it is asked for inputs that are not there."""
    values = _values(graph, x)
    bars: dict[int, Any] = {}
    for index, bar in zip(graph.outputs, y_bar, strict=True):
        bars[index] = bars.get(index, 0.0) + bar
    for index in reversed(range(len(graph.nodes))):
        args = graph.nodes[index].args
        for arg, slope in zip(args, _slopes(graph.nodes[index].op, [values[k] for k in args]), strict=True):
            bars[arg] = bars.get(arg, 0.0) + slope * bars.get(index, 0.0)
    return [values[index] for index in graph.outputs], [bars[index] for index in graph.inputs]


def follows_every_path(graph: Graph, x: Sequence[Any], y_bar: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Wrong, and exponentially slow: follows every path to an input, but takes two edges between two nodes for one."""
    values = _values(graph, x)
    bars = dict.fromkeys(graph.inputs, 0.0)

    def follow(index: int, bar: Any) -> None:
        if index in bars:
            bars[index] += bar
        args = graph.nodes[index].args
        for arg, slope in dict(
            zip(args, _slopes(graph.nodes[index].op, [values[k] for k in args]), strict=True)
        ).items():
            follow(arg, bar * slope)

    for index, bar in zip(graph.outputs, y_bar, strict=True):
        follow(index, bar)
    return [values[index] for index in graph.outputs], [bars[index] for index in graph.inputs]

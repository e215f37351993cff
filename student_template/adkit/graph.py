"""Computational graphs: a program of scalar operations written down as data.

A `Graph` is a list of nodes in topological order: node i applies one primitive to the results of earlier
nodes. `trace` records a Python function into a graph by running it once on stand-ins (the "tape" of Griewank
& Walther, *Evaluating Derivatives*, 2nd ed., section 4.1). Nothing here evaluates or differentiates a graph:
that is what the assignment asks for.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

import numpy as np

ARITY: dict[str, int] = {
    "input": 0,
    "const": 0,
    "add": 2,
    "sub": 2,
    "mul": 2,
    "div": 2,
    "neg": 1,
    "sin": 1,
    "cos": 1,
    "exp": 1,
    "log": 1,
    "sqrt": 1,
    "tanh": 1,
}
"""The primitives and how many arguments each takes; `add` takes two *or more* (figure 4 adds three)."""


@dataclass(frozen=True, slots=True)
class Node:
    """One step of a program: the primitive `op` applied to the nodes whose indices are `args`.

    `value` is the number of a `const`, and None for every other op.
    """

    op: str
    args: tuple[int, ...] = ()
    value: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "args", _indices(self.args, "the arguments of a node"))
        if self.value is not None:
            object.__setattr__(self, "value", float(self.value))


@dataclass(frozen=True, repr=False)
class Graph:
    """A computational graph.

    nodes: in topological order; a node's arguments come before it.
    inputs: indices of the `input` nodes, in the order of the program's arguments. They need not be the first
        nodes, nor in the order in which they stand among the nodes.
    outputs: indices of the nodes whose values are the program's results. Any node can be one (an input or a
        constant as well), it may be listed twice, and it may feed other nodes.

    Lists are accepted and stored as tuples. Raises ValueError, which names the node, for an unknown op, a
    wrong number of arguments, an argument that does not come earlier, a `const` without a number, or a bad
    index in inputs or outputs.
    """

    nodes: tuple[Node, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", tuple(self.nodes))
        object.__setattr__(self, "inputs", _indices(self.inputs, "inputs"))
        object.__setattr__(self, "outputs", _indices(self.outputs, "outputs"))
        for index, node in enumerate(self.nodes):
            _check_node(index, node)
        _check_ends(self)

    def __repr__(self) -> str:
        return f"Graph({len(self.nodes)} nodes, inputs={_short(self.inputs)}, outputs={_short(self.outputs)})"

    def __call__(self, x: Any) -> Any:
        """The outputs (m,) for inputs x (n,), by JAX: it can be traced and differentiated (`adkit.functions`)."""
        from adkit.functions import GraphFunction

        return GraphFunction.of(self)(x)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Graph":
        return self  # nothing in it can change, and copying 20 000 nodes would take a while

    def _repr_svg_(self) -> str | None:
        """The drawing that Jupyter shows; None (then it shows the text) for a graph too large to be read."""
        from adkit.drawing.graph import LARGEST_DRAWN, draw

        return draw(self).svg if len(self.nodes) <= LARGEST_DRAWN else None


def rebuilt(
    steps: Iterable[tuple[str, tuple[int, ...], float | None]], inputs: tuple[int, ...], outputs: tuple[int, ...]
) -> Graph:
    """The graph with the nodes (op, args, value) of another one, which has passed the checks: none is made again."""
    put = object.__setattr__
    nodes: list[Node] = []
    for op, args, value in steps:
        node = object.__new__(Node)
        put(node, "op", op)
        put(node, "args", args)
        put(node, "value", value)
        nodes.append(node)
    graph = object.__new__(Graph)
    put(graph, "nodes", tuple(nodes))
    put(graph, "inputs", inputs)
    put(graph, "outputs", outputs)
    return graph


def toy_graph() -> Graph:
    """The toy example f(x1, x2) = x1 x2 + sin x1: v1 = x1, v2 = x2, v3 = v1 v2, v4 = sin v1, v5 = v3 + v4."""
    return Graph(
        nodes=(Node("input"), Node("input"), Node("mul", (0, 1)), Node("sin", (0,)), Node("add", (2, 3))),
        inputs=(0, 1),
        outputs=(4,),
    )


def figure_4() -> Graph:
    """Problem 1 of the seminar: weights w1, w2, w3, one node v1 = w1 + w2 + w3, losses L1 … L5 of v1."""
    losses = ("sin", "cos", "exp", "tanh", "neg")
    return Graph(
        nodes=(
            *(Node("input") for _ in range(3)),
            Node("add", (0, 1, 2)),
            *(Node(op, (3,)) for op in losses),
        ),
        inputs=(0, 1, 2),
        outputs=(4, 5, 6, 7, 8),
    )


def trace(fn: Callable[..., Any], n_inputs: int) -> Graph:
    """Records `fn`, a function of `n_inputs` scalars, by calling it once with `Variable`s.

    `fn` returns one scalar or a list or tuple of them and uses + - * /, whole powers, and `np.sin`,
    `np.cos`, `np.exp`, `np.log`, `np.sqrt`, `np.tanh`. Nodes are recorded in the order of execution, the
    inputs first; a number that meets a variable becomes a `const`. What is recorded is one run: `fn` cannot
    branch on a variable's value.

    >>> trace(lambda x1, x2: x1 * x2 + np.sin(x1), 2) == toy_graph()
    True
    """
    tape = _Tape()
    variables = [tape.record("input") for _ in range(n_inputs)]
    result = fn(*variables)
    results = cast("Sequence[Any]", result) if isinstance(result, list | tuple) else [result]
    outputs = [tape.lift(entry).index for entry in results]
    return Graph(tuple(tape.nodes), tuple(range(n_inputs)), tuple(outputs))


class _Tape:
    """The nodes recorded so far."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def record(self, op: str, *args: "Variable", value: float | None = None) -> "Variable":
        self.nodes.append(Node(op, tuple(arg.index for arg in args), value))
        return Variable(self, len(self.nodes) - 1)

    def lift(self, value: Any) -> "Variable":
        """A variable as it is (if this tape's own), a number as a new `const`."""
        if isinstance(value, Variable):
            if value.tape is not self:
                raise ValueError("a variable of another trace was used: pass it as an input")
            return value
        return self.record("const", value=float(value))


class Variable:
    """What a traced function computes with: a stand-in for a number that writes each operation on the
    tape.
    """

    def __init__(self, tape: _Tape, index: int) -> None:
        self.tape = tape
        self.index = index

    def __repr__(self) -> str:
        return f"Variable(v{self.index + 1})"

    def _apply(self, op: str, *operands: Any) -> "Variable":
        return self.tape.record(op, *[self.tape.lift(operand) for operand in operands])

    def __add__(self, other: Any) -> "Variable":
        return self._apply("add", self, other)

    def __radd__(self, other: Any) -> "Variable":
        return self._apply("add", other, self)

    def __sub__(self, other: Any) -> "Variable":
        return self._apply("sub", self, other)

    def __rsub__(self, other: Any) -> "Variable":
        return self._apply("sub", other, self)

    def __mul__(self, other: Any) -> "Variable":
        return self._apply("mul", self, other)

    def __rmul__(self, other: Any) -> "Variable":
        return self._apply("mul", other, self)

    def __truediv__(self, other: Any) -> "Variable":
        return self._apply("div", self, other)

    def __rtruediv__(self, other: Any) -> "Variable":
        return self._apply("div", other, self)

    def __neg__(self) -> "Variable":
        return self._apply("neg", self)

    def __pos__(self) -> "Variable":
        return self

    def __pow__(self, power: Any) -> "Variable":
        """Whole powers from 1, as repeated products: there is no `pow` primitive."""
        message = f"x ** {power!r}: only whole powers from 1 can be traced (use np.exp and np.log)"
        try:
            factors = operator.index(power)
        except TypeError:
            raise TypeError(message) from None
        if factors < 1:
            raise TypeError(message)
        result = self
        for _ in range(factors - 1):
            result = result * self
        return result

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **options: Any) -> "Variable":
        """Lets NumPy's functions and scalars work: np.sin(x), np.float64(2) * x."""
        op = _OP_OF_UFUNC.get(ufunc)
        if op is None or method != "__call__" or options:
            raise TypeError(f"np.{ufunc.__name__} cannot be traced; the primitives are: {', '.join(ARITY)}")
        return self._apply(op, *operands)

    def __float__(self) -> float:
        raise TypeError("a traced variable has no value yet: use np.sin, np.exp, … (not those of math)")

    def __bool__(self) -> bool:
        raise TypeError("a traced function cannot branch on a variable: a graph records one run")

    def __lt__(self, other: object) -> bool:
        return bool(self)

    __gt__ = __le__ = __ge__ = __lt__


_OP_OF_UFUNC: dict[np.ufunc, str] = {
    np.add: "add",
    np.subtract: "sub",
    np.multiply: "mul",
    np.divide: "div",
    np.negative: "neg",
    np.sin: "sin",
    np.cos: "cos",
    np.exp: "exp",
    np.log: "log",
    np.sqrt: "sqrt",
    np.tanh: "tanh",
}


def _indices(given: Iterable[Any], what: str) -> tuple[int, ...]:
    """Node indices as a tuple of Python ints."""
    if type(given) is tuple:
        entries = cast("tuple[Any, ...]", given)
        if all(type(entry) is int for entry in entries):
            return entries
    try:
        return tuple([operator.index(entry) for entry in cast("Iterable[Any]", given)])
    except TypeError:
        raise ValueError(f"{what} must be a sequence of whole numbers, got {given!r}") from None


def _check_node(index: int, node: Node) -> None:
    """Raises ValueError, naming the node, unless `node` can stand at `index`."""
    fault = _fault_of(index, node)
    if fault:
        raise ValueError(f"node {index} ({node.op}): {fault}")


def _fault_of(index: int, node: Node) -> str:
    """Why `node` cannot stand at `index`; "" where it can."""
    arity = ARITY.get(node.op)
    if arity is None:
        return f"unknown op {node.op!r}; the ops are: {', '.join(ARITY)}"
    count = len(node.args)
    if count < arity or (count > arity and node.op != "add"):
        takes = "2 or more" if node.op == "add" else arity
        return f"takes {takes} arguments, got {count}"
    for arg in node.args:
        if not 0 <= arg < index:
            return f"argument {arg} is not an earlier node (0 … {index - 1})"
    if node.op == "const":
        return "" if node.value is not None and isfinite(node.value) else f"needs a finite value, got {node.value}"
    return "" if node.value is None else f"only a const has a value, got {node.value}"


def _check_ends(graph: Graph) -> None:
    """Raises ValueError unless inputs are all the `input` nodes, once each, and outputs are nodes."""
    size = len(graph.nodes)
    for what, ends in (("inputs", graph.inputs), ("outputs", graph.outputs)):
        for index in ends:
            if not 0 <= index < size:
                raise ValueError(f"{what}: there is no node {index}; the nodes are 0 … {size - 1}")
    for index in graph.inputs:
        if graph.nodes[index].op != "input":
            raise ValueError(f"inputs: node {index} is not an input but a {graph.nodes[index].op}")
    listed = set(graph.inputs)
    if len(listed) < len(graph.inputs):
        raise ValueError("inputs: a node is listed twice")
    for index, node in enumerate(graph.nodes):
        if node.op == "input" and index not in listed:
            raise ValueError(f"node {index} (input) is missing from inputs")


def _short(indices: tuple[int, ...]) -> str:
    """At most six indices, then how many there are."""
    if len(indices) <= 6:
        return repr(indices)
    return f"({', '.join(map(str, indices[:5]))}, … {len(indices)} in all)"

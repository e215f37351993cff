"""Reference solutions of `ad_modes`: forward mode, reverse mode, their cost, and orders between the two.

The chain rule on a computational graph with local partials d_ij = dv_i / dv_j (Griewank & Walther,
*Evaluating Derivatives*, 2nd ed., 2008, sections 3.1 and 3.2):

    forward  v_i_dot = sum over the arguments j of i of d_ij v_j_dot
    reverse  v_j_bar = sum over the nodes i that use j of v_i_bar d_ij   (+ y_bar where v_j is an output)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from adkit.elimination import Linearised, eliminate, elimination_cost, linearise
from adkit.graph import Graph, Node, toy_graph, trace
from adkit.implementations import ImplementationError

if TYPE_CHECKING:
    from jaxtyping import Float

EXACT_LIMIT = 10
"""Up to this many intermediate vertices the elimination order is the best there is (2^k sets of vertices)."""

LOOK_AHEAD = 8
"""How many of the cheapest vertices the Markowitz order with look-ahead compares."""


def toy_forward(x1: float, x2: float, dx1: float, dx2: float) -> list[tuple[float, float]]:
    """Values and tangents of v1 … v5 for f(x1, x2) = x1 x2 + sin x1 in the direction (dx1, dx2)."""
    v1, v1_dot = x1, dx1
    v2, v2_dot = x2, dx2
    v3, v3_dot = v1 * v2, v1_dot * v2 + v1 * v2_dot
    v4, v4_dot = math.sin(v1), math.cos(v1) * v1_dot
    v5, v5_dot = v3 + v4, v3_dot + v4_dot
    return [(v1, v1_dot), (v2, v2_dot), (v3, v3_dot), (v4, v4_dot), (v5, v5_dot)]


def toy_reverse(x1: float, x2: float) -> tuple[float, float, float, float, float]:
    """Adjoints of v1 … v5 for f(x1, x2) = x1 x2 + sin x1, with v5_bar = 1."""
    v1, v2 = x1, x2
    v5_bar = 1.0
    v3_bar = v5_bar
    v4_bar = v5_bar
    v2_bar = v3_bar * v1
    v1_bar = v3_bar * v2 + v4_bar * math.cos(v1)
    return v1_bar, v2_bar, v3_bar, v4_bar, v5_bar


def local_partials(op: str, args: Sequence[float]) -> tuple[float, ...]:
    """Partial derivatives of one primitive with respect to each of its arguments, at the values `args`.

    Raises ValueError for an unknown op.
    """
    match op:
        case "input" | "const":
            return ()
        case "add":
            return (1.0,) * len(args)
        case "sub":
            return (1.0, -1.0)
        case "mul":
            return (args[1], args[0])
        case "div":
            return (1.0 / args[1], -args[0] / args[1] ** 2)
        case "neg":
            return (-1.0,)
        case "sin":
            return (math.cos(args[0]),)
        case "cos":
            return (-math.sin(args[0]),)
        case "exp":
            return (math.exp(args[0]),)
        case "log":
            return (1.0 / args[0],)
        case "sqrt":
            return (0.5 / math.sqrt(args[0]),)
        case "tanh":
            return (1.0 - math.tanh(args[0]) ** 2,)
        case _:
            raise ValueError(f"unknown op {op!r}")


def forward_mode(graph: Graph, x: Sequence[float], x_dot: Sequence[float]) -> tuple[list[float], list[float]]:
    """Values and directional derivatives of the outputs: (y, y_dot) with y_dot = J x_dot.

    One sweep in the order of the nodes; a value and a tangent live for each node.
    """
    v = node_values(graph, x)
    v_dot = [0.0] * len(graph.nodes)
    for index, tangent in zip(graph.inputs, x_dot, strict=True):
        v_dot[index] = float(tangent)
    for i, node in enumerate(graph.nodes):
        if node.args:
            partials = local_partials(node.op, [v[j] for j in node.args])
            v_dot[i] = sum(d * v_dot[j] for d, j in zip(partials, node.args, strict=True))
    return [v[i] for i in graph.outputs], [v_dot[i] for i in graph.outputs]


def reverse_mode(graph: Graph, x: Sequence[float], y_bar: Sequence[float]) -> tuple[list[float], list[float]]:
    """Values of the outputs and adjoints of the inputs: (y, x_bar) with x_bar = J^T y_bar.

    A sweep forwards that keeps every value, then one backwards in which each node hands its adjoint on to its
    arguments once, when all that use the node have been visited: work linear in the number of edges.
    """
    v = node_values(graph, x)
    v_bar = [0.0] * len(graph.nodes)
    for index, cotangent in zip(graph.outputs, y_bar, strict=True):
        v_bar[index] += float(cotangent)
    for i in reversed(range(len(graph.nodes))):
        node = graph.nodes[i]
        partials = local_partials(node.op, [v[j] for j in node.args])
        for d, j in zip(partials, node.args, strict=True):
            v_bar[j] += v_bar[i] * d
    return [v[i] for i in graph.outputs], [v_bar[i] for i in graph.inputs]


def mode_cost(graph: Graph, mode: str) -> int:
    """Multiplications for the full Jacobian by dense sweeps: one a (sweep, edge), a sweep an input or an
    output.

    Raises ValueError unless `mode` is "forward" or "reverse".
    """
    edges = sum(graph.nodes[arg].op != "const" for node in graph.nodes for arg in node.args)
    if mode == "forward":
        return len(graph.inputs) * edges
    if mode == "reverse":
        return len(graph.outputs) * edges
    raise ValueError(f'mode must be "forward" or "reverse", got {mode!r}')


def choose_mode(graph: Graph) -> str:
    """The mode with the lower cost for the full Jacobian, "either" on a tie."""
    forward, reverse = mode_cost(graph, "forward"), mode_cost(graph, "reverse")
    if forward == reverse:
        return "either"
    return "forward" if forward < reverse else "reverse"


def trace_inverse_gradient(
    A: Float[np.ndarray, "m n"], B: Float[np.ndarray, "n m"], X: Float[np.ndarray, "n n"]
) -> Float[np.ndarray, "n n"]:
    """Gradient of f(X) = tr(A X^-1 B) with respect to X.

    d(X^-1) = -X^-1 dX X^-1, so df = -tr(A X^-1 dX X^-1 B) = <-X^-T A^T B^T X^-T, dX>, where
    X^-T A^T = (A X^-1)^T and B^T X^-T = (X^-1 B)^T: two solves, no inverse.
    """
    left = np.linalg.solve(X.T, A.T)
    right = np.linalg.solve(X, B)
    return -left @ right.T


def cubic_norm_hessian(x: Float[np.ndarray, " n"]) -> Float[np.ndarray, "n n"]:
    """Hessian of g(x) = ||x||^3 / 3: x x^T / ||x|| + ||x|| I, and 0 at x = 0 (its limit)."""
    norm = np.linalg.norm(x)
    if norm == 0:
        return np.zeros((len(x), len(x)))
    return np.outer(x, x) / norm + norm * np.eye(len(x))


def elimination_order(graph: Graph) -> list[int]:
    """An order of all intermediate vertices of the linearised graph (`adkit.linearise`) that costs little.

    The best order there is for small graphs; for others the best of forward, reverse, greedy Markowitz and
    Markowitz with a look-ahead of one step (Griewank & Walther, chapters 9 and 10).
    """
    vertices = list(linearise(graph).intermediates)
    if len(vertices) <= EXACT_LIMIT:
        return _best_order(graph)
    orders = [vertices, vertices[::-1], markowitz_order(graph, 1), markowitz_order(graph, LOOK_AHEAD)]
    return min(orders, key=lambda order: elimination_cost(graph, order))


def is_right(reverse_mode: Callable[..., Any]) -> bool:
    """Whether an implementation of `reverse_mode` answers as question 4 asks.

    It is asked about graphs each of which shows another kind of mistake, for cotangents of all sizes and signs. What is
    right is found by forward mode: x_bar_k = <y_bar, J e_k>.
    """
    for graph, x in _graphs_that_show_mistakes():
        y_bar = [0.7 + 0.6 * k if k % 2 == 0 else -1.3 - 0.2 * k for k in range(len(graph.outputs))]
        columns = [forward_mode(graph, x, list(unit))[1] for unit in np.eye(len(x))]
        expected = forward_mode(graph, x, x)[0], [float(np.dot(y_bar, column)) for column in columns]
        try:
            answer = reverse_mode(graph, x, y_bar)
            if len(answer) != 2 or not all(_agree(*parts) for parts in zip(answer, expected, strict=True)):
                return False
        except (ImplementationError, TypeError, ValueError):
            return False
    return True


def _agree(part: Sequence[float], expected: Sequence[float]) -> bool:
    """Whether they are as many numbers, and the same up to rounding."""
    numbers = np.array(part, dtype=float)
    if numbers.shape != np.shape(expected):
        return False
    return bool(np.linalg.norm(numbers - expected) <= 1e-9 * np.linalg.norm(expected))


def _graphs_that_show_mistakes() -> list[tuple[Graph, list[float]]]:
    """Graphs, with points where all of their ops are defined."""
    x, two = Node("input"), Node("const", (), 2.0)

    def every_op(a: Any, b: Any) -> list[Any]:
        return [np.exp(np.sin(a)) / b, np.cos(-a) - np.log(b), np.tanh(np.sqrt(b))]

    return [
        (toy_graph(), [1.5, -0.8]),
        (trace(every_op, 2), [0.6, 1.9]),
        (Graph((x, x, Node("sin", (1,)), Node("add", (0, 2, 1)), Node("mul", (3, 0))), (0, 1), (3, 4)), [0.4, 1.2]),
        (Graph((x, Node("mul", (0, 0))), (0,), (1,)), [0.9]),
        (Graph((x, Node("sub", (0, 0)), Node("sin", (0,)), Node("add", (1, 2))), (0,), (3,)), [0.9]),
        (Graph((x, Node("div", (0, 0)), Node("mul", (1, 0))), (0,), (2,)), [0.9]),
        (Graph((x, Node("exp", (0,)), Node("sin", (1,))), (0,), (2, 1)), [0.3]),
        (Graph((x, Node("cos", (0,))), (0,), (1, 1)), [0.8]),
        (Graph((x, two, x, x, Node("mul", (1, 3)), Node("div", (2, 4))), (3, 2, 0), (5,)), [0.5, 0.7, 1]),
    ]


def node_values(graph: Graph, x: Sequence[float]) -> list[float]:
    """The value of every node at the inputs x."""
    v = [0.0] * len(graph.nodes)
    for index, value in zip(graph.inputs, x, strict=True):
        v[index] = float(value)
    for i, node in enumerate(graph.nodes):
        args = [v[j] for j in node.args]
        match node.op:
            case "input":
                pass
            case "const":
                assert node.value is not None
                v[i] = node.value
            case "add":
                v[i] = sum(args)
            case "sub":
                v[i] = args[0] - args[1]
            case "mul":
                v[i] = args[0] * args[1]
            case "div":
                v[i] = args[0] / args[1]
            case "neg":
                v[i] = -args[0]
            case _:
                v[i] = getattr(math, node.op)(args[0])
    return v


def _best_order(graph: Graph) -> list[int]:
    """The cheapest order, by dynamic programming over the sets of vertices that are gone.

    It works because what is left of the graph depends on which vertices are gone, not on their order.
    """
    start = linearise(graph)
    best: dict[frozenset[int], tuple[int, list[int], Linearised]] = {frozenset(): (0, [], start)}
    for _ in start.intermediates:
        cheapest: dict[frozenset[int], tuple[int, list[int], Linearised]] = {}
        for gone, (cost, order, left) in best.items():
            for vertex in start.intermediates:
                if vertex not in gone:
                    total, key = cost + markowitz_count(left, vertex), gone | {vertex}
                    if key not in cheapest or total < cheapest[key][0]:
                        cheapest[key] = (total, [*order, vertex], left)
        best = {key: (total, order, _without(left, order[-1])) for key, (total, order, left) in cheapest.items()}
    ((_, order, _),) = best.values()
    return order


def markowitz_order(graph: Graph, look_ahead: int = 1) -> list[int]:
    """Always the vertex with the least predecessors x successors, ties by index (Markowitz 1957).

    With `look_ahead` > 1: of that many cheapest vertices the one that leaves the cheapest pair (itself,
    next).
    """
    left = linearise(graph)
    remaining = set(left.intermediates)
    order: list[int] = []
    while remaining:
        cheapest = sorted(remaining, key=lambda vertex: (markowitz_count(left, vertex), vertex))[:look_ahead]
        if len(cheapest) > 1:
            pairs: list[tuple[int, int, int]] = []
            for vertex in cheapest:
                after = _without(left, vertex)
                following = min((markowitz_count(after, other) for other in remaining - {vertex}), default=0)
                pairs.append((markowitz_count(left, vertex) + following, markowitz_count(left, vertex), vertex))
            vertex = min(pairs)[-1]
        else:
            vertex = cheapest[0]
        eliminate(left, vertex)
        remaining.remove(vertex)
        order.append(vertex)
    return order


def markowitz_count(linearised: Linearised, vertex: int) -> int:
    """What eliminating the vertex costs: predecessors x successors."""
    return len(linearised.predecessors[vertex]) * len(linearised.successors[vertex])


def _without(linearised: Linearised, vertex: int) -> Linearised:
    """A copy of the linearised graph from which the vertex is eliminated."""
    copy = Linearised(
        {key: set(near) for key, near in linearised.predecessors.items()},
        {key: set(near) for key, near in linearised.successors.items()},
        linearised.intermediates,
    )
    eliminate(copy, vertex)
    return copy

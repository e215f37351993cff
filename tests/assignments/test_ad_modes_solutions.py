"""Right solutions of `ad_modes` that look nothing like the reference get full points; nearly right ones do not."""

import cmath
import heapq
import sys
from collections import Counter, deque
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any

import adkit
import jax.numpy as jnp
import numpy as np
import pytest
from ad_modes_scores import POINTS, REFERENCE, results
from adkit import Graph, Node

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda *a: np.sum(a),
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    **{op: getattr(np, op) for op in ("sin", "cos", "exp", "log", "sqrt", "tanh")},
}


def partials(op, args):
    """Another way to write each, as NumPy scalars in a list."""
    a = [np.float64(arg) for arg in args]
    table = {
        "input": lambda: [],
        "const": lambda: [],
        "add": lambda: [np.float64(1)] * len(a),
        "sub": lambda: [1, -1],
        "mul": lambda: a[::-1],
        "div": lambda: [np.reciprocal(a[1]), -(a[0] / a[1]) / a[1]],
        "neg": lambda: [-1],
        "sin": lambda: [np.sin(a[0] + np.pi / 2)],
        "cos": lambda: [np.cos(a[0] + np.pi / 2)],
        "exp": lambda: [np.exp(a[0])],
        "log": lambda: [a[0] ** -1.0],
        "sqrt": lambda: [0.5 * a[0] ** -0.5],
        "tanh": lambda: [1 / np.cosh(a[0]) ** 2],
    }
    try:
        return table[op]()
    except KeyError:
        raise ValueError(op) from None


def dual_numbers(graph, x, x_dot):
    """Forward mode on pairs, by node, in a dictionary; an array for each part of the answer."""
    pairs = {i: (a, b) for i, a, b in zip(graph.inputs, x, x_dot, strict=True)}
    for i, node in enumerate(graph.nodes):
        if node.op == "const":
            pairs[i] = (node.value, 0)
        elif node.op != "input":
            args = [pairs[j] for j in node.args]
            values = [a for a, _ in args]
            pairs[i] = (FUNCTIONS[node.op](*values), np.dot(partials(node.op, values), [b for _, b in args]))
    return np.array([pairs[i][0] for i in graph.outputs]), np.array([pairs[i][1] for i in graph.outputs])


def jacobian_transposed(graph, x, x_dot):
    """Both parts stacked in one JAX array."""
    return jnp.stack([jnp.asarray(part, dtype=float) for part in dual_numbers(graph, x, x_dot)])


def tape(graph, x, y_bar):
    """Reverse mode with an explicit tape of (node, argument, partial), a dictionary of adjoints, tuples out."""
    values, records = dict(zip(graph.inputs, map(float, x), strict=True)), []
    for i, node in enumerate(graph.nodes):
        if node.op == "const":
            values[i] = node.value
        elif node.args:
            args = [values[j] for j in node.args]
            values[i] = FUNCTIONS[node.op](*args)
            records.extend((i, j, d) for j, d in zip(node.args, partials(node.op, args), strict=True))
    adjoints = {}
    for i, seed in zip(graph.outputs, y_bar, strict=True):
        adjoints[i] = adjoints.get(i, 0) + seed
    for i, j, d in reversed(records):
        adjoints[j] = adjoints.get(j, 0) + d * adjoints.get(i, 0)
    return tuple(values[i] for i in graph.outputs), tuple(adjoints.get(i, 0) for i in graph.inputs)


def pulled(graph, x, y_bar):
    """Reverse mode that pulls from the users of each node, and takes the inputs' adjoints as a JAX array."""
    y, _ = dual_numbers(graph, x, np.zeros(len(x)))
    every = type(graph)(graph.nodes, graph.inputs, range(len(graph.nodes)))
    values, _ = dual_numbers(every, x, np.zeros(len(x)))
    users = [[] for _ in graph.nodes]
    for i, node in enumerate(graph.nodes):
        for j, d in zip(node.args, partials(node.op, [values[k] for k in node.args]), strict=True):
            users[j].append((i, d))
    adjoints = np.zeros(len(graph.nodes))
    np.add.at(adjoints, np.array(graph.outputs), np.asarray(y_bar))
    for j in range(len(graph.nodes) - 1, -1, -1):
        adjoints[j] += sum(adjoints[i] * d for i, d in users[j])
    return [y, jnp.asarray(adjoints[list(graph.inputs)])]


def recursive(graph, x, y_bar):
    """Memoised recursion with Python's limit raised."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(200_000)
    try:
        every = type(graph)(graph.nodes, graph.inputs, range(len(graph.nodes)))
        values, _ = dual_numbers(every, x, np.zeros(len(x)))
        users = {i: [] for i in range(len(graph.nodes))}
        for i, node in enumerate(graph.nodes):
            for j, d in zip(node.args, partials(node.op, [values[k] for k in node.args]), strict=True):
                users[j].append((i, d))
        seeds, known = Counter(), {}
        for i, seed in zip(graph.outputs, y_bar, strict=True):
            seeds[i] += seed

        def adjoint(j):
            if j not in known:
                known[j] = seeds[j]
                for i, d in users[j]:
                    known[j] += d * adjoint(i)
            return known[j]

        return [values[i] for i in graph.outputs], [adjoint(i) for i in graph.inputs]
    finally:
        sys.setrecursionlimit(before)


def complex_step(graph, x, x_dot):
    """Forward mode with complex numbers: an infinitesimal imaginary part is a tangent."""
    values = {i: complex(a, 1e-100 * b) for i, a, b in zip(graph.inputs, x, x_dot, strict=True)}
    for i, node in enumerate(graph.nodes):
        if node.op == "const":
            values[i] = complex(node.value)
        elif node.args:
            args = [values[j] for j in node.args]
            values[i] = getattr(cmath, node.op)(*args) if hasattr(cmath, node.op) else FUNCTIONS[node.op](*args)
    every = [values[i] for i in graph.outputs]
    return deque(complex(v).real for v in every), deque(complex(v).imag / 1e-100 for v in every)


class Remembered:
    """Gradients as sparse dictionaries, kept from call to call."""

    def __init__(self):
        self.known = {}

    def __call__(self, graph, x, x_dot):
        key = graph, tuple(map(float, x))
        if key not in self.known:
            values = REFERENCE["forward_mode"](type(graph)(graph.nodes, graph.inputs, range(len(graph.nodes))), x, x)[0]
            gradients = []
            for i, node in enumerate(graph.nodes):
                gradient = Counter({i: 1.0} if node.op == "input" else {})
                for j, d in zip(node.args, partials(node.op, [values[k] for k in node.args]), strict=True):
                    for k, slope in gradients[j].items():
                        gradient[k] += d * slope
                gradients.append(gradient)
            self.known[key] = [(values[i], gradients[i]) for i in graph.outputs]
        seeds = dict(zip(graph.inputs, x_dot, strict=True))
        found = self.known[key]
        return [y for y, _ in found], [sum(d * seeds[i] for i, d in gradient.items()) for _, gradient in found]


def heap(graph, x, y_bar):
    """Reverse mode that takes the highest node off a heap, and never sees what leads to no output."""
    every = type(graph)(graph.nodes, graph.inputs, range(len(graph.nodes)))
    values, _ = dual_numbers(every, x, np.zeros(len(x)))
    adjoints, waiting = {}, []

    def add(j, term):
        if j not in adjoints:
            heapq.heappush(waiting, -j)
        adjoints[j] = adjoints.get(j, 0) + term

    for i, seed in zip(graph.outputs, y_bar, strict=True):
        add(i, seed)
    while waiting:
        i = -heapq.heappop(waiting)
        for j, d in zip(
            graph.nodes[i].args, partials(graph.nodes[i].op, values[list(graph.nodes[i].args)]), strict=True
        ):
            add(j, d * adjoints[i])
    return values[list(graph.outputs)], np.array([adjoints.get(i, 0.0) for i in graph.inputs])


def counted_with_numpy(graph, mode):
    sweeps = {"forward": graph.inputs, "reverse": graph.outputs}
    if mode not in sweeps:
        raise ValueError(mode)
    kinds = np.array([node.op for node in graph.nodes])
    args = np.array([arg for node in graph.nodes for arg in node.args], dtype=int)
    return np.int64(len(sweeps[mode])) * np.count_nonzero(kinds[args] != "const")


def order_by_first_improvement(graph):
    """The best of the three orders of the contract, found with this test's own elimination."""
    size = len(graph.nodes)
    edges = {(a, i) for i, node in enumerate(graph.nodes) for a in node.args if graph.nodes[a].op != "const"}
    edges |= {(i, size + i) for i in graph.outputs if any(u == i for u, _ in edges)}
    ends = set(graph.inputs) | {i for i in graph.outputs if not any(u == i for u, _ in edges)}
    inner = [i for i, node in enumerate(graph.nodes) if node.op != "const" and i not in ends]

    def eliminate(edges, v):
        into, out = [u for u, w in edges if w == v], [w for u, w in edges if u == v]
        rest = {edge for edge in edges if v not in edge}
        return rest | {(u, w) for u in into for w in out}, len(into) * len(out)

    def total(order):
        left, cost = edges, 0
        for v in order:
            left, price = eliminate(left, v)
            cost += price
        return cost

    greedy, left = [], edges
    while len(greedy) < len(inner):
        v = min((v for v in inner if v not in greedy), key=lambda v: (eliminate(left, v)[1], v))
        left, _ = eliminate(left, v)
        greedy.append(v)
    return np.array(min([inner, inner[::-1], greedy], key=total), dtype=int)


def inverse_with_jax(A, B, X):
    inverse = jnp.linalg.inv(X)
    return -(inverse @ B @ A @ inverse).T


def hessian_with_jax(x):
    norm = jnp.linalg.norm(x)
    safe = jnp.where(norm == 0, 1.0, norm)
    return norm * jnp.eye(x.size) + x[:, None] * x[None, :] / safe


def hessian_as_lists(x):
    norm = float(np.sqrt(np.dot(x, x)))
    if norm < 1e-30:
        return [[0] * len(x) for _ in x]
    return [[float(a * b / norm + (norm if i == j else 0)) for j, b in enumerate(x)] for i, a in enumerate(x)]


def random_graph(random, *, size=12):
    """Any op on any earlier nodes, repeated arguments and constants included; outputs anywhere, in any order, twice."""
    build = [Node("input"), Node("input"), Node("input"), Node("const", (), 0.75)]
    for _ in range(size):
        op = str(random.choice(["add", "sub", "mul", "div", "neg", "sin", "cos", "exp", "log", "sqrt", "tanh", "add"]))
        count = {"add": int(random.integers(2, 5)), "sub": 2, "mul": 2, "div": 2}.get(op, 1)
        build.append(Node(op, [int(arg) for arg in random.integers(0, len(build), count)]))
    inputs = [int(index) for index in random.permutation(3)]
    return Graph(build, inputs, [int(index) for index in random.integers(0, len(build), 5)])


def is_right_by_random_graphs(reverse_mode):
    """<y_bar, J x_dot> = <x_bar, x_dot> on many random graphs, at points where everything is tame."""
    random = np.random.default_rng(5)
    asked = 0
    while asked < 150:
        graph, x = random_graph(random), random.uniform(0.5, 1.5, 3)
        every = Graph(graph.nodes, graph.inputs, range(len(graph.nodes)))
        x_dot, y_bar = random.normal(size=3), random.normal(size=5)
        try:
            values, slopes = (np.array(part) for part in REFERENCE["forward_mode"](every, x, x_dot))
        except (ValueError, ZeroDivisionError, OverflowError):
            continue
        if max(np.abs(values).max(), np.abs(slopes).max()) > 1e3:
            continue
        asked += 1
        ends = list(graph.outputs)
        try:
            y, x_bar = reverse_mode(graph, x, y_bar)
        except Exception:
            return False
        if len(y) != 5 or len(x_bar) != 3 or not np.allclose(y, values[ends], rtol=1e-9):
            return False
        scale = np.abs(y_bar) @ np.abs(slopes[ends]) + np.abs(np.array(x_bar, dtype=float)) @ np.abs(x_dot)
        if abs(y_bar @ slopes[ends] - np.dot(x_bar, x_dot)) > 1e-8 * scale:
            return False
    return True


def is_right_beside_ones_own(reverse_mode):
    """Compares with a reverse mode of its own on graphs that are written down, and asks with what comes to hand."""
    for graph in graphs_by_hand():
        x, y_bar = tuple(range(1, len(graph.inputs) + 1)), jnp.arange(2.0, 2.0 + len(graph.outputs)) ** 2
        try:
            answer = [np.atleast_1d(np.asarray(part, dtype=float)) for part in reverse_mode(graph, x=x, y_bar=y_bar)]
        except (adkit.ImplementationError, TypeError, ValueError):
            return np.False_
        expected = [np.array(part, dtype=float) for part in tape(graph, x, list(y_bar))]
        if len(answer) != 2 or any(a.shape != b.shape for a, b in zip(answer, expected, strict=True)):
            return np.False_
        if not all(np.allclose(a, b, rtol=1e-10, atol=1e-12) for a, b in zip(answer, expected, strict=True)):
            return np.False_
    return np.True_


def graphs_by_hand():
    x = Node("input")
    yield adkit.figure_4()
    for op in ("neg", "sin", "cos", "exp", "log", "sqrt", "tanh"):
        yield Graph([x, Node(op, (0,)), Node("add", (0, 1, 1))], (0,), (1, 0, 1, 2))
    for op in ("add", "sub", "mul", "div"):
        yield Graph([x, x, Node(op, (1, 0))], (1, 0), (2,))
        yield Graph(
            [x, x, Node("const", (), 3.0), Node(op, (1, 1)), Node(op, (3, 2)), Node("sin", (4,))], (1, 0), (5, 3)
        )


def is_right_by_differences(reverse_mode):
    """Central differences of the values that the implementation itself gives, and the values by hand."""

    def wrong(graph, x, values, y_bar):
        answer = reverse_mode(graph, x, y_bar)
        if len(answer) != 2 or len(answer[0]) != len(y_bar) or len(answer[1]) != len(x):
            return True
        moved = [difference(lambda z: np.array(reverse_mode(graph, z, y_bar)[0], float), x, e) for e in np.eye(len(x))]
        slopes = [np.dot(y_bar, column) for column in moved]
        return not (np.allclose(answer[0], values) and np.allclose(np.array(answer[1], float), slopes, atol=1e-6))

    def one(x, y, z):
        s = np.sin(x) - np.cos(y) / np.exp(x)
        return [s * s, np.tanh(s - s + y), s, -np.log(np.sqrt(y)) + s / s, s]

    x, (a, b) = [0.4, 0.9, 2.0], (0.4, 0.9)
    s = np.sin(a) - np.cos(b) / np.exp(a)
    graph = adkit.trace(one, 3)
    wide = Graph([*graph.nodes, Node("add", (0, 1, 0, 2))], graph.inputs[::-1], (*graph.outputs, len(graph.nodes)))
    values = [s * s, np.tanh(b), s, -np.log(np.sqrt(b)) + 1, s]
    try:
        if wrong(graph, x, values, [0.5, -1.0, 3.0, 2.0, 0.25]):
            return False
        return not wrong(wide, x[::-1], [*values, 2 * a + b + 2.0], [0.5, -1.0, 3.0, 2.0, 0.25, -4.0])
    except (adkit.ImplementationError, TypeError):
        return False


SOLUTIONS = [
    ("q1", "toy_forward", lambda a, b, da, db: np.array(REFERENCE["toy_forward"](a, b, da, db))),
    ("q1", "toy_forward", lambda a, b, da, db: jnp.array(REFERENCE["toy_forward"](a, b, da, db))),
    ("q1", "toy_reverse", lambda a, b: [jnp.asarray(b + jnp.cos(a)), np.float64(a), 1, 1, np.int64(1)]),
    ("q1", "toy_reverse", lambda a, b: deque([b + np.cos(a), a, Fraction(1), Fraction(1), Fraction(1)])),
    ("q2", "local_partials", partials),
    ("q2", "local_partials", lambda op, args: np.array(partials(op, args), dtype=float)),
    ("q2", "local_partials", lambda op, args: tuple(jnp.float64(d) for d in partials(op, args))),
    ("q3", "forward_mode", dual_numbers),
    ("q3", "forward_mode", jacobian_transposed),
    ("q3", "forward_mode", complex_step),
    ("q3", "forward_mode", Remembered()),
    ("q4", "reverse_mode", tape),
    ("q4", "reverse_mode", pulled),
    ("q4", "reverse_mode", heap),
    ("q4", "reverse_mode", recursive),
    ("q5", "mode_cost", counted_with_numpy),
    ("q5", "mode_cost", lambda graph, mode: float(counted_with_numpy(graph, mode))),
    ("q5", "choose_mode", lambda graph: np.str_(REFERENCE["choose_mode"](graph))),
    ("q6", "trace_inverse_gradient", inverse_with_jax),
    ("q6", "cubic_norm_hessian", hessian_with_jax),
    ("q6", "cubic_norm_hessian", hessian_as_lists),
    ("q7", "elimination_order", order_by_first_improvement),
    ("q7", "elimination_order", lambda graph: deque(order_by_first_improvement(graph))),
    ("q7", "elimination_order", lambda graph: tuple(map(np.int32, order_by_first_improvement(graph)))),
    ("q8", "is_right", is_right_by_random_graphs),
    ("q8", "is_right", is_right_beside_ones_own),
    ("q8", "is_right", is_right_by_differences),
]


@pytest.mark.parametrize(
    ("question", "name", "solution"), SOLUTIONS, ids=[f"{name}-{i}" for i, (_, name, _) in enumerate(SOLUTIONS)]
)
def test_an_unusual_right_solution_gets_full_points(question, name, solution):
    outcome = results({**REFERENCE, name: solution}, question)
    assert [result.message for result in outcome if not result.passed] == []
    assert sum(result.test_case.points for result in outcome) == POINTS[question]


# ---------------------------------------- wrong in one respect only


def difference(f, x, direction, step=6e-6):
    """The central difference of f at x, at its best step."""
    x, direction = np.asarray(x, dtype=float), np.asarray(direction, dtype=float)
    return (np.asarray(f(x + step * direction)) - np.asarray(f(x - step * direction))) / (2 * step)


def values_at(graph, x):
    return dual_numbers(graph, x, np.zeros(len(x)))[0]


def toy_by_differences(x1, x2, dx1, dx2):
    def values(x):
        return [value for value, _ in REFERENCE["toy_forward"](*x, 0.0, 0.0)]

    return np.stack([values([x1, x2]), difference(values, [x1, x2], [dx1, dx2])], axis=1)


def partials_by_differences(op, args):
    """Exact where a difference is exact."""
    if op not in ("div", "sin", "cos", "exp", "log", "sqrt", "tanh"):
        return REFERENCE["local_partials"](op, args)
    return [difference(lambda a: FUNCTIONS[op](*a), args, unit) for unit in np.eye(len(args))]


def gradient_by_differences(graph, x, y_bar):
    slopes = [y_bar @ difference(partial(values_at, graph), x, unit) for unit in np.eye(len(x))] if len(x) < 50 else x
    return values_at(graph, x), np.array(slopes)


def trace_by_differences(A, B, X):
    units = np.eye(X.size).reshape(-1, *X.shape)
    slopes = [difference(lambda Z: np.trace(A @ np.linalg.solve(Z, B)), X, unit) for unit in units]
    return np.reshape(slopes, X.shape)


def order_of_own_making(graph, *, constants, dead_ends):
    """The reference's order with the constants in it, or without the nodes that nothing uses."""
    used = {arg for node in graph.nodes for arg in node.args}
    extra = [i for i, node in enumerate(graph.nodes) if node.op == "const" and constants]
    order = [i for i in REFERENCE["elimination_order"](graph) if dead_ends or i in used]
    return [*extra, *order]


def small_is_zero(limit):
    return lambda x: np.zeros((x.size, x.size)) if np.linalg.norm(x) < limit else REFERENCE["cubic_norm_hessian"](x)


def toy_reverse_but(*, v1_bar=lambda a, b: b + np.cos(a), v2_bar=lambda a, b: a):
    return lambda a, b: [v1_bar(a, b), v2_bar(a, b), 1.0, 1.0, 1.0]


def toy_forward_with_a_root(a, b, da, db):
    """cos as the root of 1 - sin^2, which is right up to pi/2 only."""
    slope = np.sqrt(1 - np.sin(a) ** 2) * da
    pairs = REFERENCE["toy_forward"](a, b, da, db)
    return [*pairs[:3], (pairs[3][0], slope), (pairs[4][0], pairs[2][1] + slope)]


def partials_of_a_product_divided(op, args):
    return [a and args[0] * args[1] / a for a in args] if op == "mul" else REFERENCE["local_partials"](op, args)


def logarithmic_product_rule(graph, x, x_dot):
    """(a b)' = a b (a' / a + b' / b), and 0 where that cannot be computed."""
    values, slopes = values_at(type(graph)(graph.nodes, graph.inputs, range(len(graph.nodes))), x), {}
    for i, node in enumerate(graph.nodes):
        args = [(values[j], slopes[j]) for j in node.args]
        if node.op == "mul":
            slopes[i] = values[i] * sum(slope / a for a, slope in args) if all(a for a, _ in args) else 0.0
        elif node.args:
            slopes[i] = np.dot(partials(node.op, [a for a, _ in args]), [slope for _, slope in args])
        else:
            slopes[i] = dict(zip(graph.inputs, x_dot, strict=True)).get(i, 0.0)
    return [values[i] for i in graph.outputs], [slopes[i] for i in graph.outputs]


def adjoints_with_a_product_divided(graph, x, y_bar):
    values = values_at(type(graph)(graph.nodes, graph.inputs, range(len(graph.nodes))), x)
    adjoints = np.zeros(len(values))
    np.add.at(adjoints, list(graph.outputs), y_bar)
    for i in reversed(range(len(values))):
        args = graph.nodes[i].args
        np.add.at(
            adjoints,
            list(args),
            adjoints[i] * np.array(partials_of_a_product_divided(graph.nodes[i].op, values[list(args)])),
        )
    return values_at(graph, x), adjoints[list(graph.inputs)]


def moving_outputs_only(graph):
    outputs = [i for i in graph.outputs if graph.nodes[i].op != "const"]
    return type(graph)(graph.nodes, graph.inputs, outputs)


def hessian_with_a_floor(floor):
    return lambda x: np.outer(x, x) / max(np.linalg.norm(x), floor) + np.linalg.norm(x) * np.eye(len(x))


def kept(name, arguments):
    """Remembers its answers by its first arguments alone."""
    answers = {}

    def function(*given):
        key = given[:arguments]
        if key not in answers:
            answers[key] = REFERENCE[name](*given)
        return answers[key]

    return function


NEARLY_RIGHT = [
    ("q1", "toy_forward", toy_by_differences),
    ("q2", "local_partials", partials_by_differences),
    ("q2", "local_partials", lambda op, args: np.float32(REFERENCE["local_partials"](op, args))),
    ("q3", "forward_mode", lambda g, x, t: (values_at(g, x), difference(partial(values_at, g), x, t))),
    ("q4", "reverse_mode", gradient_by_differences),
    ("q5", "mode_cost", lambda graph, mode: REFERENCE["mode_cost"](graph, mode.lower())),
    ("q5", "mode_cost", lambda graph, mode: REFERENCE["mode_cost"](graph, "forward" if mode == "either" else mode)),
    ("q6", "trace_inverse_gradient", trace_by_differences),
    ("q6", "cubic_norm_hessian", small_is_zero(1e-7)),
    ("q7", "elimination_order", lambda graph: [[i] for i in REFERENCE["elimination_order"](graph)]),
    ("q7", "elimination_order", partial(order_of_own_making, constants=True, dead_ends=True)),
    ("q7", "elimination_order", partial(order_of_own_making, constants=False, dead_ends=False)),
    ("q7", "elimination_order", lambda graph: REFERENCE["elimination_order"](graph) or None),
    ("q1", "toy_forward", toy_forward_with_a_root),
    ("q1", "toy_forward", lambda a, b, da, db: REFERENCE["toy_forward"](a, b, da or 1.0, db)),
    ("q1", "toy_forward", lambda a, b, da, db: REFERENCE["toy_forward"](a, b, da, db or 1.0)),
    ("q1", "toy_forward", lambda a, b, da, db: REFERENCE["toy_forward"](a, b or 1.0, da, db)),
    ("q1", "toy_reverse", toy_reverse_but(v2_bar=lambda a, b: abs(a))),
    ("q1", "toy_reverse", toy_reverse_but(v2_bar=lambda a, b: a or 1.0)),
    ("q1", "toy_reverse", toy_reverse_but(v1_bar=lambda a, b: abs(b) + np.cos(a))),
    ("q1", "toy_reverse", toy_reverse_but(v1_bar=lambda a, b: b + abs(np.cos(a)))),
    ("q1", "toy_reverse", toy_reverse_but(v1_bar=lambda a, b: b + np.cos(a) if b else 0.0)),
    ("q2", "local_partials", partials_of_a_product_divided),
    ("q5", "mode_cost", lambda graph, mode: REFERENCE["mode_cost"](graph, "forward" if mode in "forward" else mode)),
    ("q5", "mode_cost", lambda graph, mode: REFERENCE["mode_cost"](graph, "reverse" if mode in "reverse" else mode)),
    ("q5", "mode_cost", lambda graph, mode: REFERENCE["mode_cost"](moving_outputs_only(graph), mode)),
    ("q3", "forward_mode", logarithmic_product_rule),
    ("q4", "reverse_mode", adjoints_with_a_product_divided),
    ("q6", "cubic_norm_hessian", small_is_zero(1e-12)),
    ("q6", "cubic_norm_hessian", small_is_zero(np.finfo(float).eps)),
    ("q6", "cubic_norm_hessian", hessian_with_a_floor(1e-10)),
    ("q6", "cubic_norm_hessian", hessian_with_a_floor(np.finfo(float).eps)),
    ("q6", "cubic_norm_hessian", lambda x: np.all(x) * REFERENCE["cubic_norm_hessian"](x)),
    ("q1", "toy_forward", kept("toy_forward", 2)),
    ("q1", "toy_reverse", kept("toy_reverse", 1)),
    ("q3", "forward_mode", kept("forward_mode", 1)),
    ("q4", "reverse_mode", kept("reverse_mode", 1)),
]


@pytest.mark.parametrize("seed", ["one course", "another"])
@pytest.mark.parametrize(
    ("question", "name", "solution"), NEARLY_RIGHT, ids=[f"{name}-{i}" for i, (_, name, _) in enumerate(NEARLY_RIGHT)]
)
def test_a_nearly_right_solution_loses_points(question, name, solution, seed, monkeypatch):
    monkeypatch.setenv("AUTOGRADER_SEED", seed)
    outcome = results({**REFERENCE, name: solution}, question)
    assert sum(result.test_case.points for result in outcome if result.passed) < POINTS[question]


def test_a_finished_function_that_raises_not_implemented_error_is_not_called_a_stub():
    def local_partials(op, args):
        if op in FUNCTIONS or op in ("input", "const"):
            return REFERENCE["local_partials"](op, args)
        raise NotImplementedError(op)

    outcome = results({**REFERENCE, "local_partials": local_partials}, "q2")
    (failed,) = [result for result in outcome if not result.passed]
    assert "should raise ValueError when the op is unknown, but it raised NotImplementedError" in failed.message
    assert "stub" not in failed.message


@pytest.mark.parametrize("question", ["q1", "q2", "q3", "q4", "q6"])
def test_a_difference_quotient_is_told_that_it_is_not_exact_enough(question):
    _, name, solution = next(entry for entry in NEARLY_RIGHT if entry[0] == question)
    failed = [result.message for result in results({**REFERENCE, name: solution}, question) if not result.passed]
    assert any("nearly right" in message for message in failed)


def test_sums_of_two_only_lose_the_cases_about_sums_only():
    from reference.mistakes import catalogue

    for mistake in catalogue("ad_modes"):
        if mistake.name == "sum_of_two_only":
            outcome = results({**REFERENCE, mistake.function: mistake.implementation}, mistake.question)
            lost = [result.test_case.name for result in outcome if not result.passed]
            assert len(lost) == 1

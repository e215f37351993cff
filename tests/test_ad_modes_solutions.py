"""Right solutions of `ad_modes` that look nothing like the reference get full points."""

import sys

import jax.numpy as jnp
import numpy as np
import pytest
from test_ad_modes import POINTS, REFERENCE, results

FUNCTIONS = {
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
        known = {}

        def adjoint(j):
            if j not in known:
                own = sum(seed for i, seed in zip(graph.outputs, y_bar, strict=True) if i == j)
                known[j] = own
                for i, d in users[j]:
                    known[j] += d * adjoint(i)
            return known[j]

        return [values[i] for i in graph.outputs], [adjoint(i) for i in graph.inputs]
    finally:
        sys.setrecursionlimit(before)


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


SOLUTIONS = [
    ("q1", "toy_forward", lambda a, b, da, db: np.array(REFERENCE["toy_forward"](a, b, da, db))),
    ("q1", "toy_forward", lambda a, b, da, db: jnp.array(REFERENCE["toy_forward"](a, b, da, db))),
    ("q1", "toy_reverse", lambda a, b: [jnp.asarray(b + jnp.cos(a)), np.float64(a), 1, 1, np.int64(1)]),
    ("q2", "local_partials", partials),
    ("q2", "local_partials", lambda op, args: np.array(partials(op, args), dtype=float)),
    ("q2", "local_partials", lambda op, args: tuple(jnp.float64(d) for d in partials(op, args))),
    ("q3", "forward_mode", dual_numbers),
    ("q3", "forward_mode", jacobian_transposed),
    ("q4", "reverse_mode", tape),
    ("q4", "reverse_mode", pulled),
    ("q4", "reverse_mode", recursive),
    ("q5", "mode_cost", counted_with_numpy),
    ("q5", "mode_cost", lambda graph, mode: float(counted_with_numpy(graph, mode))),
    ("q5", "choose_mode", lambda graph: np.str_(REFERENCE["choose_mode"](graph))),
    ("q6", "trace_inverse_gradient", inverse_with_jax),
    ("q6", "cubic_norm_hessian", hessian_with_jax),
    ("q6", "cubic_norm_hessian", hessian_as_lists),
    ("q7", "elimination_order", order_by_first_improvement),
    ("q7", "elimination_order", lambda graph: tuple(map(np.int32, order_by_first_improvement(graph)))),
]


@pytest.mark.parametrize(
    ("question", "name", "solution"), SOLUTIONS, ids=[f"{name}-{i}" for i, (_, name, _) in enumerate(SOLUTIONS)]
)
def test_an_unusual_right_solution_gets_full_points(question, name, solution):
    outcome = results({**REFERENCE, name: solution}, question)
    assert [result.message for result in outcome if not result.passed] == []
    assert sum(result.test_case.points for result in outcome) == POINTS[question]

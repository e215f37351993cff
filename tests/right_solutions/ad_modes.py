"""Right solutions of `ad_modes`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import functools
import math
import operator
import sys
from collections import defaultdict
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import adkit
import jax
import jax.numpy as jnp
import numpy as np
import scipy.linalg

from right_solutions import Collection

RIGHT = Collection()
right = RIGHT.right

# q1


class Dual(NamedTuple):
    value: float
    tangent: float

    def times(self, other):
        return Dual(self.value * other.value, self.tangent * other.value + self.value * other.tangent)

    def plus(self, other):
        return Dual(self.value + other.value, self.tangent + other.tangent)

    def sine(self):
        return Dual(math.sin(self.value), math.cos(self.value) * self.tangent)


@right("toy_forward", "dual numbers as named tuples")
def named_tuples(x1, x2, dx1, dx2):
    a, b = Dual(x1, dx1), Dual(x2, dx2)
    return a, b, a.times(b), a.sine(), a.times(b).plus(a.sine())


@right("toy_forward", "one NumPy array of shape (5, 2)")
def an_array(x1, x2, dx1, dx2):
    J = np.array([[1, 0], [0, 1], [x2, x1], [np.cos(x1), 0], [x2 + np.cos(x1), x1]])
    values = np.array([x1, x2, x1 * x2, np.sin(x1), x1 * x2 + np.sin(x1)])
    return np.column_stack([values, J @ [dx1, dx2]])


@right("toy_forward", "complex numbers: an infinitesimal step in the imaginary part")
def complex_step(x1, x2, dx1, dx2):
    h = 1e-200
    v1, v2 = complex(x1, h * dx1), complex(x2, h * dx2)
    v = [v1, v2, v1 * v2, np.sin(v1)]
    v.append(v[2] + v[3])
    return [[z.real, z.imag / h] for z in v]


@right("toy_reverse", "a dictionary of adjoints, a loop over edges backwards")
def edges_backwards(x1, x2):
    edges = [(5, 3, 1.0), (5, 4, 1.0), (4, 1, math.cos(x1)), (3, 1, x2), (3, 2, x1)]
    bar: defaultdict[int, float] = defaultdict(float, {5: 1.0})
    for node, argument, partial in edges:
        bar[argument] += bar[node] * partial
    return tuple(bar[i] for i in range(1, 6))


@right("toy_reverse", "a triangular system, solved")
def triangular(x1, x2):
    L = np.eye(5)
    L[2, :2], L[3, 0], L[4, 2:4] = [-x2, -x1], -np.cos(x1), -1
    return scipy.linalg.solve_triangular(L, np.eye(5)[4], lower=True, trans="T", unit_diagonal=True)


@right("toy_reverse", "jax.numpy scalars")
def jax_scalars(x1, x2):
    one = jnp.float64(1.0)
    return [one * x2 + jnp.cos(x1), one * x1, one, one, one]


# q2


@right("local_partials", "match and case")
def matched(op, args):
    match op, [float(a) for a in args]:
        case (("input" | "const"), _):
            return ()
        case "add", a:
            return tuple(1.0 for _ in a)
        case "sub", _:
            return 1.0, -1.0
        case "mul", [a, b]:
            return b, a
        case "div", [a, b]:
            return 1 / b, -a / (b * b)
        case "neg", _:
            return (-1.0,)
        case "sin", [a]:
            return (math.cos(a),)
        case "cos", [a]:
            return (-math.sin(a),)
        case "exp", [a]:
            return (math.exp(a),)
        case "log", [a]:
            return (1 / a,)
        case "sqrt", [a]:
            return (1 / (2 * math.sqrt(a)),)
        case "tanh", [a]:
            return (1 / math.cosh(a) ** 2,)
    raise ValueError(f"{op!r} is not an op")


RULES: dict[str, Any] = {}


def rule(*names):
    def keep(function):
        RULES.update(dict.fromkeys(names, function))
        return function

    return keep


@rule("input", "const")
def _nothing(*_):
    return []


@rule("add")
def _add(*a):
    return [1] * len(a)


@rule("sub")
def _sub(a, b):
    return [1, -1]


@rule("mul")
def _mul(a, b):
    return [b, a]


@rule("div")
def _div(a, b):
    return [1 / b, -a * b**-2]


@rule("neg")
def _neg(a):
    return [-1]


for _op, _derivative in {
    "sin": np.cos,
    "cos": lambda a: -np.sin(a),
    "exp": np.exp,
    "log": np.reciprocal,
    "sqrt": lambda a: 1 / np.sqrt(4 * a),
    "tanh": lambda a: 1 - np.square(np.tanh(a)),
}.items():
    RULES[_op] = lambda a, derivative=_derivative: [derivative(np.float64(a))]


@right("local_partials", "a table of rules that a decorator fills; whole numbers where they are exact")
def registered(op, args):
    if op not in RULES:
        raise ValueError("unknown op")
    return RULES[op](*args)


@right("local_partials", "a subclass of ValueError for what is unknown")
def own_error(op, args):
    class UnknownOpError(ValueError):
        pass

    try:
        return tuple(float(part) for part in RULES[op](*args))
    except KeyError as missing:
        raise UnknownOpError(op) from missing


# q3

APPLY: dict[str, Any] = {
    "add": lambda *a: functools.reduce(operator.add, a),
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
    **{op: getattr(math, op) for op in ("sin", "cos", "exp", "log", "sqrt", "tanh")},
}


def values_of(graph, x):
    v: list[Any] = [0.0] * len(graph.nodes)
    for k, i in enumerate(graph.inputs):
        v[i] = float(x[k])
    for i, node in enumerate(graph.nodes):
        if node.op == "const":
            v[i] = node.value
        elif node.args:
            v[i] = APPLY[node.op](*(v[j] for j in node.args))
    return v


@dataclass
class Variable:
    value: float
    tangent: float = 0.0


@right("forward_mode", "a dataclass per node, a generator of products")
def dataclasses(graph, x, x_dot):
    variables: list[Any] = []
    given = {i: Variable(float(a), float(b)) for i, a, b in zip(graph.inputs, x, x_dot, strict=True)}
    for i, node in enumerate(graph.nodes):
        if node.op == "input":
            variables.append(given[i])
            continue
        if node.op == "const":
            variables.append(Variable(node.value))
            continue
        args = [variables[j] for j in node.args]
        values = [a.value for a in args]
        variables.append(
            Variable(
                APPLY[node.op](*values),
                math.fsum(d * a.tangent for d, a in zip(matched(node.op, values), args, strict=True)),
            )
        )
    return [variables[o].value for o in graph.outputs], [variables[o].tangent for o in graph.outputs]


@right("forward_mode", "two NumPy arrays, filled in place; NumPy arrays out")
def in_place(graph, x, x_dot):
    v, t = np.zeros(len(graph.nodes)), np.zeros(len(graph.nodes))
    v[list(graph.inputs)], t[list(graph.inputs)] = x, x_dot
    for i, node in enumerate(graph.nodes):
        if node.op == "const":
            v[i] = node.value
        elif node.op != "input":
            index = list(node.args)
            v[i] = APPLY[node.op](*v[index].tolist())
            t[i] = np.dot(registered(node.op, v[index].tolist()), t[index])
    outputs = np.array(graph.outputs, dtype=int)
    return v[outputs], t[outputs]


@right("forward_mode", "a recursion with a raised limit and memory, from the inputs up")
def recursion_with_memory(graph, x, x_dot):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(50_000)
    try:
        known: dict[int, tuple[float, float]] = {}
        for i in range(len(graph.nodes)):  # from below, so that the recursion is never deep
            _dual(graph, i, x, x_dot, known)
        pairs = [known[o] for o in graph.outputs]
    finally:
        sys.setrecursionlimit(before)
    return tuple(p for p, _ in pairs), tuple(t for _, t in pairs)


def _dual(graph, i, x, x_dot, known):
    if i not in known:
        node = graph.nodes[i]
        if node.op == "input":
            k = graph.inputs.index(i)
            known[i] = float(x[k]), float(x_dot[k])
        elif node.op == "const":
            known[i] = node.value, 0.0
        else:
            duals = [_dual(graph, j, x, x_dot, known) for j in node.args]
            values = [v for v, _ in duals]
            slope = sum(d * t for d, (_, t) in zip(matched(node.op, values), duals, strict=True))
            known[i] = APPLY[node.op](*values), slope
    return known[i]


# q4


@right("reverse_mode", "a list of closures, run backwards")
def closures(graph, x, y_bar):
    v, tape = values_of(graph, x), []
    bar = dict.fromkeys(range(len(graph.nodes)), 0.0)

    def record(i, j, d):
        def back():
            bar[j] += bar[i] * d

        tape.append(back)

    for i, node in enumerate(graph.nodes):
        for j, d in zip(node.args, matched(node.op, [v[k] for k in node.args]), strict=True):
            record(i, j, d)
    for o, b in zip(graph.outputs, y_bar, strict=True):
        bar[o] += float(b)
    while tape:
        tape.pop()()
    return [v[o] for o in graph.outputs], [bar[i] for i in graph.inputs]


@right("reverse_mode", "a sparse triangular system")
def sparse_system(graph, x, y_bar):
    from scipy.sparse import csr_array
    from scipy.sparse.linalg import spsolve_triangular

    v, n = values_of(graph, x), len(graph.nodes)
    rows, columns, entries = list(range(n)), list(range(n)), [1.0] * n
    for i, node in enumerate(graph.nodes):
        for j, d in zip(node.args, matched(node.op, [v[k] for k in node.args]), strict=True):
            rows.append(j)
            columns.append(i)
            entries.append(-float(d))
    seed = np.zeros(n)
    np.add.at(seed, list(graph.outputs), np.asarray(y_bar, float))
    matrix = csr_array((entries, (rows, columns)), shape=(n, n))
    bar = spsolve_triangular(matrix, seed, lower=False)
    return [v[o] for o in graph.outputs], bar[list(graph.inputs)].tolist()


@right("reverse_mode", "np.add.at on an array of adjoints, in a list of arrays")
def add_at(graph, x, y_bar):
    v, bar = values_of(graph, x), np.zeros(len(graph.nodes))
    np.add.at(bar, np.array(graph.outputs, dtype=int), np.array(y_bar, dtype=float))
    for i in range(len(graph.nodes))[::-1]:
        node = graph.nodes[i]
        if node.args and bar[i] != 0:
            args = np.array(node.args)
            np.add.at(bar, args, bar[i] * np.array(registered(node.op, [v[j] for j in node.args]), dtype=float))
    return [np.array([v[o] for o in graph.outputs]), bar[np.array(graph.inputs, dtype=int)]]


@right("reverse_mode", "each node asks its users, from the last node to the first")
def asks_its_users(graph, x, y_bar):
    v = values_of(graph, x)
    users: list[list[tuple[int, float]]] = [[] for _ in graph.nodes]
    for i, node in enumerate(graph.nodes):
        for j, d in zip(node.args, matched(node.op, [v[k] for k in node.args]), strict=True):
            users[j].append((i, d))
    seeds: defaultdict[int, float] = defaultdict(float)
    for o, b in zip(graph.outputs, y_bar, strict=True):
        seeds[o] += b
    bar = [0.0] * len(graph.nodes)
    for j in range(len(graph.nodes) - 1, -1, -1):
        bar[j] = seeds[j] + sum(bar[i] * d for i, d in users[j])
    return tuple(v[o] for o in graph.outputs), tuple(bar[i] for i in graph.inputs)


# q5


@right("mode_cost", "a dictionary of sides, numpy counting")
def sides(graph, mode):
    side = {"forward": graph.inputs, "reverse": graph.outputs}
    if mode not in side:
        raise ValueError(f"{mode!r} is neither forward nor reverse")
    constant = np.array([node.op == "const" for node in graph.nodes])
    arguments = np.array([j for node in graph.nodes for j in node.args], dtype=int)
    return np.int64(len(side[mode])) * np.count_nonzero(~constant[arguments])


@right("mode_cost", "a float is a number too")
def as_a_float(graph, mode):
    if mode == "forward":
        return float(len(graph.inputs) * _edges(graph))
    if mode == "reverse":
        return float(len(graph.outputs) * _edges(graph))
    raise ValueError(mode)


def _edges(graph):
    return sum(1 for node in graph.nodes for j in node.args if graph.nodes[j].op != "const")


@right("choose_mode", "the sign of a difference as an index")
def by_sign(graph):
    difference = (len(graph.inputs) - len(graph.outputs)) * _edges(graph)
    return ["either", "reverse", "forward"][int(np.sign(difference))]


@right("choose_mode", "min over a dictionary, ties looked for")
def by_min(graph):
    costs = {"forward": len(graph.inputs) * _edges(graph), "reverse": len(graph.outputs) * _edges(graph)}
    best = min(costs, key=costs.__getitem__)
    return best if len(set(costs.values())) == 2 else "either"


# q6


@right("trace_inverse_gradient", "one LU factorisation of SciPy")
def by_lu(A, B, X):
    factors = scipy.linalg.lu_factor(X)
    left = scipy.linalg.lu_solve(factors, A.T, trans=1)
    rightmost = scipy.linalg.lu_solve(factors, B)
    return -np.einsum("im,jm->ij", left, rightmost)


@right("trace_inverse_gradient", "outer products added up, jax.numpy")
def added_up(A, B, X):
    Y = jnp.linalg.inv(X)
    total = jnp.zeros_like(Y)
    for a, b in zip(jnp.asarray(A), jnp.asarray(B).T, strict=True):
        total = total - jnp.outer(a @ Y, Y @ b)
    return total


@right("trace_inverse_gradient", "entry by entry in nested lists")
def nested_lists(A, B, X):
    P = (np.linalg.inv(X) @ B @ A @ np.linalg.inv(X)).tolist()
    return [[-P[j][i] for j in range(len(P))] for i in range(len(P))]


@right("cubic_norm_hessian", "the unit vector times the norm")
def unit_vector(x):
    norm = math.hypot(*map(float, x))
    u = np.asarray(x) / norm if norm else np.zeros(len(x))
    return norm * (np.outer(u, u) + np.identity(len(x)))


@right("cubic_norm_hessian", "np.divide with where, in place on a copy")
def divided_where(x):
    norm = np.linalg.norm(x)
    H = np.multiply.outer(x, x)
    np.divide(H, norm, out=H, where=norm > 0)
    H[np.diag_indices(len(x))] += norm
    return H


@right("cubic_norm_hessian", "jnp.where twice, under jit")
@jax.jit
def where_twice(x):
    r = jnp.linalg.norm(x)
    return jnp.outer(x, x) / jnp.where(r == 0, 1.0, r) + r * jnp.eye(x.shape[0])


# q7


def _greedy(graph, key):
    linearised = adkit.linearise(graph)
    before, after, middle = linearised
    left, order = set(middle), []
    while left:
        v = min(left, key=lambda v: key(v, before, after))
        left.discard(v)
        order.append(v)
        adkit.eliminate(linearised, v)
    return order


@right("elimination_order", "the cheapest of many orders")
def cheapest_of_many(graph):
    middle = sorted(adkit.linearise(graph)[2])
    candidates = [
        middle,
        middle[::-1],
        _greedy(graph, lambda v, p, s: (len(p[v]) * len(s[v]), v)),
        _greedy(graph, lambda v, p, s: (len(p[v]) * len(s[v]), -v)),
        _greedy(graph, lambda v, p, s: (len(p[v]) * len(s[v]) - len(p[v]) - len(s[v]), v)),
    ]
    return tuple(min(candidates, key=functools.partial(adkit.elimination_cost, graph)))


@right("elimination_order", "exact for few vertices, by a table over subsets, and NumPy numbers out")
def exact_when_small(graph):
    middle = sorted(adkit.linearise(graph)[2])
    orders = [middle, middle[::-1], _greedy(graph, lambda v, p, s: (len(p[v]) * len(s[v]), v))]
    if len(middle) <= 6:
        from itertools import permutations

        orders += [list(order) for order in permutations(middle)]
    costs = [Fraction(adkit.elimination_cost(graph, order)) for order in orders]
    return np.array(orders[costs.index(min(costs))], dtype=np.int32)

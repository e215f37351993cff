"""Wrong solutions of `ad_modes`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import functools
import itertools
import math

import adkit
import jax.numpy as jnp
import numpy as np

from reference import ad_modes as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


def partials_of(graph, i, v):
    node = graph.nodes[i]
    return reference.local_partials(node.op, [v[j] for j in node.args])


# q1


@wrong("toy_forward", "in the product rule each factor is multiplied by its own tangent")
def own_tangents(x1, x2, dx1, dx2):
    trace = [(x1, dx1), (x2, dx2)]
    (a, da), (b, db) = trace
    trace.append((a * b, a * da + b * db))
    trace.append((math.sin(a), math.cos(a) * da))
    trace.append((trace[2][0] + trace[3][0], trace[2][1] + trace[3][1]))
    return trace


@wrong("toy_forward", "the tangents are the changes of the values from x to x + dx, not derivatives")
def increments(x1, x2, dx1, dx2):
    def values(a, b):
        return np.array([a, b, a * b, np.sin(a), a * b + np.sin(a)])

    before, after = values(x1, x2), values(x1 + dx1, x2 + dx2)
    return list(zip(before, after - before, strict=True))


@wrong("toy_forward", "the sine's tangent is cos x1 without the factor dx1")
def inner_derivative_missing(x1, x2, dx1, dx2):
    class Dual:
        def __init__(self, value, tangent):
            self.value, self.tangent = value, tangent

        def __mul__(self, other):
            return Dual(self.value * other.value, self.value * other.tangent + self.tangent * other.value)

        def __add__(self, other):
            return Dual(self.value + other.value, self.tangent + other.tangent)

        def sin(self):
            return Dual(math.sin(self.value), math.cos(self.value))

    v1, v2 = Dual(x1, dx1), Dual(x2, dx2)
    v3, v4 = v1 * v2, v1.sin()
    return [(v.value, v.tangent) for v in (v1, v2, v3, v4, v3 + v4)]


@wrong("toy_reverse", "what the sine hands back to v1 replaces what the product handed back")
def second_user_wins(x1, x2):
    bar = {5: 1.0}
    for node, partials in ((5, {3: 1.0, 4: 1.0}), (3, {1: x2, 2: x1}), (4, {1: math.cos(x1)})):
        for argument, partial in partials.items():
            bar[argument] = bar[node] * partial
    return tuple(bar[k] for k in range(1, 6))


@wrong("toy_reverse", "the derivative of the sine is put on v4 itself, so that v4_bar is cos x1")
def partial_on_the_node(x1, x2):
    v5 = 1.0
    v4 = v5 * math.cos(x1)
    v3 = v5
    v2 = v3 * x1
    v1 = v3 * x2 + v4
    return v1, v2, v3, v4, v5


# q2


@wrong("local_partials", "the partial of tanh is one minus the square of its argument, not of its value")
def argument_for_value(op, args):
    if op == "tanh":
        return (1.0 - args[0] ** 2,)
    return reference.local_partials(op, args)


@wrong("local_partials", "an op that does not exist raises KeyError, not ValueError")
def table_of_lambdas(op, args):
    table = {
        "input": lambda: (),
        "const": lambda: (),
        "add": lambda *a: (1.0,) * len(a),
        "sub": lambda a, b: (1.0, -1.0),
        "mul": lambda a, b: (b, a),
        "div": lambda a, b: (1 / b, -a / b**2),
        "neg": lambda a: (-1.0,),
        "sin": lambda a: (math.cos(a),),
        "cos": lambda a: (-math.sin(a),),
        "exp": lambda a: (math.exp(a),),
        "log": lambda a: (1 / a,),
        "sqrt": lambda a: (0.5 / math.sqrt(a),),
        "tanh": lambda a: (1 / math.cosh(a) ** 2,),
    }
    return table[op](*args)


@wrong("local_partials", "the partial of the quotient by its denominator lacks the square: -a / b")
def denominator_not_squared(op, args):
    match op:
        case "div":
            a, b = args
            return 1 / b, -a / b
        case "add":
            return tuple(1.0 for _ in args)
        case "log":
            return (1 / args[0],)
        case _:
            return reference.local_partials(op, args)


# q3


@wrong("forward_mode", "a recursion over the arguments, which a chain of 20 000 nodes is too deep for")
def recursion(graph, x, x_dot):
    at = dict(zip(graph.inputs, zip(x, x_dot, strict=True), strict=True))
    functions = {
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
        "add": lambda *a: sum(a),
    }

    @functools.cache
    def pair(i):
        node = graph.nodes[i]
        if node.op == "input":
            value, tangent = at[i]
            return float(value), float(tangent)
        if node.op == "const":
            return node.value, 0.0
        values, tangents = zip(*(pair(j) for j in node.args), strict=True)
        function = functions.get(node.op) or getattr(math, node.op)
        slopes = reference.local_partials(node.op, values)
        return function(*values), sum(d * t for d, t in zip(slopes, tangents, strict=True))

    pairs = [pair(i) for i in graph.outputs]
    return [p[0] for p in pairs], [p[1] for p in pairs]


@wrong("forward_mode", "the constants have the tangent 1")
def moving_constants(graph, x, x_dot):
    v = reference.node_values(graph, x)
    t = np.zeros(len(v))
    t[list(graph.inputs)] = x_dot
    for i, node in enumerate(graph.nodes):
        if node.op == "const":
            t[i] = 1.0
        elif node.op != "input":
            t[i] = np.dot(partials_of(graph, i, v), t[list(node.args)])
    return [v[i] for i in graph.outputs], [t[i] for i in graph.outputs]


@wrong(
    "forward_mode", "the entries of x and x_dot go to the input nodes in the order of the nodes, not of graph.inputs"
)
def in_order_of_nodes(graph, x, x_dot):
    found = sorted(graph.inputs)
    v = reference.node_values(adkit.Graph(graph.nodes, found, graph.outputs), x)
    tangents = {i: float(t) for i, t in zip(found, x_dot, strict=True)}
    for i, node in enumerate(graph.nodes):
        if i not in tangents:
            tangents[i] = sum(d * tangents[j] for d, j in zip(partials_of(graph, i, v), node.args, strict=True))
    return [v[i] for i in graph.outputs], [tangents[i] for i in graph.outputs]


@wrong("forward_mode", "the partials are in a dictionary by argument, so an argument that is used twice counts once")
def partials_by_argument(graph, x, x_dot):
    v = reference.node_values(graph, x)
    dot = [0.0] * len(v)
    for i, t in zip(graph.inputs, x_dot, strict=True):
        dot[i] = float(t)
    for i, node in enumerate(graph.nodes):
        by_argument = dict(zip(node.args, partials_of(graph, i, v), strict=True))
        for j, d in by_argument.items():
            dot[i] += d * dot[j]
    return [v[i] for i in graph.outputs], [dot[i] for i in graph.outputs]


@wrong("forward_mode", "a central difference of the values along x_dot instead of tangents")
def difference_quotient(graph, x, x_dot):
    h = 1e-6
    x, x_dot = np.asarray(x, dtype=float), np.asarray(x_dot, dtype=float)

    def run(point):
        v = reference.node_values(graph, point)
        return np.array([v[i] for i in graph.outputs])

    return list(run(x)), list((run(x + h * x_dot) - run(x - h * x_dot)) / (2 * h))


# q4


@wrong("reverse_mode", "the cotangent of an output replaces what the nodes that use it have handed back")
def output_replaces(graph, x, y_bar):
    v = reference.node_values(graph, x)
    seeds = {}
    for i, bar in zip(graph.outputs, y_bar, strict=True):
        seeds[i] = seeds.get(i, 0.0) + bar
    adjoint = [0.0] * len(v)
    for i in range(len(v) - 1, -1, -1):
        if i in seeds:
            adjoint[i] = seeds[i]
        for d, j in zip(partials_of(graph, i, v), graph.nodes[i].args, strict=True):
            adjoint[j] += d * adjoint[i]
    return [v[i] for i in graph.outputs], [adjoint[i] for i in graph.inputs]


@wrong("reverse_mode", "one backward sweep for each output, and the results added")
def sweep_for_each_output(graph, x, y_bar):
    v = reference.node_values(graph, x)
    total = [0.0] * len(graph.inputs)
    for output, bar in zip(graph.outputs, y_bar, strict=True):
        adjoint = [0.0] * len(v)
        adjoint[output] = float(bar)
        for i in reversed(range(len(v))):
            for d, j in zip(partials_of(graph, i, v), graph.nodes[i].args, strict=True):
                adjoint[j] += d * adjoint[i]
        total = [t + adjoint[i] for t, i in zip(total, graph.inputs, strict=True)]
    return [v[i] for i in graph.outputs], total


@wrong("reverse_mode", "the adjoints are a default argument that is never emptied: the second call adds to the first")
def never_emptied(graph, x, y_bar, adjoints={}):  # noqa: B006
    v = reference.node_values(graph, x)
    for i, bar in zip(graph.outputs, y_bar, strict=True):
        adjoints[i] = adjoints.get(i, 0.0) + float(bar)
    for i, node in reversed(list(enumerate(graph.nodes))):
        for d, j in zip(partials_of(graph, i, v), node.args, strict=True):
            adjoints[j] = adjoints.get(j, 0.0) + d * adjoints.get(i, 0.0)
    return [v[i] for i in graph.outputs], [adjoints.get(i, 0.0) for i in graph.inputs]


@wrong("reverse_mode", "the adjoints are kept in 32 bits")
def single_precision(graph, x, y_bar):
    v = reference.node_values(graph, x)
    bars = np.zeros(len(v), dtype=np.float32)
    for i, bar in zip(graph.outputs, y_bar, strict=True):
        bars[i] += bar
    for i in range(len(v))[::-1]:
        for d, j in zip(partials_of(graph, i, v), graph.nodes[i].args, strict=True):
            bars[j] += np.float32(d) * bars[i]
    return [v[i] for i in graph.outputs], bars[list(graph.inputs)].tolist()


@wrong("reverse_mode", "of the arguments of a node only the first two get an adjoint, so a sum of three loses one")
def two_arguments_at_most(graph, x, y_bar):
    v = reference.node_values(graph, x)
    bars = [0.0] * len(v)
    for i, bar in zip(graph.outputs, y_bar, strict=True):
        bars[i] += bar
    for i in range(len(v) - 1, -1, -1):
        args, slopes = graph.nodes[i].args, partials_of(graph, i, v)
        if len(args) >= 1:
            bars[args[0]] += slopes[0] * bars[i]
        if len(args) >= 2:
            bars[args[1]] += slopes[1] * bars[i]
    return [v[i] for i in graph.outputs], [bars[i] for i in graph.inputs]


@wrong("reverse_mode", "a node hands its adjoint down before all its users have been visited: a queue from the outputs")
def breadth_first(graph, x, y_bar):
    v = reference.node_values(graph, x)
    bars = [0.0] * len(v)
    queue = []
    for i, bar in zip(graph.outputs, y_bar, strict=True):
        bars[i] += bar
        if i not in queue:
            queue.append(i)
    seen = set(queue)
    while queue:
        i = queue.pop(0)
        for d, j in zip(partials_of(graph, i, v), graph.nodes[i].args, strict=True):
            bars[j] += d * bars[i]
            if j not in seen:
                seen.add(j)
                queue.append(j)
    return [v[i] for i in graph.outputs], [bars[i] for i in graph.inputs]


# q5


@wrong("mode_cost", "an output that is listed twice counts as one")
def distinct_outputs(graph, mode):
    edges = len([1 for node in graph.nodes for j in node.args if graph.nodes[j].op != "const"])
    sweeps = {"forward": set(graph.inputs), "reverse": set(graph.outputs)}
    if mode not in sweeps:
        raise ValueError(mode)
    return edges * len(sweeps[mode])


@wrong("mode_cost", "only edges that lead to an output are counted")
def useful_edges(graph, mode):
    useful, stack = set(), list(graph.outputs)
    while stack:
        i = stack.pop()
        if i not in useful:
            useful.add(i)
            stack.extend(graph.nodes[i].args)
    edges = sum(graph.nodes[j].op != "const" for i in useful for j in graph.nodes[i].args)
    if mode == "forward":
        return len(graph.inputs) * edges
    if mode == "reverse":
        return len(graph.outputs) * edges
    raise ValueError(f"no mode {mode}")


@wrong("mode_cost", "the cost of one sweep: the edges, not times the inputs or outputs")
def one_sweep(graph, mode):
    if mode not in ("forward", "reverse"):
        raise ValueError(f"unknown mode {mode!r}")
    edges = 0
    for node in graph.nodes:
        for j in node.args:
            if graph.nodes[j].op != "const":
                edges += 1
    return edges


@wrong("choose_mode", "inputs and outputs are compared, so a graph without edges is not a tie")
def inputs_against_outputs(graph):
    n, m = len(graph.inputs), len(graph.outputs)
    return "forward" if n < m else "reverse" if m < n else "either"


@wrong("choose_mode", "with as many inputs as outputs it says forward")
def forward_on_a_tie(graph):
    return min(("forward", "reverse"), key=lambda mode: reference.mode_cost(graph, mode))


# q6


@wrong("trace_inverse_gradient", "the two inverses are put together as if matrices commuted: -(X^-2)^T A^T B^T")
def as_for_numbers(A, B, X):
    inverse = np.linalg.inv(X)
    return -(inverse @ inverse).T @ A.T @ B.T


@wrong("trace_inverse_gradient", "the second inverse is not transposed")
def one_transpose_short(A, B, X):
    Y = np.linalg.inv(X)
    return -np.linalg.multi_dot([Y.T, A.T, B.T, Y])


@wrong("trace_inverse_gradient", "one-sided finite differences entry by entry instead of the closed form")
def by_differences(A, B, X):
    def f(X):
        return np.trace(A @ np.linalg.solve(X, B))

    G = np.zeros_like(X, dtype=float)
    for i, j in itertools.product(range(len(X)), repeat=2):
        E = np.zeros_like(G)
        E[i, j] = 1e-7
        G[i, j] = (f(X + E) - f(X)) / 1e-7
    return G


@wrong("cubic_norm_hessian", "every x shorter than 1e-6 is taken for 0")
def tiny_is_zero(x):
    x = np.asarray(x)
    r = np.linalg.norm(x)
    if np.isclose(r, 0.0, atol=1e-6):
        return np.zeros((x.size, x.size))
    return r * np.eye(x.size) + np.outer(x, x) / r


@wrong("cubic_norm_hessian", "x x^T is the number x . x, which is added to every entry")
def inner_for_outer(x):
    x = jnp.asarray(x)
    r = jnp.sqrt(x @ x)
    return jnp.where(r > 0, x @ x.T / jnp.where(r > 0, r, 1.0), 0.0) + r * jnp.eye(len(x))


@wrong("cubic_norm_hessian", "1e-8 is added to the norm under x x^T, against the division by zero")
def norm_plus_epsilon(x):
    r = np.linalg.norm(x)
    H = np.empty((len(x), len(x)))
    for i in range(len(x)):
        for j in range(len(x)):
            H[i, j] = x[i] * x[j] / (r + 1e-8) + (r if i == j else 0.0)
    return H


# q7


@wrong("elimination_order", "the vertices are sorted once by their cost in the whole graph, which is not updated")
def sorted_once(graph):
    before, after, vertices = adkit.linearise(graph)
    return sorted(vertices, key=lambda v: len(before[v]) * len(after[v]))


@wrong("elimination_order", "the vertex with the fewest successors first, whatever it costs")
def fewest_successors(graph):
    left = adkit.linearise(graph)
    order, remaining = [], list(left.intermediates)
    while remaining:
        v = min(remaining, key=lambda v: len(left.successors[v]))
        adkit.eliminate(left, v)
        remaining.remove(v)
        order.append(v)
    return order


# q8


SQUARES = adkit.trace(lambda x, y: [x * x + y, np.sin(x) / y, np.exp(y) - np.sqrt(x)], 2)
SHARED = adkit.Graph(
    (*[adkit.Node("input")] * 2, adkit.Node("mul", (0, 1)), adkit.Node("sin", (2,)), adkit.Node("add", (3, 2, 0))),
    (0, 1),
    (4, 2),
)


def expected(graph, x, y_bar):
    columns = [reference.forward_mode(graph, x, list(e))[1] for e in np.eye(len(x))]
    return np.array(reference.forward_mode(graph, x, x)[0]), np.array(columns) @ np.array(y_bar)


@wrong("is_right", "only x_bar is compared, so wrong values of the outputs are not noticed")
def values_not_compared(reverse_mode):
    try:
        for graph in (SQUARES, SHARED):
            y_bar = [0.3, -1.7, 2.2][: len(graph.outputs)]
            _, x_bar = reverse_mode(graph, [0.7, 1.4], y_bar)
            if not np.allclose(x_bar, expected(graph, [0.7, 1.4], y_bar)[1]):
                return False
    except Exception:
        return False
    return True


@wrong("is_right", "numbers are compared with ==, so right implementations that round in another way are refused")
def bit_for_bit(reverse_mode):
    for graph in (adkit.toy_graph(), SQUARES, SHARED):
        x, y_bar = [0.37, 1.91], [0.3, -1.7, 2.2][: len(graph.outputs)]
        y, x_bar = reference.reverse_mode(graph, x, y_bar)
        try:
            answer = reverse_mode(graph, x, y_bar)
            if list(answer[0]) != y or list(answer[1]) != x_bar:
                return False
        except Exception:
            return False
    return True


@wrong("is_right", "an implementation that raises is not caught: its error is that of is_right")
def errors_escape(reverse_mode):
    for graph in (adkit.toy_graph(), SQUARES, SHARED):
        x, y_bar = [0.37, 1.91], [0.3, -1.7, 2.2][: len(graph.outputs)]
        y, x_bar = expected(graph, x, y_bar)
        answer = reverse_mode(graph, x, y_bar)
        if np.linalg.norm(answer[0] - y) > 1e-9 or np.linalg.norm(answer[1] - x_bar) > 1e-9:
            return False
    return True


@wrong("is_right", "every cotangent is 1, so an implementation that ignores y_bar passes")
def cotangents_of_one(reverse_mode):
    for graph in (adkit.toy_graph(), SQUARES, SHARED):
        x, ones = [0.8, 2.3], [1.0] * len(graph.outputs)
        y, x_bar = expected(graph, x, ones)
        try:
            ours = [np.asarray(part, dtype=float) for part in reverse_mode(graph, x, ones)]
            if ours[0].shape != y.shape or ours[1].shape != x_bar.shape:
                return False
            if not (np.allclose(ours[0], y) and np.allclose(ours[1], x_bar)):
                return False
        except Exception:
            return False
    return True

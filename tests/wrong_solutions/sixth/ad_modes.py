"""Wrong solutions of `ad_modes`."""

# Written as students write, without annotations:
# pyright: reportOptionalMemberAccess=false, reportOptionalOperand=false, reportOptionalSubscript=false
# pyright: reportCallIssue=false, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportOperatorIssue=false, reportMatchNotExhaustive=false

import cmath
import math

import adkit
import numpy as np

from reference import ad_modes as reference
from wrong_solutions import Collection

WRONG = Collection()
wrong = WRONG.wrong


def run(graph, x, module=math):
    """The values of all nodes, with the functions of math or of cmath."""
    values = [0.0] * len(graph.nodes)
    for k, i in enumerate(graph.inputs):
        values[i] = x[k]
    for i, node in enumerate(graph.nodes):
        a = [values[j] for j in node.args]
        if node.op == "const":
            values[i] = node.value
        elif node.op == "add":
            values[i] = sum(a)
        elif node.op == "sub":
            values[i] = a[0] - a[1]
        elif node.op == "mul":
            values[i] = a[0] * a[1]
        elif node.op == "div":
            values[i] = a[0] / a[1]
        elif node.op == "neg":
            values[i] = -a[0]
        elif node.op != "input":
            values[i] = getattr(module, node.op)(a[0])
    return values


def partials_of(graph, i, values):
    node = graph.nodes[i]
    return reference.local_partials(node.op, [values[j] for j in node.args])


# q1


@wrong("toy_forward", "the tangent of the sum v5 is made with the product rule: v3_dot * v4 + v3 * v4_dot")
def product_rule_for_the_sum(x1, x2, dx1, dx2):
    v3, t3 = x1 * x2, dx1 * x2 + x1 * dx2
    v4, t4 = math.sin(x1), math.cos(x1) * dx1
    return [(x1, dx1), (x2, dx2), (v3, t3), (v4, t4), (v3 + v4, t3 * v4 + v3 * t4)]


@wrong("toy_reverse", "v1_bar is the mean of the two shares that come back to v1, and not their sum")
def mean_of_the_shares(x1, x2):
    shares = [1.0 * x2, 1.0 * math.cos(x1)]
    return (sum(shares) / len(shares), 1.0 * x1, 1.0, 1.0, 1.0)


# q2


@wrong("local_partials", "div's second partial is -1/b^2: the numerator a is missing (right where a is 1)")
def quotient_without_numerator(op, args):
    if op == "div":
        _, b = args
        return (1 / b, -1 / b**2)
    return reference.local_partials(op, args)


@wrong("local_partials", "tanh's partial is 1/cosh, not squared, and sqrt's is sqrt(a)/2 for 1/(2 sqrt(a))")
def two_slips(op, args):
    if op == "tanh":
        return (1 / math.cosh(args[0]) if abs(args[0]) < 700 else 0.0,)
    if op == "sqrt":
        return (math.sqrt(args[0]) / 2,)
    return reference.local_partials(op, args)


@wrong("local_partials", "add has two partials however many arguments it has, and an unknown op gives () and no error")
def add_of_two_only(op, args):
    if op == "add":
        return (1.0, 1.0)
    try:
        return reference.local_partials(op, args)
    except ValueError:
        return ()


# q3


@wrong("forward_mode", "x and x_dot are dealt out to the inputs in the order of the nodes, not of graph.inputs")
def inputs_in_the_order_of_nodes(graph, x, x_dot):
    renamed = adkit.Graph(graph.nodes, tuple(sorted(graph.inputs)), graph.outputs)
    return reference.forward_mode(renamed, x, x_dot)


@wrong("forward_mode", "a complex step of 1e-3: values and tangents are off by a relative 1e-6")
def complex_step_too_long(graph, x, x_dot):
    h = 1e-3
    values = run(graph, [complex(a, h * t) for a, t in zip(x, x_dot, strict=True)], cmath)
    results = [complex(values[o]) for o in graph.outputs]
    return [r.real for r in results], [r.imag / h for r in results]


VALUES = {}


@wrong("forward_mode", "the values are kept for each graph from the first call on: at another x they are still the old")
def values_kept_for_ever(graph, x, x_dot):
    key = (graph.nodes, graph.inputs)
    if key not in VALUES:
        VALUES[key] = run(graph, [float(a) for a in x])
    values = VALUES[key]
    tangents = [0.0] * len(values)
    for k, i in enumerate(graph.inputs):
        tangents[i] = float(x_dot[k])
    for i, node in enumerate(graph.nodes):
        if node.args:
            slopes = partials_of(graph, i, values)
            tangents[i] = sum(p * tangents[j] for p, j in zip(slopes, node.args, strict=True))
    return [values[o] for o in graph.outputs], [tangents[o] for o in graph.outputs]


@wrong(
    "forward_mode", "the directional derivative is divided by the length of x_dot (right for directions of length 1)"
)
def direction_of_length_one(graph, x, x_dot):
    y, y_dot = reference.forward_mode(graph, x, x_dot)
    length = math.sqrt(sum(t * t for t in x_dot)) or 1.0
    return y, [t / length for t in y_dot]


# q4


def sweep(graph, values, bars, last=0):
    """Backwards through the nodes down to index `last`, in place."""
    for i in range(len(graph.nodes) - 1, last - 1, -1):
        for p, j in zip(partials_of(graph, i, values), graph.nodes[i].args, strict=True):
            bars[j] += bars[i] * p


@wrong(
    "reverse_mode", "the backward sweep stops below the last input: nodes with a smaller index than that hand nothing"
)
def stops_at_the_last_input(graph, x, y_bar):
    values = run(graph, [float(a) for a in x])
    bars = [0.0] * len(values)
    for o, bar in zip(graph.outputs, y_bar, strict=True):
        bars[o] += float(bar)
    sweep(graph, values, bars, max(graph.inputs, default=-1) + 1)
    return [values[o] for o in graph.outputs], [bars[i] for i in graph.inputs]


@wrong("reverse_mode", "the cotangents are scaled to length 1 first (right for one output with the cotangent 1)")
def unit_cotangent(graph, x, y_bar):
    length = math.sqrt(sum(float(b) ** 2 for b in y_bar)) or 1.0
    return reference.reverse_mode(graph, x, [float(b) / length for b in y_bar])


@wrong("reverse_mode", "an output hands back its own cotangent only: what its users handed to it is replaced by it")
def cotangent_replaces_the_sum(graph, x, y_bar):
    values = run(graph, [float(a) for a in x])
    given = {}
    for o, bar in zip(graph.outputs, y_bar, strict=True):
        given[o] = given.get(o, 0.0) + float(bar)
    bars = [0.0] * len(values)
    for i in range(len(values) - 1, -1, -1):
        bars[i] = given.get(i, bars[i])
        for p, j in zip(partials_of(graph, i, values), graph.nodes[i].args, strict=True):
            bars[j] += bars[i] * p
    return [values[o] for o in graph.outputs], [bars[i] for i in graph.inputs]


@wrong(
    "reverse_mode", "one backward sweep for every output, added up: right, and far too slow for thousands of outputs"
)
def sweep_for_every_output(graph, x, y_bar):
    values = run(graph, [float(a) for a in x])
    total = np.zeros(len(graph.inputs))
    for o, bar in zip(graph.outputs, y_bar, strict=True):
        bars = [0.0] * len(values)
        bars[o] = float(bar)
        sweep(graph, values, bars)
        total += [bars[i] for i in graph.inputs]
    return [values[o] for o in graph.outputs], list(total)


# q5


@wrong("mode_cost", "a repeated argument is one edge, and an output that is listed twice is one output")
def sets_for_lists(graph, mode):
    edges = {(j, i) for i, node in enumerate(graph.nodes) for j in node.args if graph.nodes[j].op != "const"}
    if mode == "forward":
        return len(graph.inputs) * len(edges)
    if mode == "reverse":
        return len(set(graph.outputs)) * len(edges)
    raise ValueError(mode)


@wrong("choose_mode", "compares the numbers of inputs and outputs, so a graph without edges is no tie")
def by_counting_ends(graph):
    n, m = len(graph.inputs), len(graph.outputs)
    return "either" if n == m else "forward" if n < m else "reverse"


# q6


@wrong("trace_inverse_gradient", "the inverse comes from eight steps of Newton-Schulz, which has nearly arrived")
def newton_schulz_inverse(A, B, X):
    A, B, X = np.asarray(A, float), np.asarray(B, float), np.asarray(X, float)
    Y = X.T / (np.linalg.norm(X, 1) * np.linalg.norm(X, np.inf))
    for _ in range(8):
        Y = Y @ (2 * np.eye(len(X)) - X @ Y)
    return -Y.T @ A.T @ B.T @ Y.T


@wrong("cubic_norm_hessian", "2 ||x|| I, as in one dimension: x x^T / ||x|| is taken for ||x|| I")
def as_in_one_dimension(x):
    return 2 * np.linalg.norm(x) * np.eye(len(x))


# q7


@wrong("elimination_order", "Markowitz counts of the graph before anything is eliminated, and never again")
def counts_of_the_beginning(graph):
    before, after, inner = adkit.linearise(graph)
    return sorted(inner, key=lambda v: (len(before[v]) * len(after[v]), v))


# q8


@wrong("is_right", "only the sum of the entries of x_bar is compared, so entries in a wrong order are not noticed")
def sum_of_the_entries(reverse_mode):
    random = np.random.default_rng(0)
    graphs = [
        adkit.toy_graph(),
        adkit.trace(lambda a, b, c: [a * a - b / c, a * b, a - a], 3),
        adkit.Graph(
            [*[adkit.Node("input")] * 3, adkit.Node("sub", (0, 2)), adkit.Node("exp", (3,))], (2, 0, 1), (3, 4, 3)
        ),
    ]
    for graph in graphs:
        x, y_bar = random.uniform(1, 2, len(graph.inputs)), random.uniform(1, 2, len(graph.outputs))
        y, x_bar = reference.reverse_mode(graph, x, y_bar)
        try:
            y_too, x_bar_too = reverse_mode(graph, x, y_bar)
            if len(x_bar_too) != len(x_bar) or not np.allclose(y, y_too):
                return False
            if not math.isclose(math.fsum(x_bar), math.fsum(x_bar_too), rel_tol=1e-8, abs_tol=1e-12):
                return False
        except (adkit.ImplementationError, TypeError, ValueError):
            return False
    return True


@wrong("is_right", "asks for lists: a right implementation that returns a tuple or an array is refused")
def lists_or_nothing(reverse_mode):
    graph = adkit.toy_graph()
    try:
        y, x_bar = reverse_mode(graph, [2.0, 3.0], [1.5])
    except (adkit.ImplementationError, TypeError, ValueError):
        return False
    return isinstance(x_bar, list) and isinstance(y, list) and reference.is_right(reverse_mode)
